"""Columns of ``results.csv`` of two recipes against each other, run by run over the same folds and seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import t as student

from unheard.metrics.intervals import Interval
from unheard.studies.report.data import StudyData


def by_run(data: StudyData, name: str, column: str) -> pd.Series:
    """A column of a recipe's runs by fold and seed, where it has a value."""
    found = data.results_of(name).set_index(["fold", "seed"])
    return found[column].dropna().astype("float64") if column in found else pd.Series(dtype="float64")


def mean_over_folds(values: pd.Series) -> Interval:
    """The mean over folds, each with the mean of its seeds, and Student's 95 % interval; without one for one fold.

    Folds share training speakers, so the interval is rather narrow.

    Args:
        values: by fold and seed.

    >>> values = pd.Series([1.0, 3.0, 4.0], pd.MultiIndex.from_tuples([(1, 0), (1, 1), (2, 0)], names=["fold", "seed"]))
    >>> mean_over_folds(values).estimate
    3.0
    """
    if values.empty:
        return Interval(np.nan, np.nan, np.nan)
    folds = values.groupby("fold").mean()
    mean, half = folds.mean(), student.ppf(0.975, len(folds) - 1) * folds.sem()  # NaN with one fold
    return Interval(float(mean), float(mean - half), float(mean + half))


def change(data: StudyData, column: str, name: str, other: str) -> Interval | None:
    """By how much more a recipe has of a column than another one, as a share of it: −0.3 is 30 % less.

    It is a geometric mean over the runs in which both are above zero; None where there is no such run.
    """
    if not data.comparable:
        return None
    one, two = (values[values > 0] for values in (by_run(data, each, column) for each in (name, other)))
    apart = (np.log(one) - np.log(two)).dropna() if len(one) and len(two) else one[:0]
    return Interval(*np.expm1(mean_over_folds(apart)).tolist()) if len(apart) else None
