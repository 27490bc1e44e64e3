"""A study of two recipes, "with" and "without", of two folds each, for parts of a report that draw what a run kept."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

from unheard.studies.report.data import StudyData


def two_recipes(folder: Path, projected: tuple[int, int], *names: str) -> StudyData:
    """It has runs of ``names``, all where none is given; the folder of a run is ``NAME-FOLD``."""
    runs: list[Any] = [
        SimpleNamespace(
            recipe=SimpleNamespace(name=name), fold=fold, seed=0, folder=lambda study, at=f"{name}-{fold}": study / at
        )
        for fold in (1, 2)
        for name in ("with", "without")
    ]
    plan: Any = SimpleNamespace(runs=lambda: runs)
    pairs, nothing = frozenset({(1, 0), (2, 0)}), pd.DataFrame()
    done = dict.fromkeys(names or ("with", "without"), pairs)
    return StudyData(folder, plan, None, done, pairs, True, nothing, nothing, projected)  # type: ignore[arg-type]


def run_folder(folder: Path, fold: int) -> Path:
    """That of the first recipe's run of a fold, made."""
    made = folder / f"with-{fold}"
    made.mkdir(parents=True)
    return made
