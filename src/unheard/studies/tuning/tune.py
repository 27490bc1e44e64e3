"""Tuning: trials of a recipe with other values, judged by the dev speakers of one protocol, and the best of them.

The trials are the recipes of an ordinary study in the folder ``trials``, so that each of their runs can be interrupted
and goes on where it was. ``tune.json`` holds their values, written before any of them is run. From these files alone it
follows what comes next: there is no second store that could disagree with them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from os import cpu_count
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from unheard.errors import InputError
from unheard.files import write_atomically
from unheard.frontends.store import FeatureStore
from unheard.recipe import Recipe
from unheard.studies.plan import Plan
from unheard.studies.run import read_result
from unheard.studies.study import alone, run_study, start_over
from unheard.studies.tuning.search import STARTUP, Search, Values, require_optuna

TUNE_FILES = ("tune.json", "trials.csv", "best.yaml")
#: Trials that need not wait for each other are run together, so many runs per worker, to keep all of them busy.
RUNS_PER_WORKER = 8


@dataclass(frozen=True)
class Tuning:
    """What is tuned, on which folds and seeds, and where.

    Attributes:
        plan: a plan of the one recipe, which does not look at the test speakers.
        search: the values of the recipe to try.
        folder: what this leaves.
    """

    plan: Plan
    search: Search
    folder: Path

    @classmethod
    def load(cls, folder: Path) -> tuple[Tuning, list[Values]]:
        """What was tuned in a folder, and the values of its trials."""
        path = folder / "tune.json"
        record = json.loads(path.read_text(encoding="utf-8"))
        recipe = Recipe.check(record["recipe"], str(path))
        plan = replace(Plan.read(folder / "trials"), recipes=(recipe,))
        return cls(plan, Search.check(record["search"], recipe, str(path)), folder), record["trials"]

    @property
    def recipe(self) -> Recipe:
        """The recipe as it was given."""
        return self.plan.recipes[0]

    @property
    def measure(self) -> str:
        """The column of ``trials.csv`` that judges a trial: what the recipe chooses its epoch by, or else UA."""
        return "dev_wa" if self.recipe.training.select == "wa" else "dev_ua"

    @property
    def study(self) -> Path:
        """The folder of the study whose recipes are the trials."""
        return self.folder / "trials"

    def trials(self, tried: Sequence[Values]) -> Plan:
        """The plan whose recipes are the trials, called after their number."""
        named = (values | {"name": f"{self.recipe.name}-{number}"} for number, values in enumerate(tried, 1))
        return replace(self.plan, recipes=tuple(self.recipe.changed(values, "a trial") for values in named))

    def tuned(self, values: Values) -> Recipe:
        """The recipe with the values of a trial, under a name of its own."""
        return self.recipe.changed(values | {"name": f"{self.recipe.name}-tuned"}, "the best trial")

    def facts(self) -> dict[str, Any]:
        """What must be the same for trials to be comparable, under the words of a sentence."""
        return {
            "recipe": self.recipe.to_dict(),
            "search": self.search.to_dict(),
            "corpus": self.plan.corpus.hash,
            "label mapping": self.plan.labels.to_dict() if self.plan.labels else None,
            "protocol": self.plan.protocol.name,
            "choice of folds": list(self.plan.folds),
            "choice of seeds": list(self.plan.seeds),
            "auxiliary corpus": self.plan.auxiliary.hash if self.plan.auxiliary else None,
        }

    def write(self, tried: Sequence[Values]) -> None:
        """Keep the values of all trials, before they are run."""
        record = self.facts() | {"trials": list(tried)}
        write_atomically(self.folder / "tune.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")

    def read(self) -> list[Values]:
        """The values of the trials in the folder; of none where nothing was begun.

        Raises:
            InputError: the folder holds a search for something else.
        """
        path = self.folder / "tune.json"
        if not path.is_file() or not any((self.study / "runs").glob("*/*")):
            return []
        record = json.loads(path.read_text(encoding="utf-8"))
        for what, now in json.loads(json.dumps(self.facts())).items():
            if record.get(what) != now:
                raise InputError(
                    f"{self.folder}: the search in this folder has another {what}; choose another --out or start it "
                    "over with --force"
                )
        trials: list[Values] = record["trials"]
        return trials


def tune_recipe(
    plan: Plan,
    search: Search,
    folder: Path,
    store: FeatureStore,
    *,
    trials: int = 20,
    workers: int | None = None,
    device: str = "cpu",
    force: bool = False,
) -> pd.DataFrame:
    """Try values of a recipe until there are ``trials`` of them, and write ``trials.csv`` and ``best.yaml``.

    A search that lies in the folder goes on, and gives what one gives that was never interrupted.

    Args:
        plan: of one recipe; its test speakers are not looked at.
        search: the values to try.
        folder: the search's folder.
        store: where fixed features lie.
        trials: how many, those in the folder included; fewer where there are no more combinations.
        workers: processes, by default one per core.
        device: ``cpu``, ``cuda`` or ``auto``, or several of a kind for one training, such as ``4xcuda``.
        force: start over what is in the folder.

    Returns:
        what ``trials.csv`` holds, see :func:`trial_table`.

    Raises:
        InputError: a fold has no dev speakers, the folder holds another search, Optuna is missing.
    """
    tuning = Tuning(replace(plan, test=False), search, folder)
    _check_dev(plan)
    if not search.is_grid(trials):
        require_optuna()
    processes = workers or (cpu_count() or 1 if device == "cpu" else 1)
    with alone(folder):
        if force:
            start_over(tuning.study)
            for name in TUNE_FILES:
                (folder / name).unlink(missing_ok=True)
        tried = tuning.read()
        while True:
            table = _write_tables(tuning, tried)
            pending = len(tried) - len(table)
            tried.extend(_next_trials(tuning, tried, table, trials, pending, processes))
            if len(tried) == len(table):
                return table
            tuning.write(tried)
            run_study(tuning.trials(tried), tuning.study, store, workers=workers, device=device)


def _check_dev(plan: Plan) -> None:
    folds = plan.cut()
    for number in plan.folds:
        if not len(folds[number - 1].dev):
            raise InputError(
                f"the protocol {plan.protocol.name} has no dev speakers in fold {number}, so there is nothing to tune "
                "by; choose another with --protocol"
            )


def _next_trials(
    tuning: Tuning, tried: Sequence[Values], table: pd.DataFrame, trials: int, pending: int, workers: int
) -> Iterator[Values]:
    """New trials to run beside those that are pending: many where they do not depend on what others score."""
    search, known = tuning.search, list(tried)
    runs = len(tuning.plan.folds) * len(tuning.plan.seeds)
    most = math.ceil(RUNS_PER_WORKER * workers / runs)
    while len(known) < trials and pending < most:
        learns = not search.is_grid(trials) and len(known) >= STARTUP
        if learns and pending:
            return
        scores = table[tuning.measure].tolist() if learns else []
        values = search.propose(known, scores, trials)
        if values is None:
            return
        known.append(values)
        pending += 1
        yield values


def trial_table(tuning: Tuning, tried: Sequence[Values]) -> pd.DataFrame:
    """A row per finished trial: ``number``, a column per key, ``dev_ua, dev_ua_sd, dev_wa, dev_wa_sd, seconds``.

    The scores are means over the folds, each the mean over its seeds, ``sd`` their standard deviation over the folds.
    """
    rows = []
    plan = tuning.trials(tried)
    for number, (values, recipe) in enumerate(zip(tried, plan.recipes, strict=True), 1):
        runs = [run for run in plan.runs() if run.recipe is recipe]
        results = [result for run in runs if (result := read_result(run.folder(tuning.study))) is not None]
        if len(results) < len(runs):
            continue
        row: dict[str, Any] = {"number": number} | {key: cell(value) for key, value in values.items()}
        for score in ("dev_ua", "dev_wa"):
            folds = pd.DataFrame(results).groupby("fold")[score].mean()
            row |= {score: float(folds.mean()), f"{score}_sd": float(folds.std(ddof=0))}
        rows.append(row | {"seconds": round(sum(result["seconds"] for result in results), 1)})
    return pd.DataFrame(rows)


def _write_tables(tuning: Tuning, tried: Sequence[Values]) -> pd.DataFrame:
    table = trial_table(tuning, tried)
    if len(table):
        write_atomically(tuning.folder / "trials.csv", table.to_csv(index=False, lineterminator="\n"))
        best = best_number(table, tuning.measure)
        text = _heading(tuning, table, best) + tuning.tuned(tried[best - 1]).to_yaml()
        write_atomically(tuning.folder / "best.yaml", text)
    return table


def best_number(table: pd.DataFrame, measure: str) -> int:
    """The number of the first trial with the highest score."""
    return int(table["number"].iloc[int(table[measure].argmax())])


def _heading(tuning: Tuning, table: pd.DataFrame, best: int) -> str:
    """Where the values of ``best.yaml`` are from, as a comment."""
    plan = tuning.plan
    lines = [
        f"The best of {len(table)} trials of {tuning.recipe.name} on the dev speakers of {plan.corpus.name}, protocol "
        f"{plan.protocol.name}, folds {', '.join(map(str, plan.folds))}, seeds {', '.join(map(str, plan.seeds))}:",
        f"trial {best}, {score_name(tuning.measure)} {table[tuning.measure].max():.2%}. What was searched:",
        *(f"  {key}: {cell(part)}" for key, part in tuning.search.to_dict().items()),
    ]
    return "".join(f"# {line}\n" for line in lines)


def score_name(measure: str) -> str:
    """A score as people write it.

    >>> score_name("dev_ua")
    'dev UA'
    """
    return measure.removesuffix("_sd").replace("_", " ").replace("ua", "UA").replace("wa", "WA")


def cell(value: Any) -> Any:
    """A value of a recipe for one cell of a table: numbers and words stay, the rest as YAML in one line.

    >>> cell(0.5), cell([8, 4])
    (0.5, '[8, 4]')
    """
    if not isinstance(value, list | dict):
        return value
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=math.inf, allow_unicode=True).strip()
