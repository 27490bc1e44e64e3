"""Speaker normalisation where everything is known: ``python results/normalization.py FOLDER [WORKERS]``.

Does climbing the speaker's loss (Gat et al. 2022) make a network forget the speaker, and does the emotion gain by it? And
how far must it climb: equation 3 is plain ascent with step λ, while the descent beside it is Adam's or has momentum.

Plan, written before the first run of it:

- Corpus: the built-in one with bias 0.5, 40 speakers, 12 utterances each, four emotions, in English, generator seed 200.
- Protocol: speaker-folds:5, one seed; 24 speakers train, 8 are dev, 8 are tested, each of the 40 once. No auxiliary data:
  the second batch is of the training part, in another order.
- Networks: ``tdnn_lstm`` as in ``testbed.py``, and a HuBERT of two layers of 64 that begins at random; both with the last
  epoch, so that nothing is selected.
- Recipes: TAP (all parameters climb) and SNP (a projector does), for each reading of the ascent (``sgd`` is equation 3,
  ``same`` the descent's kind of optimiser) and each λ in 1e-4, 1e-3, 1e-2, 1e-1; against the same without the second step.
  34 runs of a fold: 16 and a baseline for each network, none tuned.
- Measured: UA and leak (a non-linear probe on the embedding that the emotion is read from, on unheard and on training
  speakers), and how far the second step moves what climbs, as a multiple of how far the first does (mean over epochs).
- Tests: UA over the 40 speakers and over the 5 runs as in every report, the leak over the 5 runs; Holm over the 16
  comparisons of a network. Five runs cannot bring a p below 0.0625, so no single difference counts as one by itself; what is
  looked at is whether the curve over λ goes anywhere.
- Default: for each method and network the reading and λ with the highest dev UA, the smaller λ of two equal ones; and over
  both networks and methods together the pair with the highest mean dev UA above the baseline's.

Leaves ``normalization.md``, ``.csv`` and ``.svg`` beside this file. Interrupted, the same command goes on where it was.
"""

import json
import math
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from collect import markdown
from matplotlib.figure import Figure
from testbed import SHARED, SPEAKER_HEAD, leak_difference

import unheard
from unheard.corpora.synthetic import synthesize
from unheard.metrics.comparison import compare, holm
from unheard.recipe import Recipe
from unheard.studies.report.data import StudyData, read_study
from unheard.studies.report.plots import BLUE, GREEN, INK, ORANGE, RED, SETTINGS
from unheard.studies.report.tables import percent, points, probability
from unheard.studies.run import machine_words

PAGE = Path(__file__).with_suffix(".md")

SPEAKERS, UTTERANCES, BIAS, GENERATOR_SEED, PROTOCOL = 40, 12, 0.5, 200, "speaker-folds:5"
SCOPES, ASCENTS, RATES = ("tap", "snp"), ("sgd", "same"), (1e-4, 1e-3, 1e-2, 1e-1)

#: A HuBERT that begins at random and learns this corpus in seconds.
HUBERT = (
    "network.model=null",
    "network.architecture=hubert",
    "network.config={num_hidden_layers: 2, hidden_size: 64, num_attention_heads: 4, intermediate_size: 128, "
    "conv_dim: [32, 32, 32, 32, 32, 32, 32], num_conv_pos_embeddings: 16, num_conv_pos_embedding_groups: 4}",
    "front_end.crop=1.5",
    "terms.emotion.width=32",
    "terms.emotion.learning_rate=0.002",
    "optimizer.learning_rate=0.002",
    "training.batch_size=16",
    "training.epochs=15",
    "training.select=last",
)
HUBERT_HEAD = ("terms.speaker.width=32", "terms.speaker.learning_rate=0.002")
#: What the recipes of a network share, and what those have besides that climb.
NETWORKS = {"tdnn": (SHARED, SPEAKER_HEAD), "hubert": (HUBERT, HUBERT_HEAD)}
LEAKS = {"leak_unheard_nonlinear": "unheard speakers", "leak_nonlinear": "training speakers"}


class Row(NamedTuple):
    """A recipe beside its baseline; shares. p is corrected over the rivals of the network, NaN for the baseline."""

    network: str
    scope: str
    ascent: str
    rate: float
    dev_ua: float
    ua: float
    ua_difference: float
    ua_low: float
    ua_high: float
    ua_p: float
    leak_unheard: float
    leak_unheard_difference: float
    leak_unheard_p: float
    leak: float
    leak_difference: float
    leak_p: float
    ascent_to_descent: float


