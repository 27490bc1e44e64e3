"""A part of a report: how well the further terms of a recipe tell what they are about."""

from __future__ import annotations

import pandas as pd

from unheard.recipe import Recipe
from unheard.studies.report.data import StudyData
from unheard.studies.report.tables import Section, paragraph, percent, table


def term_part(data: StudyData) -> Section | None:
    """WA and UA of every classification term besides the emotion's, on dev and test, mean over runs."""
    recipes = [recipe for recipe in data.plan.recipes if recipe.name in data.names]
    rows = [
        [f"{recipe.name}: {term}", _aim(recipe, term), *_scores(data.results_of(recipe.name), term)]
        for recipe in recipes
        for term in recipe.terms
        if f"term_{term}_wa" in data.results
    ]
    if not rows:
        return None
    note = (
        "Mean over runs, on the utterances whose value was known in training: a new speaker's name is not, so a term "
        "for speakers has no score where all are new. A head that is unlearned is fooled on purpose and says little of "
        "what the embedding still holds; the leak asks a fresh probe."
    )
    head = ["recipe: term", "column", "dev WA, %", "dev UA, %", "test WA, %", "test UA, %"]
    return Section("terms", "What further terms tell", table(head, rows) + paragraph(note, "note"))


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
