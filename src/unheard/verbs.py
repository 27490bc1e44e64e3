"""The command's main verbs as functions, for scripts and notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from unheard.corpora import Corpus
from unheard.corpora.joined import join
from unheard.corpora.mapping import LabelMapping
from unheard.papers.paper import Paper
from unheard.recipe import Recipe, search_of
from unheard.studies.plan import Plan
from unheard.studies.report.write import write_report
from unheard.studies.reproduction.reproduce import reproduce as run_reproduction
from unheard.studies.study import feature_store, run_study, start_over
from unheard.studies.tuning.search import Search
from unheard.studies.tuning.tune import tune_recipe

#: A corpus or where its manifest lies, or several of them.
OneOrMore = Corpus | str | Path | Sequence[Corpus | str | Path]


def study(
    recipes: Sequence[str | Path | Recipe],
    corpus: OneOrMore,
    out: str | Path,
    *,
    protocol: str = "speaker-folds:5",
    folds: Iterable[int] | None = None,
    seeds: int = 1,
    baseline: str | None = None,
    labels: str | Path | LabelMapping | None = None,
    leak_corpus: OneOrMore | None = None,
    auxiliary: OneOrMore | None = None,
    enrol: int | None = None,
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
        corpus: a corpus or where its manifest lies, or several of them, for a cross-corpus protocol.
        out: the study's folder.
        protocol: how the corpus is cut, by name.
        folds: only these, counted from 1.
        seeds: how many.
        baseline: the recipe that the others are compared with, by default the first.
        labels: a label mapping by name or file, by default the labels as they are.
        leak_corpus: a further corpus of speakers that nothing is learned from, on whom the leak is measured too; it
            needs no emotion labels.
        auxiliary: further utterances to learn from, for the recipes that take them; their emotion labels are not used.
        enrol: how many utterances enrol a speaker whom nobody learned from, where a recipe learns to tell speakers; by
            default 20 if everybody has them, and otherwise 5.
        overrides: ``key=value``, applied to the recipes that are given by name or file.
        workers: runs side by side, by default one per core.
        device: ``cpu``, ``cuda`` or ``auto``, or several of a kind for one training, such as ``4xcuda``.
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
    plan = Plan.make(
        _joined(corpus), protocol, chosen,
        folds=list(folds) if folds else None, seeds=range(seeds), baseline=baseline, labels=_mapping(labels),
        leak_corpus=_further(leak_corpus),
        auxiliary=_further(auxiliary),
        enrol=enrol,
    )  # fmt: skip
    if force:
        start_over(out)
    store = feature_store(Path(cache) if cache else None)
    results = run_study(plan, out, store, workers=workers, device=device)
    write_report(out)
    return results


def tune(
    recipe: str | Path | Recipe,
    corpus: OneOrMore,
    out: str | Path,
    *,
    search: Mapping[str, Any] | None = None,
    trials: int = 20,
    protocol: str = "speaker-folds:5",
    folds: Iterable[int] | None = None,
    seeds: int = 1,
    labels: str | Path | LabelMapping | None = None,
    auxiliary: OneOrMore | None = None,
    overrides: Iterable[str] = (),
    workers: int | None = None,
    device: str = "cpu",
    cache: str | Path | None = None,
    force: bool = False,
) -> pd.DataFrame:
    """Search values of a recipe on dev speakers only; leaves ``trials.csv`` and ``best.yaml`` in ``out``.

    An interrupted search goes on where it was, and a finished one can be given more trials. It works in processes of
    its own, so a script calls it under ``if __name__ == "__main__":``.

    Args:
        recipe: the name of a built-in recipe, a YAML file, or a recipe.
        corpus: a corpus or where its manifest lies, or several of them, for a cross-corpus protocol.
        out: the search's folder.
        search: a list of values, or a range as ``{"low": 0.1, "high": 10, "log": True}``, for each dotted key; added to
            what the recipe's file says under ``search``, or in its place where it has the key too.
        trials: how many, those in the folder included.
        protocol: how the corpus is cut, by name.
        folds: only these, counted from 1.
        seeds: how many for each trial.
        labels: a label mapping by name or file, by default the labels as they are.
        auxiliary: further utterances to learn from, where the recipe takes them; their emotion labels are not used.
        overrides: ``key=value``, applied to a recipe that is given by name or file.
        workers: runs side by side, by default one per core.
        device: ``cpu``, ``cuda`` or ``auto``, or several of a kind for one training, such as ``4xcuda``.
        cache: folder for computed features, by default the user's cache.
        force: start over what is in the folder.

    Returns:
        a row per trial, see :func:`unheard.studies.tuning.tune.trial_table`.

    Raises:
        InputError: something given is not what it must be.
    """
    written = {} if isinstance(recipe, Recipe) else search_of(recipe)
    chosen = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe, overrides)
    searched = Search.check(written | dict(search or {}), chosen, f"recipe {chosen.name}, search")
    plan = Plan.make(
        _joined(corpus), protocol, [chosen],
        folds=list(folds) if folds else None, seeds=range(seeds), labels=_mapping(labels), test=False,
        auxiliary=_further(auxiliary),
    )  # fmt: skip
    store = feature_store(Path(cache) if cache else None)
    return tune_recipe(plan, searched, Path(out), store, trials=trials, workers=workers, device=device, force=force)


def reproduce(
    paper: str,
    corpus: OneOrMore,
    out: str | Path,
    *,
    study: str | None = None,
    labels: str | None = None,
    protocol: str | None = None,
    folds: Iterable[int] | None = None,
    seeds: int | None = None,
    auxiliary: OneOrMore | None = None,
    overrides: Iterable[str] = (),
    workers: int | None = None,
    device: str = "cpu",
    cache: str | Path | None = None,
    force: bool = False,
) -> pd.DataFrame:
    """Run a paper's study and put its published table beside ours; what is not given is the paper's.

    Leaves what :func:`study` leaves, and ``reproduction.md`` and ``reproduction.csv`` in ``out``. It works in processes
    of its own, so a script calls it under ``if __name__ == "__main__":``.

    Args:
        paper: by name, for example ``tu2019``.
        corpus: a corpus or where its manifest lies, or several of them, for a cross-corpus protocol.
        out: the study's folder.
        study: which of the paper's studies, by default its first.
        labels: another label mapping by name or file, or ``as-they-are``.
        protocol: another protocol.
        folds: only these, counted from 1.
        seeds: how many runs of everything.
        auxiliary: further utterances to learn from, for the recipes that take them.
        overrides: ``key=value``, applied to the recipes that have the key.
        workers: runs side by side, by default one per core.
        device: ``cpu``, ``cuda`` or ``auto``, or several of a kind for one training, such as ``4xcuda``.
        cache: folder for computed features, by default the user's cache.
        force: start over what is in the folder.

    Returns:
        a row per row of the paper's table and metric, see
        :func:`unheard.studies.reproduction.text.reproduction_table`.

    Raises:
        InputError: something given is not what it must be, or the paper's study does not fit the corpus.
    """
    run_reproduction(
        Paper.load(paper), _joined(corpus), Path(out), feature_store(Path(cache) if cache else None), study=study,
        labels=labels, protocol=protocol, folds=list(folds) if folds else None, seeds=seeds,
        auxiliary=_further(auxiliary), overrides=overrides, workers=workers,
        device=device, force=force,
    )  # fmt: skip
    return pd.read_csv(Path(out) / "reproduction.csv")


def _joined(corpus: OneOrMore) -> Corpus:
    given = [corpus] if isinstance(corpus, Corpus | str | Path) else corpus
    return join([each if isinstance(each, Corpus) else Corpus.read(each) for each in given])


def _further(corpora: OneOrMore | None) -> Corpus | None:
    return None if corpora is None else _joined(corpora)


def _mapping(labels: str | Path | LabelMapping | None) -> LabelMapping | None:
    return LabelMapping.load(labels) if isinstance(labels, str | Path) else labels
