"""Speaker normalisation where everything is known: ``python results/normalization.py FOLDER [WORKERS]``.

Does climbing the speaker's loss (Gat et al. 2022) make a network forget the speaker, and does the emotion gain by it?
And how far must it climb: equation 3 is plain ascent with step λ, the descent beside it is Adam's or has momentum.

Plan, written before the first run of it:

- Corpus: the built-in one with bias 0.5, 32 speakers, 12 utterances each, four emotions, English, generator seed 200.
- Protocol: speaker-folds:4; 16 speakers train, 8 are dev, 8 are tested, each of the 32 once. No auxiliary data: the
  second batch is of the training part, in another order.
- Networks: ``tdnn_lstm`` as in ``testbed.py``, and a HuBERT of two layers of 64 that begins at random. Both keep the
  last epoch, so that nothing is selected within a run.
- Grid, seed 0: TAP (all parameters climb) and SNP (a projector does), each reading of the ascent (``sgd`` is equation
  3, ``same`` the descent's kind of optimiser), each λ in 1e-4, 1e-3, 1e-2, 1e-1; against the same network without the
  second step. Nothing else is tuned.
- Chosen on dev: for each network and method the reading and λ with the highest dev UA of the grid, the smaller λ of
  two equal ones. Over both networks and methods together: the pair that is furthest above the baseline's dev UA in the
  mean.
- Tried before, on one fold of another corpus (generator seed 7), without the second step: two rates for the HuBERT's
  encoder, 0.002 (dev UA 38.5) and 0.0005 (42.7), which is taken.
- Confirmed, seeds 1 and 2: the four that were chosen, and the two baselines, trained anew.
- Measured: UA; the leak (a non-linear probe on the embedding, on unheard and on training speakers); how far the second
  step moves what climbs, as a multiple of how far the first does (mean over epochs).
- Tests, of what was chosen alone: UA over the 32 speakers and over the 8 runs as in every report, the leak over the 8
  runs; Holm over the four. The grid has intervals over speakers and no p: four runs cannot tell.

Leaves ``normalization.md``, ``.csv`` and ``.svg`` beside this file. Interrupted, the same command goes on where it was.
"""

import json
import math
import sys
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from collect import markdown
from matplotlib.figure import Figure
from testbed import SHARED, SPEAKER_HEAD, leak_difference

from unheard.corpora import Corpus
from unheard.corpora.synthetic import synthesize
from unheard.metrics.comparison import compare, holm
from unheard.recipe import Recipe
from unheard.studies.plan import Plan
from unheard.studies.report.data import StudyData, read_study
from unheard.studies.report.plots import BLUE, GREEN, INK, ORANGE, RED, SETTINGS
from unheard.studies.report.tables import percent, points, probability
from unheard.studies.run import machine_words
from unheard.studies.study import feature_store, run_study

PAGE = Path(__file__).with_suffix(".md")

SPEAKERS, UTTERANCES, BIAS, GENERATOR_SEED = 32, 12, 0.5, 200
PROTOCOL, GRID_SEEDS, CONFIRMING_SEEDS = "speaker-folds:4", (0,), (1, 2)
SCOPES, ASCENTS, RATES = ("tap", "snp"), ("sgd", "same"), (1e-4, 1e-3, 1e-2, 1e-1)

#: A HuBERT that begins at random and learns this corpus in seconds.
HUBERT = (
    "network.model=null",
    "network.architecture=hubert",
    "network.config={num_hidden_layers: 2, hidden_size: 64, num_attention_heads: 4, intermediate_size: 128, "
    "conv_dim: [32, 64, 64], conv_kernel: [20, 8, 4], conv_stride: [10, 8, 4], feat_extract_norm: layer, "
    "num_conv_pos_embeddings: 16, num_conv_pos_embedding_groups: 4}",  # a frame every 20 ms, as in the base size
    "front_end.crop=1.0",
    "terms.emotion.width=32",
    "terms.emotion.learning_rate=0.002",
    "optimizer.learning_rate=0.0005",
    "training.batch_size=16",
    "training.epochs=12",
    "training.select=last",
)
HUBERT_HEAD = ("terms.speaker.width=32", "terms.speaker.learning_rate=0.002")
#: What the recipes of a network share, and what those have besides that climb.
NETWORKS = {"tdnn": (SHARED, SPEAKER_HEAD), "hubert": (HUBERT, HUBERT_HEAD)}
LEAKS = {"leak_unheard_nonlinear": "unheard speakers", "leak_nonlinear": "training speakers"}


