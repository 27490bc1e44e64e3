"""A part of a report: the deep feature, how tight classes lie in it, and how far apart the genders."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
from unheard.seeds import generator
from unheard.studies.inside import DEEP_FEATURES, read_deep_features
from unheard.studies.plan import Run
from unheard.studies.report.data import Pair, StudyData
from unheard.studies.report.plots import scatter
from unheard.studies.report.projection import MOST_POINTS
from unheard.studies.report.tables import NONE, Section, grid, paragraph, table


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
    pair = data.projected or min(data.shown, key=lambda pair: pair[::-1])
    plots, distances = [], []
    for index, name in enumerate(data.names):
        runs = data.runs(name)
        kept = {(run.fold, run.seed): deep for run in runs if (deep := _read(data, run)) is not None}
        if not (found := [deep.distances for deep in kept.values() if deep.distances]):
            continue
        drawn, plane = _pictures(name, index, kept.get(pair), pair)
        plots += drawn
        distances.append((name, found, plane))
    body = [
        paragraph(
            "The deep feature is what one last layer tells the emotion from: the last hidden layer of the emotion's "
            "term, or the embedding itself where that term has none."
        ),
        _scatters(data),
        paragraph(
            "tr(S_w) / tr(S_b), the squared distances of utterances from the centroid of their class over those of the "
            "centroids from the common mean: the lower, the tighter the classes lie, whatever the scale. Median over "
            "runs, lowest and highest in brackets: a run that tells nothing apart has a ratio without bounds. A center "
            "loss should lower it, on new speakers too.",
            "note",
        ),
    ]
    if distances:
        body += [grid(plots), _distances(distances), paragraph(_reading(pair), "note")]
    return Section("deep", "The deep feature", Markup("").join(body))


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
    rows = []
    for name in data.names:
        results = data.results_of(name)
        values = [results[column].dropna().astype("float64").to_numpy() for column in ("dev_scatter", "scatter")]
        if any(map(len, values)):
            rows.append([name, *map(_middle, values)])
    return table(["recipe", "dev", "test"], rows, "Within-class over between-class scatter of the emotions.")


def _pictures(name: str, index: int, deep: _Deep | None, pair: Pair) -> tuple[list[Markup], dict[str, Distance]]:
    """A picture for each gender, all in one plane, and the distances in that plane."""
    if deep is None:
        return [], {}
    shown = np.sort(generator(pair[1], "points of the deep feature").permutation(len(deep.table))[:MOST_POINTS])
    points = project(deep.values[shown], pair[1])
    if points is None:
        return [], {}
    drawn = deep.table.iloc[shown]
    emotions = sorted(drawn["emotion"].dropna().unique())
    plots = []
    for gender in sorted(drawn["gender"].dropna().unique()):
        groups = [
            emotion if of == gender else None for emotion, of in zip(drawn["emotion"], drawn["gender"], strict=True)
        ]
        plots.append(scatter(f"{name}, {gender}", points, groups, emotions, f"{gender}-deep{index}", centroids=True))
    return plots, group_distances(points, drawn["emotion"], drawn["gender"])


def _distances(found: Sequence[tuple[str, Sequence[Mapping[str, Distance]], Mapping[str, Distance]]]) -> Markup:
    emotions = sorted({emotion for _, runs, plane in found for one in (*runs, plane) for emotion in one})
    rows: list[list[str | Markup]] = []
    for name, runs, plane in found:
        of = {emotion: [run[emotion] for run in runs if emotion in run] for emotion in emotions}
        lines = {
            "feature": {emotion: _mean([one.between for one in of[emotion]]) for emotion in emotions},
            "in spreads": {
                emotion: _mean([one.between / one.spread for one in of[emotion] if one.spread > 0])
                for emotion in emotions
            },
            "plane": {emotion: plane[emotion].between if emotion in plane else math.nan for emotion in emotions},
        }
        for words, line in lines.items():
            cells = [_number(line[emotion]) for emotion in emotions]
            rows.append([Markup("{} <small>{}</small>").format(name, words), *cells])
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


def _number(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.2f}"
