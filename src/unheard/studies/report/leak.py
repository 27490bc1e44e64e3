"""A part of a report: the leak, how well a probe still reads the speaker from what the emotion is read from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass

import pandas as pd
from markupsafe import Markup

from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import BLUE, GREEN, GREY, ORANGE, SAND, SKY, grouped_bars
from unheard.studies.report.tables import Section, grid, paragraph, percent, table

#: Accuracies closer than this are called the same.
SAME = 0.02

#: Whom the leak is measured on, by the beginning of the columns' names.
SETS = {"leak": "training speakers", "leak_unheard": "unheard speakers", "leak_fixed": "fixed set of speakers"}
#: The accuracies, by the end of the columns' names.
COLUMNS = {
    "": "linear",
    "_nonlinear": "non-linear",
    "_raw": "raw, linear",
    "_raw_nonlinear": "raw, non-linear",
    "_emotion": "emotion label",
    "_chance": "chance",
}
_COLOURS = (BLUE, SKY, ORANGE, SAND, GREEN, GREY)


@dataclass(frozen=True)
class MeanLeak:
    """The leak of a recipe, mean over its runs; what was not measured is NaN."""

    probe: float
    nonlinear: float
    raw: float
    raw_nonlinear: float
    emotion: float
    chance: float
    speakers: float

    @property
    def accuracies(self) -> tuple[float, ...]:
        """All but the number of speakers."""
        return astuple(self)[:-1]

    @property
    def words(self) -> str:
        """How much the embedding tells, by the probe that reads more of it."""
        told, raw = (max(pair, key=_known) for pair in ((self.probe, self.nonlinear), (self.raw, self.raw_nonlinear)))
        if math.isnan(told):
            return "not measured"
        if told <= self.chance + SAME:
            return "nothing beyond chance"
        if told <= self.emotion + SAME:
            return "no more than the emotion"
        if told < raw - SAME:
            return "less than raw"
        if told <= raw + SAME:
            return "as much as raw"
        return "more than raw"


def _known(value: float) -> float:
    return -1.0 if math.isnan(value) else value


def mean_leak(data: StudyData, name: str, prefix: str = "leak") -> MeanLeak:
    """The leak of a recipe, by the beginning of its columns' names (:data:`SETS`, ``_gender`` behind it for gender).

    Over the runs in which it was measured. A figure that one of these lacks (by an older version) is left out.
    """
    results = data.results_of(name)
    measured = results[results[prefix].notna()] if prefix in results else results.iloc[:0]

    def mean(column: str) -> float:
        values = measured[column].astype("float64") if column in measured else pd.Series(dtype="float64")
        return float(values.mean(skipna=False)) if len(values) else math.nan

    return MeanLeak(*(mean(f"{prefix}{suffix}") for suffix in (*COLUMNS, "_speakers")))


def leak_part(data: StudyData) -> Section:
    """The leak of every recipe, on training and on unheard speakers, beside what it is measured against."""
    leaks, genders = _measured(data, ""), _measured(data, "_gender")
    plots = [_bars(found, prefix) for prefix, found in leaks.items()]
    unmeasured = [
        paragraph(f"On {SETS[prefix]} it was not measured: fewer than two had five utterances.", "note")
        for prefix in ("leak", "leak_unheard")
        if prefix not in leaks
    ]
    meaning = paragraph(
        "How often a probe names the right speaker from the embedding, the vector the emotion is read from: the closer "
        "to chance, the less a recipe builds on who speaks."
    )
    reading = paragraph(
        "Two probes: a linear one (logistic regression), and a network with one hidden layer of 64 units, which also "
        "reads what no straight line parts. Read them against what stands beside them: what the same probes tell from "
        "the front end's raw features (mean and standard deviation over time) is what there was to unlearn; naming the "
        "speaker from the emotion label alone is what any embedding of emotion must tell; chance is always naming the "
        "most frequent speaker. All are accuracies over the same utterances, cross-validated over the same five parts. "
        "The embedding of a classical model is its features. The words are those of the probe that reads more.",
        "note",
    )
    body = [meaning, grid(plots), _table(leaks, "speaker"), *unmeasured, reading]
    if genders:
        note = (
            "The probes for the gender are judged by speakers that they were not fitted on, or else they would only "
            "have to know the speakers again; that takes two speakers of each gender."
        )
        body += [_table(genders, "gender"), paragraph(note, "note")]
    return Section("leak", "The leak", Markup("").join(body))


def _measured(data: StudyData, suffix: str) -> dict[str, dict[str, MeanLeak]]:
    """The leak by the set of speakers and the recipe, for the sets that any recipe was measured on."""
    found = {prefix: {name: mean_leak(data, name, prefix + suffix) for name in data.names} for prefix in SETS}
    return {
        prefix: leaks for prefix, leaks in found.items() if not all(math.isnan(leak.probe) for leak in leaks.values())
    }


def _bars(leaks: Mapping[str, MeanLeak], prefix: str) -> Markup:
    figures = pd.DataFrame([leak.accuracies for leak in leaks.values()], list(leaks), list(COLUMNS.values()))
    colours = dict(zip(figures, _COLOURS, strict=True))
    known = figures.dropna(axis="columns", how="all")
    return grouped_bars(f"Speaker told, {SETS[prefix]}", known, [colours[column] for column in known], prefix)


def _table(found: Mapping[str, Mapping[str, MeanLeak]], what: str) -> Markup:
    rows: list[list[str | Markup]] = [
        [
            Markup("{} <small>{}</small>").format(name, SETS[prefix]),
            *map(percent, leak.accuracies),
            _number(leak.speakers),
            leak.words,
        ]
        for prefix, leaks in found.items()
        for name, leak in leaks.items()
    ]
    head = ["recipe", *COLUMNS.values(), "speakers", f"tells of the {what}"]
    return table(head, rows, f"How often the {what} is told, in %: mean over runs.") if rows else Markup("")


def _number(count: float) -> str:
    return "–" if math.isnan(count) else f"{count:.0f}" if count == round(count) else f"{count:.1f}"