class Row(NamedTuple):
    """A recipe beside its baseline, in the grid or confirmed; shares. p is corrected over the four that were chosen."""

    study: str
    network: str
    scope: str
    ascent: str
    rate: float
    dev_ua: float
    ua: float
    ua_difference: float = math.nan
    ua_low: float = math.nan
    ua_high: float = math.nan
    ua_p: float = math.nan
    leak_unheard: float = math.nan
    leak_unheard_difference: float = math.nan
    leak_unheard_p: float = math.nan
    leak: float = math.nan
    leak_difference: float = math.nan
    leak_p: float = math.nan
    ascent_to_descent: float = math.nan


def baseline(network: str) -> Recipe:
    """The network without the second step."""
    return Recipe.load(network, NETWORKS[network][0])


def climbing(network: str, scope: str, ascent: str, rate: float) -> Recipe:
    """The same with it."""
    shared, head = NETWORKS[network]
    own = [f"name={network}-{scope}-{ascent}-{rate:g}", f"method.ascent={ascent}", f"method.ascent_rate={rate}"]
    if network == "hubert" and scope == "snp":
        own.append("method.projector_learning_rate=0.002")
    return Recipe.load(f"{network}-{scope}", [*shared, *head, *own])


def run(
    folder: Path, study: str, network: str, rivals: list[Recipe], seeds: tuple[int, ...], workers: int | None
) -> StudyData:
    """A study of a network, where it is missing or not finished."""
    corpus = folder / "corpus"
    if not (corpus / "manifest.csv").is_file():
        synthesize(corpus, speakers=SPEAKERS, utterances=UTTERANCES, bias=BIAS, languages=("en",), seed=GENERATOR_SEED)
    plan = Plan.make(
        Corpus.read(corpus), PROTOCOL, [baseline(network), *rivals], seeds=seeds, baseline=baseline(network).name
    )
    out = folder / f"{study}-{network}"
    plan = plan.continuing(out)
    run_study(plan, out, feature_store(folder / "features"), workers=workers)
    return read_study(out)


