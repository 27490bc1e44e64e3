"""A part of a report: accuracy over how many utterances of each emotion are learned from (Gat et al. 2022, 4.3)."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
from markupsafe import Markup

from unheard.metrics.curves import area_weights, low_resource_curve
from unheard.metrics.predictions import scores
from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import COLOURS, SETTINGS, plot, svg
from unheard.studies.report.tables import Section, grid, paragraph, percent, table

METRICS = ("ua", "wa")


def utterances_of_each(data: StudyData) -> dict[int, int]:
    """How many utterances of each emotion a fold trains on, for the folds shown of a protocol that limits that."""
    folds = data.plan.cut()
    shown = {fold: folds[fold - 1].of_each for fold, _ in sorted(data.shown)}
    return {fold: number for fold, number in shown.items() if number is not None}


def weighted(predictions: pd.DataFrame, sizes: dict[int, int]) -> pd.DataFrame:
    """The predictions with a ``weight`` that makes their WA the area under the curve of WA over ``sizes``.

    The area is a weighted mean of the curve's points, each of which is the WA of all predictions of one size.

    Args:
        predictions: with the column ``fold``.
        sizes: how many utterances of each emotion a fold trains on.
    """
    size = predictions["fold"].map(sizes)
    points = sorted(size.unique())
    share = dict(zip(points, area_weights(points), strict=True))
    return predictions.assign(weight=size.map(share) / size.map(size.value_counts()))


def low_resource_part(data: StudyData) -> Section | None:
    """UA and WA over the number of utterances, and the area under them; None where the folds do not differ in it."""
    sizes = utterances_of_each(data)
    points = sorted(set(sizes.values()))
    if len(points) < 2:
        return None
    plots, rows = [], []
    for metric in METRICS:
        means = {name: _means(data.of(name), sizes, metric) for name in data.names}
        plots.append(_plotted(metric, means))
        for name, curve in means.items():
            area = low_resource_curve(points, [[mean] for mean in curve])
            heights = (area.area_linear, area.area_log, area.plain_mean)
            rows.append([name, metric.upper(), *map(percent, curve), *map(percent, heights)])
    head = ["recipe", "", *map(str, points), "area", "area, log", "mean"]
    note = (
        "Each point is the mean over folds, draws and seeds. The area lies under the points joined by lines, divided "
        "by its range: over the number of utterances, over its logarithm, and the plain mean of the points. All in %."
    )
    caption = "Utterances of each emotion that are learned from."
    body = [grid(plots), table(head, rows, caption), paragraph(note, "note")]
    return Section("low-resource", "With few utterances to learn from", Markup("").join(body))


def _means(predictions: pd.DataFrame, sizes: dict[int, int], metric: str) -> pd.Series:
    """The mean score of the runs of each size."""
    found = scores(predictions, "fold", "seed")
    return found.groupby(found["fold"].map(sizes))[metric].mean()


def _plotted(metric: str, means: dict[str, pd.Series]) -> Markup:
    title = f"{metric.upper()} over utterances of each emotion"
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plot(2.7, title)
        for (name, curve), colour in zip(means.items(), COLOURS * (1 + len(means) // len(COLOURS)), strict=False):
            axes.plot(curve.index, 100 * curve, "o-", color=colour, linewidth=1.8, markersize=4.5, label=name)
        points = np.unique(np.concatenate([curve.index for curve in means.values()]))
        axes.set_xscale("log")
        axes.set_xticks(points, [str(point) for point in points])
        axes.minorticks_off()
        axes.set_xlabel("utterances of each emotion")
        axes.set_ylabel("%")
        axes.grid(axis="y")
        figure.legend(loc="outside lower left", ncols=3, columnspacing=1.2)
        return svg(figure, f"few-{metric}", f"{title}, a line for each recipe, in per cent")
