"""Parts of a report: what is taken for what, and for whom it works."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from unheard.metrics.classification import Spread, averaged_confusion
from unheard.metrics.predictions import grouped_counts, scores, spread_over
from unheard.study.report_data import StudyData
from unheard.study.report_plots import speaker_bars
from unheard.study.report_tables import Section, grid, heat_map, paragraph, percent, spread, table

#: The columns by which results are sliced, where they have two values or more, but no more than these.
SLICES, MOST_VALUES = ("gender", "style", "language", "corpus", "session"), 12


def confusion_part(data: StudyData) -> Section:
    """A confusion matrix for each recipe."""
    matrices = []
    for name in data.names:
        _, counts = grouped_counts(data.of(name), ("seed", "fold"), data.classes)
        each = data.of(name).drop_duplicates(["id", "fold"])["emotion"].value_counts()
        matrices.append(
            heat_map(name, data.classes, averaged_confusion(counts), [int(each.get(one, 0)) for one in data.classes])
        )
    note = paragraph(
        "Rows are what was meant, columns what was recognised, in % of the row: the mean over runs of each run's "
        "matrix. A class counts in the runs that test it. Small, the number of its utterances.",
        "note",
    )
    return Section("confusions", "What is taken for what", grid(matrices) + note)


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
    rows = []
    for name in data.names:
        predictions = data.of(name)
        counts = predictions.drop_duplicates(["id", "fold"])[column].value_counts()
        found = spread_over(scores(predictions, "seed", column).drop(columns="n"), "seed")
        for value, repeats, wa, wa_sd, ua, ua_sd in found[[column, "repeats", "wa", "wa_sd", "ua", "ua_sd"]].itertuples(
            index=False
        ):
            several = data.even and repeats > 1
            rows.append(
                [
                    name,
                    str(value),
                    f"{counts[value]:,}",
                    spread(Spread(ua, ua_sd if several else np.nan)),
                    spread(Spread(wa, wa_sd if several else np.nan)),
                ]
            )
    caption = f"By {column}: pooled over folds, mean ± standard deviation over seeds."
    return table(["recipe", column, "utterances", "UA, %", "WA, %"], rows, caption)