def recipes(network: str) -> list[Recipe]:
    """The baseline, then those that climb."""
    shared, head = NETWORKS[network]
    found = [Recipe.load(network, shared)]
    for scope, ascent, rate in product(SCOPES, ASCENTS, RATES):
        own = [f"name={named(network, scope, ascent, rate)}", f"method.ascent={ascent}", f"method.ascent_rate={rate}"]
        if network == "hubert" and scope == "snp":
            own.append("method.projector_learning_rate=0.002")
        found.append(Recipe.load(f"{network}-{scope}", [*shared, *head, *own]))
    return found


def named(network: str, scope: str, ascent: str, rate: float) -> str:
    """The name of a recipe that climbs."""
    return f"{network}-{scope}-{ascent}-{rate:g}"


def run_studies(folder: Path, workers: int | None) -> None:
    """The corpus and a study of each network, where they are missing or not finished."""
    corpus = folder / "corpus"
    if not (corpus / "manifest.csv").is_file():
        synthesize(corpus, speakers=SPEAKERS, utterances=UTTERANCES, bias=BIAS, languages=("en",), seed=GENERATOR_SEED)
    for network in NETWORKS:
        unheard.study(
            recipes(network),
            corpus / "manifest.csv",
            folder / network,
            protocol=PROTOCOL,
            baseline=network,
            workers=workers,
            cache=folder / "features",
        )


def ratio(data: StudyData, name: str) -> float:
    """How far the second step moved what climbs, as a multiple of the first: mean over epochs and runs."""
    found = [
        json.loads(line).get("ascent_to_descent", math.nan)
        for run in data.runs(name)
        for line in (run.folder(data.study) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    return float(np.mean(found))


def rows(network: str, data: StudyData) -> Iterator[Row]:
    """The baseline, then every rival against it."""
    rivals = list(product(SCOPES, ASCENTS, RATES))
    names = [named(network, *rival) for rival in rivals]
    means = data.results.groupby("recipe")[["ua", "dev_ua", *LEAKS]].mean()
    ua = [compare(data.of(network), data.of(name)) for name in names]
    ua_p = holm([one.p_value for one in ua])
    leaks = [[leak_difference(data, name, column, network) for name in names] for column in LEAKS]
    leak_p = [holm([one.p for one in some]) for some in leaks]
    unheard_leak, heard_leak = LEAKS
    base = means.loc[network]
    nothing = math.nan
    yield Row(
        network, "", "", nothing, base["dev_ua"], base["ua"], nothing, nothing, nothing, nothing,
        base[unheard_leak], nothing, nothing, base[heard_leak], nothing, nothing, nothing,
    )  # fmt: skip
    for index, (rival, name) in enumerate(zip(rivals, names, strict=True)):
        one, mean = ua[index], means.loc[name]
        yield Row(
            network, *rival, mean["dev_ua"], mean["ua"], one.difference, one.low, one.high, ua_p[index],
            mean[unheard_leak], leaks[0][index].points, leak_p[0][index],
            mean[heard_leak], leaks[1][index].points, leak_p[1][index], ratio(data, name),
        )  # fmt: skip


def chosen(table: pd.DataFrame) -> Iterator[str]:
    """The defaults, by dev UA alone, and what they come to on test."""
    climbing = table[table["scope"] != ""]
    base = table[table["scope"] == ""].set_index("network")["dev_ua"]
    for (network, scope), some in climbing.groupby(["network", "scope"], sort=False):
        best = some.sort_values(["dev_ua", "rate"], ascending=[False, True], kind="stable").iloc[0]
        yield (
            f"- {scope.upper()} on `{network}`: ascent `{best['ascent']}`, λ = {best['rate']:g}. Dev UA "
            f"{percent(best['dev_ua'])} (baseline {percent(base[network])}); on test UA {points(best['ua_difference'])} "
            f"points (p {probability(best['ua_p'])}), leak on unheard speakers {points(best['leak_unheard_difference'])} "
            f"(p {probability(best['leak_unheard_p'])})."
        )
    gain = climbing.assign(gain=climbing["dev_ua"] - climbing["network"].map(base))
    both = gain.groupby(["ascent", "rate"])["gain"].mean()
    ascent, rate = both.idxmax()
    yield (
        f"- Both networks and methods together: ascent `{ascent}`, λ = {rate:g}, {points(both.max())} points of dev UA above "
        f"the baseline; equation 3 with the paper's λ, `sgd` and 0.001, has {points(both['sgd', 1e-3])}."
    )


def drawn(table: pd.DataFrame) -> None:
    """The leak against UA, a line over λ for each method and reading, a panel for each network."""
    colours = {("tap", "sgd"): BLUE, ("tap", "same"): RED, ("snp", "sgd"): GREEN, ("snp", "same"): ORANGE}
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(8.4, 4.2), layout="constrained")
        for axes, (network, some) in zip(figure.subplots(1, 2), table.groupby("network", sort=False), strict=True):
            base = some[some["scope"] == ""].iloc[0]
            axes.plot(100 * base["leak_unheard"], 100 * base["ua"], "*", color=INK, markersize=13, label="baseline")
            for (scope, ascent), colour in colours.items():
                line = some[(some["scope"] == scope) & (some["ascent"] == ascent)]
                leak, ua = 100 * line["leak_unheard"], 100 * line["ua"]
                axes.plot(leak, ua, "-", color=colour, linewidth=1.2, label=f"{scope.upper()}, {ascent}")
                axes.scatter(leak, ua, s=[12, 30, 58, 96], color=colour)
            axes.set_title(network, fontsize=10.5, loc="left")
            axes.set_xlabel("leak, unheard speakers, %")
            axes.set_ylabel("UA, %")
            axes.grid()
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=5)
        figure.savefig(PAGE.with_suffix(".svg"), metadata={"Date": None})


