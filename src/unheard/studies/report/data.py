"""What a report is made from: the plan, the audit, and the runs that every recipe has finished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unheard.audit.audit import Audit, audit
from unheard.corpora.published import editions_found
from unheard.errors import InputError
from unheard.metrics.classification import classes_of
from unheard.studies.plan import Plan, Run
from unheard.studies.run import read_result
from unheard.studies.study import read_predictions

#: A fold and a seed.
Pair = tuple[int, int]


@dataclass(frozen=True)
class StudyData:
    """A study as it lies on disk.

    No recipe gets more folds or seeds than its rivals: results and predictions are those of the folds and seeds that
    every recipe with a finished run has finished.

    Attributes:
        study: the folder.
        plan: what was planned.
        audit: of the planned folds.
        done: the folds and seeds that each recipe of the plan has finished.
        shown: the folds and seeds that are shown.
        comparable: whether every recipe shown has finished all of ``shown``. If not, no fold and seed is common to
            them, and ``shown`` is what any has finished.
        results: the rows of ``results.csv`` of what is shown, with a column ``machine``.
        predictions: the test predictions of what is shown, with the columns ``recipe``, ``fold``, ``seed``.
        projected: the fold and seed whose inside is drawn.
        over: keys of recipes over whose values scores are drawn.
    """

    study: Path
    plan: Plan
    audit: Audit
    done: Mapping[str, frozenset[Pair]]
    shown: frozenset[Pair]
    comparable: bool
    results: pd.DataFrame
    predictions: pd.DataFrame
    projected: Pair
    over: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The recipes with finished runs, in the plan's order."""
        return [name for name, pairs in self.done.items() if pairs]

    @property
    def planned(self) -> int:
        """How many runs each recipe is to have."""
        return len(self.plan.folds) * len(self.plan.seeds)

    @property
    def complete(self) -> bool:
        """Whether every run is done."""
        return all(len(pairs) == self.planned for pairs in self.done.values())

    @property
    def baseline(self) -> str:
        """What the other recipes are compared with: the plan's choice, or the first recipe."""
        return self.plan.baseline or self.plan.recipes[0].name

    @cached_property
    def planes(self) -> dict[str, NDArray[np.float32] | None]:
        """The pictures of deep features by recipe, for parts that need the same one: it takes seconds to make."""
        return {}

    @cached_property
    def even(self) -> bool:
        """Whether every seed shown has the same folds, so that seeds can be set against each other."""
        folds = {frozenset(fold for fold, other in self.shown if other == seed) for _, seed in self.shown}
        return self.comparable and len(folds) == 1

    @cached_property
    def classes(self) -> list[str]:
        """Every emotion that was tested or predicted, sorted."""
        return classes_of(self.predictions["emotion"], self.predictions["predicted"])

    def of(self, recipe: str) -> pd.DataFrame:
        """The predictions of one recipe."""
        return self.predictions[self.predictions["recipe"] == recipe]

    def results_of(self, recipe: str) -> pd.DataFrame:
        """The results of one recipe."""
        return self.results[self.results["recipe"] == recipe]

    def runs(self, recipe: str) -> list[Run]:
        """The runs of one recipe that are shown."""
        return [
            run
            for run in self.plan.runs()
            if run.recipe.name == recipe and (run.fold, run.seed) in self.shown & self.done[recipe]
        ]

    @property
    def drawn(self) -> list[Run]:
        """The run of each recipe whose inside is drawn, of those that are done."""
        return [run for name in self.names for run in self.runs(name) if (run.fold, run.seed) == self.projected]


