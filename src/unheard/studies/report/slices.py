"""Parts of a report: what is taken for what, and for whom it works."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from unheard.metrics.classification import Spread, averaged_confusion
from unheard.metrics.predictions import grouped_counts, scores, spread_over
from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import speaker_bars
from unheard.studies.report.tables import Section, grid, heat_map, paragraph, percent, spread, table

#: The columns by which results are sliced, where they have two values or more, but no more than these.
SLICES, MOST_VALUES = ("gender", "style", "language", "corpus", "session"), 12


def confusion_part(data: StudyData) -> Section:
    """A confusion matrix for each recipe, averaged over folds and seeds."""
    matrices = []
    for name in data.names:
        each = data.of(name).drop_duplicates(["id", "fold"])["emotion"].value_counts()
        shares = mean_confusion(data, name)
        title = Markup("{} <small>diagonal {} %</small>").format(name, percent(float(np.nanmean(np.diagonal(shares)))))
        matrices.append(heat_map(title, data.classes, shares, [int(each.get(one, 0)) for one in data.classes]))
    note = paragraph(
        "Rows are what was meant, columns what was recognised, in % of the row, averaged over folds: the mean over "
        "runs of each run's matrix. A class counts in the runs that test it. Small, the number of its utterances, and "
        "the mean of the diagonal, which is the fold mean of UA where every run tests every class.",
        "note",
    )
    return Section("confusions", "What is taken for what", grid(matrices) + note)


def mean_confusion(data: StudyData, name: str) -> NDArray[np.float64]:
    """The mean over the runs of a recipe of each run's confusion matrix, rows that sum to one, [classes, classes]."""
    return averaged_confusion(grouped_counts(data.of(name), ("seed", "fold"), data.classes)[1])


def speaker_part(data: StudyData) -> Section:
    """Accuracy of each speaker, and scores by gender and by what else the corpus names."""
    plots, rows = [], []
    for index, name in enumerate(data.names):
        predictions = data.of(name)
        found = spread_over(scores(predictions, "seed", "speaker"), "seed").set_index("speaker")["wa"]
        wa = spread_over(scores(predictions, "seed"), "seed")["wa"].iloc[0]
        plots.append(speaker_bars(name, found, _genders(data), wa, f"speakers{index}"))
        lowest, highest = found.idxmin(), found.idxmax()
        rows.append(
            [
                name,
                percent(found.mean()),
                percent(float(np.std(found))),
                f"{percent(found.min())} ({lowest})",
                f"{percent(found.max())} ({highest})",
            ]
        )
    speakers = table(
        ["recipe", "mean over speakers, %", "sd, points", "lowest, %", "highest, %"],
        rows,
        "Share of each speaker's utterances that were right, mean over seeds.",
    )
    slices = [_slice(data, column) for column in SLICES if _sliced(data, column)]
    return Section("speakers", "For whom it works", Markup("").join([grid(plots), speakers, *slices]))


def _genders(data: StudyData) -> dict[str, str]:
    table = data.plan.corpus.table
    if "gender" not in table:
        return {}
    known = table.dropna(subset=["speaker", "gender"]).drop_duplicates("speaker")
    return dict(zip(known["speaker"].astype(str), known["gender"].astype(str), strict=True))


def _sliced(data: StudyData, column: str) -> bool:
    return column in data.predictions and 2 <= data.predictions[column].nunique() <= MOST_VALUES


def _slice(data: StudyData, column: str) -> Markup:
    """A row for each value and score, a column for each recipe."""
    found = {
        name: spread_over(scores(data.of(name), "seed", column).drop(columns="n"), "seed").set_index(column)
        for name in data.names
    }
    counts = data.of(data.names[0]).drop_duplicates(["id", "fold"])[column].value_counts().sort_index()
    rows: list[list[str | Markup]] = [
        [
            Markup("{} <small>{}</small>").format(value, score.upper()),
            f"{count:,}",
            *(_score(table, value, score, data.even) for table in found.values()),
        ]
        for value, count in zip(counts.index.astype(str), counts, strict=True)
        for score in ("ua", "wa")
    ]
    caption = f"By {column}, %: pooled over folds, mean ± standard deviation over seeds."
    return table([column, "utterances", *data.names], rows, caption)


def _score(found: pd.DataFrame, value: str, score: str, even: bool) -> str:
    if value not in found.index:
        return "–"
    sd = found[f"{score}_sd"][value] if even and found["repeats"][value] > 1 else np.nan
    return spread(Spread(found[score][value], sd))
