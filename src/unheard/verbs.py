"""The command's main verb as a function, for scripts and notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from unheard.corpora import Corpus
from unheard.recipe import Recipe
from unheard.studies.plan import Plan
from unheard.studies.report import write_report
from unheard.studies.study import feature_store, run_study, start_over


def study(
    recipes: Sequence[str | Path | Recipe],
    corpus: Corpus | str | Path,
    out: str | Path,
    *,
    protocol: str = "speaker-folds:5",
    folds: Iterable[int] | None = None,
    seeds: int = 1,
    baseline: str | None = None,
    overrides: Iterable[str] = (),
    workers: int | None = None,
    device: str = "cpu",
    cache: str | Path | None = None,
    force: bool = False,
) -> pd.DataFrame:
    """Compare recipes over the folds and seeds of one protocol; leaves ``results.csv`` and ``report.html`` in ``out``.

    An interrupted study goes on where it was, and a finished one can be given more recipes, folds and seeds. It works
    in processes of its own, so a script calls it under ``if __name__ == "__main__":``.

    Args:
        recipes: names of built-in recipes, YAML files, or recipes.
        corpus: a corpus, or where its manifest lies.
        out: the study's folder.
        protocol: how the corpus is cut, by name.
        folds: only these, counted from 1.
        seeds: how many.
        baseline: the recipe that the others are compared with, by default the first.
        overrides: ``key=value``, applied to the recipes that are given by name or file.
        workers: runs side by side, by default one per core.
        device: ``cpu``, ``cuda`` or ``auto``.
        cache: folder for computed features, by default the user's cache.
        force: start over what is in the folder.

    Returns:
        the results, a row per recipe, fold and seed.

    Raises:
        InputError: something given is not what it must be.
    """
    out = Path(out)
    overrides = list(overrides)
    chosen = [recipe if isinstance(recipe, Recipe) else Recipe.load(recipe, overrides) for recipe in recipes]
    utterances = corpus if isinstance(corpus, Corpus) else Corpus.read(corpus)
    plan = Plan.make(
        utterances, protocol, chosen, folds=list(folds) if folds else None, seeds=range(seeds), baseline=baseline
    )
    if force:
        start_over(out)
    store = feature_store(Path(cache) if cache else None)
    results = run_study(plan, out, store, workers=workers, device=device)
    write_report(out)
    return results