def read_study(study: Path, projected: Pair | None = None, over: tuple[str, ...] = ()) -> StudyData:
    """Everything that a report shows, from a study's folder; what is not finished is left out.

    Args:
        study: the folder.
        projected: the fold and seed whose inside is drawn; by default the first of the first seed.
        over: keys of recipes over whose values scores are drawn.

    Raises:
        InputError: there is no study, no finished run, or a finished run lacks the predictions it must have; nothing is
            shown of ``projected``.
    """
    plan = Plan.read(study)
    if not plan.test:
        raise InputError(
            f"{study}: these are the trials of a search on dev speakers, which has no test scores to report"
        )
    found = [(run, result) for run in plan.runs() if (result := read_result(run.folder(study))) is not None]
    if not found:
        raise InputError(
            f"{study}: none of the {len(plan.runs())} runs of this study is finished, so there is nothing to report "
            "yet; the same `unheard study` command goes on with it"
        )
    done = {
        recipe.name: frozenset((run.fold, run.seed) for run, _ in found if run.recipe.name == recipe.name)
        for recipe in plan.recipes
    }
    started = [pairs for pairs in done.values() if pairs]
    common = frozenset.intersection(*started)
    shown = common or frozenset.union(*started)
    if projected is not None and projected not in shown:
        raise InputError(
            f"{study}: nothing is shown of {runs_text([projected])}, so its embeddings cannot be drawn; choose from "
            f"{runs_text(shown)}"
        )
    try:
        predictions = read_predictions(plan, study)
    except FileNotFoundError as problem:
        raise InputError(f"{problem.filename}: a finished run lacks this file; {_REMEDY}") from problem
    _check_predictions(predictions, [run for run, _ in found], plan, study)
    results = pd.DataFrame([result for _, result in found])
    folds = [plan.cut()[fold - 1] for fold in plan.folds]
    return StudyData(
        study=study,
        plan=plan,
        audit=audit(plan.corpus, plan.protocol, folds, seed=plan.protocol_seed, published=editions_found(plan.given)),
        done=done,
        shown=shown,
        comparable=bool(common),
        results=_only(results, shown),
        predictions=_only(predictions, shown),
        projected=projected or min(shown, key=lambda pair: pair[::-1]),
        over=over,
    )


def runs_text(pairs: Iterable[Pair]) -> str:
    """Folds and seeds in words.

    >>> runs_text([(1, 0), (2, 0), (3, 0), (5, 0), (1, 1)])
    'folds 1–3, 5 with seed 0; fold 1 with seed 1'
    """
    folds: dict[int, list[int]] = {}
    for fold, seed in sorted(pairs):
        folds.setdefault(seed, []).append(fold)
    seeds: dict[tuple[int, ...], list[int]] = {}
    for seed, numbers in sorted(folds.items()):
        seeds.setdefault(tuple(numbers), []).append(seed)
    return "; ".join(f"{_counted('fold', numbers)} with {_counted('seed', same)}" for numbers, same in seeds.items())


def _counted(what: str, numbers: Sequence[int]) -> str:
    return f"{what}{'' if len(numbers) == 1 else 's'} {ranges(numbers)}"


def ranges(numbers: Sequence[int]) -> str:
    """Whole numbers in increasing order, three and more in a row as a range.

    >>> ranges([1, 2, 3, 5, 6])
    '1–3, 5, 6'
    """
    rows: list[list[int]] = []
    for number in numbers:
        if rows and number == rows[-1][-1] + 1:
            rows[-1].append(number)
        else:
            rows.append([number])
    return ", ".join(f"{row[0]}–{row[-1]}" if len(row) > 2 else ", ".join(map(str, row)) for row in rows)


_REMEDY = "delete that run's folder and go on with the study, which makes it again"


def _check_predictions(predictions: pd.DataFrame, runs: Sequence[Run], plan: Plan, study: Path) -> None:
    """What the audit proves about folds holds for the runs only if they tested these folds."""
    ids = plan.corpus.table["id"]
    tested = [set(ids.iloc[fold.test]) for fold in plan.cut()]
    groups = dict(list(predictions.groupby(["recipe", "fold", "seed"])["id"]))
    for run in runs:
        found: Any = groups.get((run.recipe.name, run.fold, run.seed), [])
        if len(found) != len(tested[run.fold - 1]) or set(found) != tested[run.fold - 1]:
            raise InputError(
                f"{run.folder(study) / 'predictions.csv'}: these are not the test utterances of fold {run.fold}; "
                f"{_REMEDY}"
            )


def _only(table: pd.DataFrame, pairs: frozenset[Pair]) -> pd.DataFrame:
    return table[pd.MultiIndex.from_frame(table[["fold", "seed"]]).isin(list(pairs))].reset_index(drop=True)
