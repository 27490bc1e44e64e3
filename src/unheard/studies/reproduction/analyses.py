"""What a paper gives about its rows besides their scores: confusions, distances between genders, the gender told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from unheard.papers.paper import Paper, PaperStudy, published_results
from unheard.recipe import Recipe
from unheard.studies.report.data import StudyData
from unheard.studies.report.deep import gender_distances
from unheard.studies.report.slices import mean_confusion

#: How the metrics of ``results.csv`` begin that are known here. Distances are as they are, the others in per cent.
CONFUSION, DISTANCE, TOLD = "confusion_", "gender_distance_", "gender_accuracy"


@dataclass(frozen=True)
class Analysis:
    """A published number that is no score of a row, and what came out here.

    Attributes:
        table: the table, figure or section of the paper.
        row: as the paper calls it.
        recipe: that stands for it.
        metric: see ``papers/results.csv``.
        published: what the paper gives, in the unit of the metric.
        ours: the same here by how it was measured; without what could not be.
    """

    table: str
    row: str
    recipe: str
    metric: str
    published: float
    ours: Mapping[str, float]


def analyses(data: StudyData, paper: Paper, study: PaperStudy) -> Iterator[Analysis]:
    """Every number of the further tables of a study about rows that have a recipe."""
    recipes = {recipe.name: recipe for recipe in data.plan.recipes if recipe.name in data.names}
    ours = {row: _ours(data, recipes[name]) for row, name in study.rows.items() if name in recipes}
    for table in study.analyses:
        published = published_results(paper.name, table)
        for row, metric, value in published[["row", "metric", "value"]].itertuples(index=False):
            if row in study.rows:
                measured = ours.get(row, {}).get(metric, {})
                yield Analysis(table, row, study.rows[row], metric, float(value), measured)


def _ours(data: StudyData, recipe: Recipe) -> dict[str, dict[str, float]]:
    """By metric and by how it was measured."""
    shares = mean_confusion(data, recipe.name)
    found = {
        f"{CONFUSION}{meant}_{taken}": {"test": 100 * float(share)}
        for meant, line in zip(data.classes, shares, strict=True)
        for taken, share in zip(data.classes, line, strict=True)
        if not math.isnan(share)
    }
    for how, distances in gender_distances(data, recipe.name).items():
        for emotion, distance in distances.items():
            found.setdefault(f"{DISTANCE}{emotion}", {})[how] = distance
    results = data.results_of(recipe.name)
    for name, term in recipe.terms.items():
        if term.kind == "classification" and term.settings["column"] == "gender":
            columns = {"dev": f"dev_term_{name}_wa", "test": f"term_{name}_wa"}
            means = {how: pd.to_numeric(results[column]).mean() for how, column in columns.items() if column in results}
            found[TOLD] = {how: 100 * float(mean) for how, mean in means.items() if not math.isnan(mean)}
    return found
