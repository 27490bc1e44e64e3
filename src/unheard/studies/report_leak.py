"""A part of a report: the leak, how well a probe still reads the speaker from what the emotion is read from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from unheard.studies.report_data import StudyData
from unheard.studies.report_plots import BLUE, GREEN, GREY, ORANGE, grouped_bars
from unheard.studies.report_tables import Section, grid, paragraph, percent, table

#: Accuracies closer than this are called the same.
SAME = 0.02

_SPEAKERS = {"leak": "training speakers", "leak_unheard": "unheard speakers"}
_COLUMNS = {"": "probe", "_raw": "raw features", "_emotion": "emotion label alone", "_chance": "chance"}


@dataclass(frozen=True)
class MeanLeak:
    """The leak of a recipe, mean over its runs; what was not measured is NaN."""

    probe: float
    raw: float
    emotion: float
    chance: float
    speakers: float

    @property
    def words(self) -> str:
        """How much the embedding tells of the speaker."""
        if math.isnan(self.probe):
            return "not measured"
        if self.probe <= self.chance + SAME:
            return "nothing beyond chance"
        if self.probe <= self.emotion + SAME:
            return "no more than the emotion"
        if self.probe < self.raw - SAME:
            return "less than the raw features"
        if self.probe <= self.raw + SAME:
            return "as much as the raw features"
        return "more than the raw features"


def mean_leak(data: StudyData, name: str, prefix: str = "leak") -> MeanLeak:
    """The leak of a recipe on its training speakers (``leak``) or on speakers it never heard (``leak_unheard``)."""
    results = data.results_of(name)

    def mean(column: str) -> float:
        return float(results[column].astype("float64").mean()) if column in results else math.nan

    return MeanLeak(*(mean(f"{prefix}{suffix}") for suffix in (*_COLUMNS, "_speakers")))


def leak_part(data: StudyData) -> Section:
    """The leak of every recipe, on training and on unheard speakers, beside what it is measured against."""
    blocks, plots = [], []
    for prefix, speakers in _SPEAKERS.items():
        leaks = {name: mean_leak(data, name, prefix) for name in data.names}
        if all(math.isnan(leak.probe) for leak in leaks.values()):
            blocks.append(paragraph(f"On {speakers} it was not measured: fewer than two had five utterances.", "note"))
            continue
        rows = [
            [name, *map(percent, (leak.probe, leak.raw, leak.emotion, leak.chance)), _number(leak.speakers), leak.words]
            for name, leak in leaks.items()
        ]
        head = ["recipe", *(f"{column}, %" for column in _COLUMNS.values()), "speakers", "tells of the speaker"]
        blocks.append(table(head, rows, f"On {speakers}, mean over runs."))
        figures = pd.DataFrame(
            [[leak.probe, leak.raw, leak.emotion, leak.chance] for leak in leaks.values()],
            index=list(leaks),
            columns=list(_COLUMNS.values()),
        )
        plots.append(grouped_bars(f"Speaker told, {speakers}", figures, (BLUE, ORANGE, GREEN, GREY), prefix))
    meaning = paragraph(
        "How often a linear probe names the right speaker from the embedding, the vector the emotion is read from: "
        "the closer to chance, the less a recipe builds on who speaks."
    )
    reading = paragraph(
        "Read the probe against the three figures beside it: the same probe on the front end's raw features (mean and "
        "standard deviation over time) is what there was to unlearn; guessing the speaker from the emotion label alone "
        "is what any embedding of emotion must tell; chance is always naming the most frequent speaker. All are "
        "accuracies over the same utterances, five-fold cross-validated. The embedding of a classical model is its "
        "features.",
        "note",
    )
    return Section("leak", "The leak", Markup("").join([meaning, grid(plots), *blocks, reading]))


def _number(count: float) -> str:
    return "–" if math.isnan(count) else f"{count:.0f}" if count == round(count) else f"{count:.1f}"
