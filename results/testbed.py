"""The synthetic testbed of tu2019: ``python results/testbed.py FOLDER [WORKERS]``.

Speaks a corpus for each bias into FOLDER, runs the four recipes on it as ``testbed.md`` plans it, and writes what was
measured below the plan. Interrupted, the same command goes on where it was.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from collect import leaks, markdown, scores

import unheard
from unheard.corpora.synthetic import synthesize
from unheard.metrics.comparison import Comparison, compare, holm
from unheard.metrics.intervals import percentile_interval, speaker_draws
from unheard.recipe import Recipe
from unheard.seeds import generator
from unheard.studies.report.data import StudyData, read_study
from unheard.studies.report.tables import points, probability
from unheard.studies.run import machine_words

PAGE = Path(__file__).with_suffix(".md")
#: What stands below this line in the page is written by this script.
MARK = "<!-- measured -->"

BIASES = (0.0, 0.5, 1.0)
#: 40 speakers, of whom 24 train, 8 are dev and 8 are tested; 12 utterances divide evenly among four emotions.
SPEAKERS, UTTERANCES, LANGUAGES, GENERATOR_SEED = 40, 12, ("en",), 100
PROTOCOL, SEEDS, BASELINE = "speaker-folds:5", 5, "tdnn"

#: What all recipes share instead of the paper's sizes and rate: a network that learns this corpus in seconds.
SHARED = (
    "front_end.normalize=global",
    "network.channels=[32,32]",
    "network.lstm=16",
    "network.width=32",
    "network.dropout=0.2",
    "terms.emotion.hidden=[32]",
    "terms.emotion.dropout=0.2",
    "optimizer.learning_rate=0.02",
    "training.epochs=15",
    "training.select=last",
)
SPEAKER_HEAD = ("terms.speaker.hidden=[32]", "terms.speaker.dropout=0.2")
#: What each has of its own, chosen on dev speakers of other corpora.
OWN = {
    "tdnn": (),
    "tdnn-mtl": (*SPEAKER_HEAD, "terms.speaker.weight=0.1"),
    "tdnn-dat": (*SPEAKER_HEAD, "terms.speaker.weight=10", "terms.speaker.reverse.strength=0.1"),
    "tdnn-cgt": (*SPEAKER_HEAD, "terms.speaker.weight=0.1", "method.epsilon=100"),
}
RIVALS = tuple(name for name in OWN if name != BASELINE)
#: Where the leak is read and by which probe: the columns of a study's results. The first is what the hypotheses are
#: judged by.
LEAKS = {
    "leak_unheard_nonlinear": "unheard speakers, non-linear",
    "leak_unheard": "unheard speakers, linear",
    "leak_nonlinear": "training speakers, non-linear",
    "leak": "training speakers, linear",
}
#: The most that UA may fall without bias, and the p below which a difference is called one.
HARM, SIGNIFICANT = 0.02, 0.05


class Difference(NamedTuple):
    """A rival's mean leak minus the baseline's, over the same runs."""

    points: float
    low: float
    high: float
    p: float


class Row(NamedTuple):
    """A rival against the baseline at one bias; p is corrected over all biases and rivals, for each measure by itself.

    ``leaks`` has a difference for each of :data:`LEAKS`.
    """

    bias: float
    name: str
    ua: Comparison
    p: float
    leaks: dict[str, Difference]


def run_studies(folder: Path, workers: int | None) -> None:
    """Corpora and studies, each where it is missing or not finished."""
    for bias in BIASES:
        corpus = folder / f"corpus-{bias:g}"
        if not (corpus / "manifest.csv").is_file():
            synthesize(
                corpus, speakers=SPEAKERS, utterances=UTTERANCES, bias=bias, languages=LANGUAGES, seed=GENERATOR_SEED
            )
        recipes = [Recipe.load(name, [*SHARED, *own]) for name, own in OWN.items()]
        unheard.study(
            recipes,
            corpus / "manifest.csv",
            folder / f"study-{bias:g}",
            protocol=PROTOCOL,
            seeds=SEEDS,
            baseline=BASELINE,
            workers=workers,
            cache=folder / "features",
        )


def leak_difference(data: StudyData, name: str, column: str, baseline: str = BASELINE) -> Difference:
    """Paired over runs (a fold with a seed): bootstrap interval, and a test that swaps the two recipes' runs.

    Runs of one fold share their speakers, so this says what other trainings would do, not what other speakers would.
    """
    values = data.results.pivot(index=["fold", "seed"], columns="recipe", values=column)
    each = (values[name] - values[baseline]).to_numpy(dtype=np.float64)
    mean = float(each.mean())
    low, high = percentile_interval(speaker_draws(len(each)) @ each / len(each))
    signs = generator(0, "permutation test of the leak over runs").choice((-1, 1), size=(10_000, len(each)))
    hits = int((np.abs(signs @ each / len(each)) >= abs(mean) - 1e-10).sum())
    return Difference(mean, low, high, (1 + hits) / (1 + len(signs)))


def compared(found: dict[float, StudyData]) -> list[Row]:
    """Every rival at every bias against the baseline."""
    pairs = [(bias, name) for bias in found for name in RIVALS]
    ua = [compare(found[bias].of(BASELINE), found[bias].of(name)) for bias, name in pairs]
    p = holm([one.p_value for one in ua])
    by_leak = []
    for column in LEAKS:
        differences = [leak_difference(found[bias], name, column) for bias, name in pairs]
        corrected = holm([one.p for one in differences])
        by_leak.append([one._replace(p=value) for one, value in zip(differences, corrected, strict=True)])
    return [
        Row(*pair, ua[index], p[index], {column: rows[index] for column, rows in zip(LEAKS, by_leak, strict=True)})
        for index, pair in enumerate(pairs)
    ]


def verdicts(rows: list[Row]) -> Iterator[str]:
    """What the plan's hypotheses come to."""
    primary = next(iter(LEAKS))
    for row in rows:
        if row.name == "tdnn-mtl":
            continue
        ua, leak = row.ua.difference, row.leaks[primary]
        if row.bias == 0:
            clean = "no harm" if abs(ua) <= HARM else "a gain" if ua > 0 else "harm"
            sure = "excludes" if row.ua.low > -HARM else "does not exclude"
            words = f"{clean} ({points(ua)} points of UA; the interval {sure} a loss of two)"
        else:
            better = told(ua > 0, row.p, "UA raised", "UA lowered", "UA: no difference beyond chance")
            lower = told(leak.points < 0, leak.p, "leak lowered", "leak raised", "leak: no difference beyond chance")
            words = f"{better}; {lower}"
        yield f"- bias {row.bias:g}, `{row.name}`: {words}"


