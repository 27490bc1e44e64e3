"""A part of a report: the deep feature, how tight classes lie in it, and how far apart the genders."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from unheard.errors import InputError
from unheard.evaluation.projection import project
from unheard.evaluation.scatter import Distance, group_distances
from unheard.metrics.intervals import Interval
from unheard.seeds import generator
from unheard.studies.inside import DEEP_FEATURES, read_deep_features
from unheard.studies.plan import Run
from unheard.studies.report.data import Pair, StudyData
from unheard.studies.report.paired import change
from unheard.studies.report.plots import scatter
from unheard.studies.report.projection import MOST_POINTS
from unheard.studies.report.tables import NONE, Section, grid, paragraph, points, table


@dataclass(frozen=True)
class _Deep:
    """What one run kept: the utterances, and the values [utterances, width]."""

    table: pd.DataFrame
    values: NDArray[np.float32]

    @property
    def distances(self) -> dict[str, Distance]:
        """How far apart the genders lie in each emotion; empty where there are not two."""
        if "gender" not in self.table:
            return {}
        return group_distances(self.values, self.table["emotion"], self.table["gender"])


def deep_part(data: StudyData) -> Section | None:
    """Scatter of the classes, and the genders within them, for every recipe with a network."""
    if "scatter" not in data.results:
        return None
    distances = {name: found for name in data.names if (found := gender_distances(data, name))}
    body = [
        paragraph(
            "The deep feature is what one last layer tells the emotion from: the last hidden layer of the emotion's "
            "term, or the embedding itself where that term has none."
        ),
        _scatters(data),
        paragraph(_reading_of_scatter(data), "note"),
    ]
    if distances:
        plots = [plot for index, name in enumerate(distances) for plot in _plots(data, name, index)]
        body += [grid(plots), _distances(distances), paragraph(_reading(data.projected), "note")]
    return Section("deep", "The deep feature", Markup("").join(body))


def gender_distances(data: StudyData, name: str) -> dict[str, dict[str, float]]:
    """How far apart the genders lie in each emotion, by how it is measured; empty where nothing holds two genders.

    ``feature`` is the L2 distance of their centroids in the deep feature, mean over runs, ``in spreads`` the same by
    the spread within gender and emotion, ``plane`` that in the picture of the one run that is drawn.
    """
    kept = [deep for run in data.runs(name) if (deep := _read(data, run)) is not None]
    runs = [deep.distances for deep in kept if deep.distances]
    if not runs:
        return {}
    drawn = _drawn(data, name)
    plane = group_distances(drawn.values, drawn.table["emotion"], drawn.table["gender"]) if drawn else {}
    emotions = sorted({emotion for one in (*runs, plane) for emotion in one})
    of = {emotion: [run[emotion] for run in runs if emotion in run] for emotion in emotions}
    return {
        "feature": {emotion: _mean([one.between for one in of[emotion]]) for emotion in emotions},
        "in spreads": {
            emotion: _mean([one.between / one.spread for one in of[emotion] if one.spread > 0]) for emotion in emotions
        },
        "plane": {emotion: plane[emotion].between if emotion in plane else math.nan for emotion in emotions},
    }


def scatter_changes(data: StudyData) -> dict[str, Interval]:
    """How much larger the test scatter of each recipe is than the baseline's, as a share of it: −0.3 is 30 % less.

    Of the same folds and seeds. It is a geometric mean over runs, since one that tells nothing apart has a scatter
    without bounds; the interval is Student's over folds, each with the mean of its seeds; of one fold there is none.
    """
    others = [name for name in data.names if name != data.baseline and data.baseline in data.names]
    found = {name: change(data, "scatter", name, data.baseline) for name in others}
    return {name: apart for name, apart in found.items() if apart is not None}


def change_words(apart: Interval) -> str:
    """A change in per cent, and its interval where there is one."""
    ends = "" if math.isnan(apart.low) else f" [{points(apart.low)}, {points(apart.high)}]"
    return f"{points(apart.estimate)} %{ends}"


def _read(data: StudyData, run: Run) -> _Deep | None:
    kept = read_deep_features(run.folder(data.study))
    if not kept:
        return None
    corpus, fold = data.plan.fold(run.fold)
    rows = np.concatenate([{"train": fold.train, "dev": fold.dev, "test": fold.test}[part] for part in kept])
    values = np.concatenate(list(kept.values()))
    if len(rows) != len(values):
        raise InputError(
            f"{run.folder(data.study) / DEEP_FEATURES}: it holds {len(values)} deep features, and fold {run.fold} has "
            f"{len(rows)} utterances in {' and '.join(kept)}; delete it, and the report does without it"
        )
    return _Deep(corpus.table.iloc[rows].reset_index(drop=True), values)


def _scatters(data: StudyData) -> Markup:
    rows, changes = [], scatter_changes(data)
    for name in data.names:
        results = data.results_of(name)
        values = [results[column].dropna().astype("float64").to_numpy() for column in ("dev_scatter", "scatter")]
        if any(map(len, values)):
            against = [change_words(changes[name]) if name in changes else NONE] if changes else []
            rows.append([name, *map(_middle, values), *against])
    head = ["recipe", "dev", "test", *([f"test, against {data.baseline}"] if changes else [])]
    return table(head, rows, "Within-class over between-class scatter of the emotions.")


def _reading_of_scatter(data: StudyData) -> str:
    paired = (
        " Against the baseline: the geometric mean of the ratios of runs with the same fold and seed, in per cent more "
        "or less, and its 95 % interval over folds (Student's; folds share training speakers, so it is rather narrow)."
    )
    return (
        "tr(S_w) / tr(S_b), the squared distances of utterances from the centroid of their class over those of the "
        "centroids from the common mean: the lower, the tighter the classes lie, whatever the scale. Median over runs, "
        "lowest and highest in brackets: a run that tells nothing apart has a ratio without bounds. A center loss "
        f"should lower it, on new speakers too.{paired if scatter_changes(data) else ''}"
    )


def _drawn(data: StudyData, name: str) -> _Deep | None:
    """The points of the picture in the plane; None where there is nothing to see."""
    pair = data.projected
    deep = next((_read(data, run) for run in data.runs(name) if (run.fold, run.seed) == pair), None)
    if deep is None:
        return None
    shown = np.sort(generator(pair[1], "points of the deep feature").permutation(len(deep.table))[:MOST_POINTS])
    if name not in data.planes:
        data.planes[name] = project(deep.values[shown], pair[1])
    plane = data.planes[name]
    return None if plane is None else _Deep(deep.table.iloc[shown], plane)


def _plots(data: StudyData, name: str, index: int) -> Iterator[Markup]:
    """A picture for each gender, all in one plane."""
    drawn = _drawn(data, name)
    if drawn is None:
        return
    emotions = sorted(drawn.table["emotion"].dropna().unique())
    for gender in sorted(drawn.table["gender"].dropna().unique()):
        groups = [
            emotion if of == gender else None
            for emotion, of in zip(drawn.table["emotion"], drawn.table["gender"], strict=True)
        ]
        yield scatter(f"{name}, {gender}", drawn.values, groups, emotions, f"{gender}-deep{index}", centroids=True)


def _distances(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Markup:
    emotions = sorted({emotion for measures in found.values() for line in measures.values() for emotion in line})
    rows: list[list[str | Markup]] = [
        [
            Markup("{} <small>{}</small>").format(name, words),
            *(distance_words(line.get(emotion, math.nan)) for emotion in emotions),
        ]
        for name, measures in found.items()
        for words, line in measures.items()
    ]
    return table(["recipe", *emotions], rows, "L2 distance between the genders' centroids of a class.")


def _reading(pair: Pair) -> str:
    return (
        f"Pictures: t-SNE of the deep feature of both genders together, fold {pair[0]}, seed {pair[1]}, one gender in "
        "colour and the other faint; large marks are the centroids of the classes (Fan et al. 2020, Figure 5). "
        "Distances: “feature” in the deep feature itself, mean over runs, in its own unit, which differs between "
        "recipes; “in spreads” the same by the root of the mean squared distance of the utterances from their own "
        "gender's centroid, which can be compared; “plane” between the centroids of the pictures, of that one run; the "
        "paper (Table 4) does not say which it means. Centroids of few utterances lie apart by chance alone. The "
        "utterances are those of dev and test, or, where these hold one gender only, all of the fold, those trained on "
        "included."
    )


def _middle(values: NDArray[Any]) -> str:
    if not len(values):
        return NONE
    ends = f" ({values.min():.2f}–{values.max():.2f})" if len(values) > 1 else ""
    return f"{np.median(values):.2f}{ends}"


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan


def distance_words(value: float) -> str:
    """A distance with two decimals."""
    return NONE if math.isnan(value) else f"{value:.2f}"
