"""A part of a report: how well the further terms of a recipe tell what they are about."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from unheard.methods import TERMS
from unheard.methods.classification import Classification
from unheard.recipe import Recipe, Stage
from unheard.studies.report.data import StudyData
from unheard.studies.report.tables import Section, paragraph, percent, table


def term_part(data: StudyData) -> Section | None:
    """WA and UA of every classification term besides the emotion's, on dev and test, and of stages; mean over runs."""
    recipes = [recipe for recipe in data.plan.recipes if recipe.name in data.names]
    rows = [
        [f"{recipe.name}: {term}", _aim(recipe, term), *_scores(data.results_of(recipe.name), term)]
        for recipe in recipes
        for term in recipe.terms
        if f"term_{term}_wa" in data.results
    ]
    stages = _stages(data, recipes)
    if not rows and not stages:
        return None
    note = (
        "Mean over runs, on the utterances whose value was known in training: a new speaker's name is not, so a term "
        "for speakers has no score where all are new. A head that is unlearned is fooled on purpose and says little of "
        "what the embedding still holds; the leak asks a fresh probe."
    )
    head = ["recipe: term", "column", "dev WA, %", "dev UA, %", "test WA, %", "test UA, %"]
    body = [table(head, rows) + paragraph(note, "note") if rows else "", stages]
    return Section("terms", "What further terms tell", Markup("").join(body))


def _stages(data: StudyData, recipes: Sequence[Recipe]) -> Markup:
    """How well stages told the classes of what they did not learn from."""
    rows = [
        [f"{recipe.name}: {stage.name}", _judged(recipe, stage), *(percent(mean) for mean in means)]
        for recipe in recipes
        for stage in recipe.stages
        if not all(map(math.isnan, means := _means(data.results_of(recipe.name), stage)))
    ]
    caption = (
        "Stages, on pieces that they did not learn from: the last of every utterance that has two or more, or one in "
        "twenty; mean over runs."
    )
    return table(["recipe: stage", "column", "WA, %", "UA, %"], rows, caption) if rows else Markup("")


def _judged(recipe: Recipe, stage: Stage) -> str:
    terms = recipe.of_stage(stage).terms.values()
    return next(str(term.settings["column"]) for term in terms if issubclass(TERMS[term.kind], Classification))


def _means(results: pd.DataFrame, stage: Stage) -> list[float]:
    columns = [f"stage_{stage.name}_{score}" for score in ("wa", "ua")]
    return [float(results[column].mean()) if column in results else math.nan for column in columns]


def _aim(recipe: Recipe, term: str) -> str:
    settings = recipe.terms[term].settings
    column = str(settings["column"])
    if settings.get("weight") == 0:
        return f"{column}, weight 0"
    return f"{column}, unlearned" if settings.get("reverse") else f"{column}, learned"


def _scores(results: pd.DataFrame, term: str) -> list[str]:
    columns = (f"{prefix}term_{term}_{score}" for prefix in ("dev_", "") for score in ("wa", "ua"))
    return [
        percent(pd.to_numeric(results[column]).mean()) if column in results else percent(None) for column in columns
    ]