def ratio(data: StudyData, name: str) -> float:
    """How far the second step moved what climbs, as a multiple of the first: mean over epochs and runs."""
    found = [
        json.loads(line).get("ascent_to_descent", math.nan)
        for each in data.runs(name)
        for line in (each.folder(data.study) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    return float(np.mean(found))


def measured(study: str, network: str, data: StudyData) -> list[Row]:
    """The baseline, then every rival against it; p is not corrected yet, and the grid has none."""
    means: Any = data.results.groupby("recipe")[["dev_ua", "ua", *LEAKS]].mean()
    unheard_leak, heard_leak = LEAKS
    rows = []
    for recipe in data.plan.recipes:
        mean = means.loc[recipe.name]
        method = recipe.method.settings
        climbs = "scope" in method
        row = Row(
            study, network, {"all": "tap", "projector": "snp"}[method["scope"]] if climbs else "",
            method.get("ascent", ""), method.get("ascent_rate", math.nan), mean["dev_ua"], mean["ua"],
            leak_unheard=mean[unheard_leak], leak=mean[heard_leak],
        )  # fmt: skip
        if climbs:
            ua = compare(data.of(network), data.of(recipe.name))
            leaks = [leak_difference(data, recipe.name, column, network) for column in LEAKS]
            row = row._replace(
                ua_difference=ua.difference, ua_low=ua.low, ua_high=ua.high,
                leak_unheard_difference=leaks[0].points, leak_difference=leaks[1].points,
                ascent_to_descent=ratio(data, recipe.name),
            )  # fmt: skip
            if study == "confirmed":
                row = row._replace(ua_p=ua.p_value, leak_unheard_p=leaks[0].p, leak_p=leaks[1].p)
        rows.append(row)
    return rows


def chosen(grid: pd.DataFrame) -> pd.DataFrame:
    """For each network and method the reading and λ with the highest dev UA, the smaller λ of equal ones."""
    ordered = grid[grid["scope"] != ""].sort_values(["dev_ua", "rate"], ascending=[False, True], kind="stable")
    return ordered.groupby(["network", "scope"], sort=False).head(1)


def together(grid: pd.DataFrame) -> pd.Series:
    """Dev UA above the baseline's by reading and λ, mean over networks and methods."""
    base = grid[grid["scope"] == ""].set_index("network")["dev_ua"]
    climbs = grid[grid["scope"] != ""]
    gain: pd.Series = (
        (climbs["dev_ua"] - climbs["network"].map(base)).groupby([climbs["ascent"], climbs["rate"]]).mean()
    )
    return gain


def drawn(grid: pd.DataFrame) -> None:
    """The leak against UA, a line over λ for each method and reading, a panel for each network."""
    colours = {("tap", "sgd"): BLUE, ("tap", "same"): RED, ("snp", "sgd"): GREEN, ("snp", "same"): ORANGE}
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(8.4, 4.2), layout="constrained")
        for axes, (network, some) in zip(figure.subplots(1, 2), grid.groupby("network", sort=False), strict=True):
            base = some[some["scope"] == ""]
            axes.plot(
                100 * base["leak_unheard"], 100 * base["ua"], "*", color=INK, markersize=13, label="without", zorder=3
            )
            for (scope, ascent), colour in colours.items():
                line = some[(some["scope"] == scope) & (some["ascent"] == ascent)].sort_values("rate")
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
    grid = table[table["study"] == "grid"]
    gain = together(grid)
    best: Any = gain.idxmax()
    ascent, rate = best
    machines = dict.fromkeys(words for data in found.values() for words in map(machine_words, data.results["machine"]))
    lines = [
        "# Speaker normalisation on the synthetic corpus",
        "",
        "`python results/normalization.py FOLDER`; the plan stands in the script.",
        "",
        *(
            f"- {name}: {data.audit.verdict}; corpus hash {data.plan.corpus.hash}; {sum(map(len, data.done.values()))} "
            f"of {len(data.plan.runs())} runs done"
            for name, data in found.items()
        ),
        *(f"- machine: {words}" for words in machines),
        "",
        "UA and leak in per cent, mean over runs; differences in points from the network without the second step, with "
        "95 % intervals by bootstrap over speakers. Step 2 / step 1: how far the ascent moves what climbs, as a "
        "multiple of the descent.",
        "",
        "## Confirmed: what dev UA chose, with other seeds",
        "",
    ]
    for network, some in table[table["study"] == "confirmed"].groupby("network", sort=False):
        lines += [f"### `{network}`", "", *_table(some, tested=True), ""]
    lines += [
        f"Over both networks and methods together the grid's dev UA is highest with `{ascent}` and λ = {rate:g}: "
        f"{points(gain.max())} points above the network without the second step. Equation 3 with the paper's λ, `sgd` "
        f"and 0.001, has {points(gain['sgd', 1e-3])}.",
        "",
        "## The grid",
        "",
        "![The leak against UA over λ](normalization.svg)",
        "",
        "Larger dots are larger λ, 1e-4 to 1e-1.",
    ]
    for network, some in grid.groupby("network", sort=False):
        lines += ["", f"### `{network}`", "", *_table(some, tested=False)]
    return "\n".join(lines) + "\n"


def _table(rows: pd.DataFrame, tested: bool) -> list[str]:
    p = ["p"] if tested else []
    leaks = [part for whose in LEAKS.values() for part in (f"leak, {whose}", "points", *p)]
    lines = [["", "λ", "step 2 / step 1", "dev UA", "UA", "points", "95 %", *p, *leaks]]
    for row in rows.to_dict("records"):
        climbs = bool(row["scope"])
        cells = [
            f"{row['scope'].upper()}, {row['ascent']}" if climbs else "without",
            f"{row['rate']:g}" if climbs else "",
            f"{row['ascent_to_descent']:.2g}" if climbs else "",
            percent(row["dev_ua"]),
            percent(row["ua"]),
            points(row["ua_difference"]) if climbs else "",
            f"{points(row['ua_low'])} to {points(row['ua_high'])}" if climbs else "",
        ]
        cells += [_probable(row["ua_p"])] if tested else []
        for leak in ("leak_unheard", "leak"):
            cells += [percent(row[leak]), points(row[f"{leak}_difference"]) if climbs else ""]
            cells += [_probable(row[f"{leak}_p"])] if tested else []
        lines.append(cells)
    return markdown(lines)


def _probable(p: float) -> str:
    return "" if math.isnan(p) else probability(p)


def main() -> None:
    """Run what is missing, then write the page, the table and the picture."""
    folder, workers = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None
    rivals = list(product(SCOPES, ASCENTS, RATES))
    found = {
        f"grid-{network}": run(
            folder, "grid", network, [climbing(network, *rival) for rival in rivals], GRID_SEEDS, workers
        )
        for network in NETWORKS
    }
    grid = pd.DataFrame([row for network in NETWORKS for row in measured("grid", network, found[f"grid-{network}"])])
    best = chosen(grid)
    confirmed = []
    for network in NETWORKS:
        picked = best[best["network"] == network][["scope", "ascent", "rate"]].itertuples(index=False)
        data = run(folder, "confirmed", network, [climbing(network, *one) for one in picked], CONFIRMING_SEEDS, workers)
        found[f"confirmed-{network}"] = data
        confirmed += measured("confirmed", network, data)
    table = pd.concat([grid, pd.DataFrame(confirmed)], ignore_index=True)
    for column in ("ua_p", "leak_unheard_p", "leak_p"):
        tested = table[column].notna()
        table.loc[tested, column] = holm(table.loc[tested, column].tolist())
    table.to_csv(PAGE.with_suffix(".csv"), index=False, lineterminator="\n", float_format="%.6g")
    drawn(grid)
    PAGE.write_text(page(table, found), encoding="utf-8")


if __name__ == "__main__":
    main()