def page(table: pd.DataFrame, found: dict[str, StudyData]) -> str:
    """What was measured, as Markdown."""
    lines = ["# Speaker normalisation on the synthetic corpus", ""]
    for network, data in found.items():
        done = sum(map(len, data.done.values()))
        lines += [
            f"- `{network}`: {data.audit.verdict}; corpus hash {data.plan.corpus.hash}; {done} of "
            f"{data.planned * len(data.plan.recipes)} runs done"
        ]
    machines = dict.fromkeys(words for data in found.values() for words in map(machine_words, data.results["machine"]))
    lines += [
        "- command: `python results/normalization.py FOLDER`; the plan stands in it",
        *(f"- machine: {words}" for words in machines),
        "",
        "![The leak against UA over λ](normalization.svg)",
        "",
        "Larger dots are larger λ, 1e-4 to 1e-1. UA and leak in per cent, mean over folds; differences in points from the "
        "network without the second step, with 95 % intervals over speakers; p corrected (Holm over 16).",
        "",
        "## Chosen on dev",
        "",
        *chosen(table),
    ]
    for network, some in table.groupby("network", sort=False):
        head = ["", "λ", "step 2 / step 1", "dev UA", "UA", "points", "95 %", "p", *_leak_heads()]
        body = [[_method(row), *_cells(row)] for row in some.to_dict("records")]
        lines += ["", f"## `{network}`", "", *markdown([head, *body])]
    return "\n".join(lines) + "\n"


def _leak_heads() -> list[str]:
    return [part for whose in LEAKS.values() for part in (f"leak, {whose}", "points", "p")]


def _method(row: dict[str, object]) -> str:
    return f"{str(row['scope']).upper()}, {row['ascent']}" if row["scope"] else "baseline"


def _cells(row: dict[str, float]) -> list[str]:
    if math.isnan(row["rate"]):
        return ["", "", percent(row["dev_ua"]), percent(row["ua"]), "", "", "",
                percent(row["leak_unheard"]), "", "", percent(row["leak"]), "", ""]  # fmt: skip
    return [
        f"{row['rate']:g}", f"{row['ascent_to_descent']:.2g}", percent(row["dev_ua"]), percent(row["ua"]),
        points(row["ua_difference"]), f"{points(row['ua_low'])} to {points(row['ua_high'])}", probability(row["ua_p"]),
        percent(row["leak_unheard"]), points(row["leak_unheard_difference"]), probability(row["leak_unheard_p"]),
        percent(row["leak"]), points(row["leak_difference"]), probability(row["leak_p"]),
    ]  # fmt: skip


def main() -> None:
    """Run what is missing, then write the page, the table and the picture."""
    folder = Path(sys.argv[1])
    run_studies(folder, int(sys.argv[2]) if len(sys.argv) > 2 else None)
    found = {network: read_study(folder / network) for network in NETWORKS}
    table = pd.DataFrame([row for network, data in found.items() for row in rows(network, data)])
    table.to_csv(PAGE.with_suffix(".csv"), index=False, lineterminator="\n", float_format="%.6g")
    drawn(table)
    PAGE.write_text(page(table, found), encoding="utf-8")


if __name__ == "__main__":
    main()