def told(wanted: bool, p: float, yes: str, no: str, neither: str) -> str:
    """A difference in words."""
    return neither if p >= SIGNIFICANT else yes if wanted else no


def measured(found: dict[float, StudyData]) -> str:
    """What is written below the plan."""
    rows = compared(found)
    ua = [["bias", "recipe", "UA, points", "95 %", "p (Holm)", "p over speakers", "p over runs"]]
    leak = [["bias", "recipe", "on, probe", "leak, points", "95 %", "p (Holm)"]]
    for row in rows:
        head = [f"{row.bias:g}", f"`{row.name}`"]
        luck = map(probability, (row.p, row.ua.p_speakers, row.ua.p_runs))
        ua.append([*head, points(row.ua.difference), f"{points(row.ua.low)} to {points(row.ua.high)}", *luck])
        for column, one in row.leaks.items():
            between = f"{points(one.low)} to {points(one.high)}"
            leak.append([*head, LEAKS[column], points(one.points), between, probability(one.p)])
    machines = {words: None for data in found.values() for words in map(machine_words, data.results["machine"])}
    lines = [
        "## What came out",
        "",
        *verdicts(rows),
        "",
        *(f"- machine: {words}" for words in machines),
        "",
        f"### UA against `{BASELINE}`",
        "",
        *markdown(ua),
        "",
        f"### The leak against `{BASELINE}`",
        "",
        *markdown(leak),
    ]
    for bias, data in found.items():
        lines += [
            "",
            f"### Bias {bias:g}",
            "",
            f"{data.audit.verdict}; corpus hash {data.plan.corpus.hash}.",
            "",
            *scores(data),
            "",
            *leaks(data),
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing, then write the page."""
    folder = Path(sys.argv[1])
    run_studies(folder, int(sys.argv[2]) if len(sys.argv) > 2 else None)
    plan = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    found = {bias: read_study(folder / f"study-{bias:g}") for bias in BIASES}
    PAGE.write_text(f"{plan}{MARK}\n\n{measured(found)}", encoding="utf-8")


if __name__ == "__main__":
    main()
