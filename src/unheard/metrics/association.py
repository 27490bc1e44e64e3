"""How far does one column predict another, and would it by chance? Speaker and emotion, above all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unheard.errors import InputError
from unheard.seeds import generator

#: A column of a table: any values, missing ones included.
Column = Sequence[Any] | NDArray[Any] | pd.Series
_CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Association:
    """How far a column predicts a target, in information and in accuracy, each beside what chance gives.

    Many values with few rows each look predictive by chance alone: what matters is how far a number stands above its
    ``chance``, the mean over random permutations of the target.

    Attributes:
        rows: how many rows have a value in both columns.
        uncertainty: the share of the target's entropy that the column removes, I / H(target): Theil's uncertainty
            coefficient, 0 (nothing) to 1 (everything); NaN for a target with one value.
        uncertainty_chance: its mean over the permutations.
        p_value: (1 + permutations with at least this information) / (1 + permutations).
        symmetric: mutual information normalised by both entropies, 2·I / (H(column) + H(target)).
        accuracy: see :func:`majority_accuracy`.
        accuracy_chance: its mean over the permutations.
    """

    rows: int
    uncertainty: float
    uncertainty_chance: float
    p_value: float
    symmetric: float
    accuracy: float
    accuracy_chance: float


def association(column: Column, target: Column, *, permutations: int = 999, seed: int = 0) -> Association:
    """How far a column (``speaker``) predicts a target (``emotion``).

    A permutation of the target keeps both columns' value counts and leaves everything else to chance, so a permuted
    table of joint counts is drawn from its own distribution (Boyett 1979, Patefield 1981), without touching the rows.

    Args:
        column: the values to predict from, one per row. Rows where either is missing are left out.
        target: the values to predict.
        permutations: how many permutations are drawn.
        seed: of the permutations.

    Raises:
        InputError: the columns differ in length, or no row has a value in both.

    >>> found = association(["a"] * 10 + ["b"] * 10, ["sad"] * 10 + ["angry"] * 10)
    >>> found.uncertainty, found.accuracy, found.accuracy_chance < 0.7, found.p_value
    (1.0, 1.0, True, 0.001)
    """
    counts = _contingency(column, target)
    given, wanted = _entropy(counts.sum(axis=1)), _entropy(counts.sum(axis=0))
    information = float(_information(counts[None], counts)[0])
    chance, guessed = _by_chance(counts, permutations, seed)
    hits = int((chance >= information - 1e-10).sum())
    return Association(
        rows=int(counts.sum()),
        uncertainty=information / wanted if wanted > 0 else np.nan,
        uncertainty_chance=float(chance.mean()) / wanted if wanted > 0 else np.nan,
        p_value=(1 + hits) / (1 + permutations),
        symmetric=2 * information / (given + wanted) if given + wanted > 0 else np.nan,
        accuracy=_majority(counts),
        accuracy_chance=float(guessed.mean()),
    )


def majority_accuracy(column: Column, target: Column) -> float:
    """The accuracy of guessing, for each row, the most frequent target of the rows with its value, itself included.

    It flatters a column with few rows per value: one row per value is always right.

    >>> majority_accuracy(["a", "a", "a", "b"], ["sad", "sad", "angry", "happy"])
    0.75
    """
    return _majority(_contingency(column, target))


def _contingency(column: Column, target: Column) -> NDArray[np.int64]:
    """How often each value of the column meets each target, [values, targets]."""
    if len(column) != len(target):
        raise InputError(f"one column has {len(column)} rows and the other {len(target)}; both must be of one table")
    given, values = pd.factorize(pd.Series(column))
    wanted, targets = pd.factorize(pd.Series(target))
    known = (given >= 0) & (wanted >= 0)
    if not known.any():
        raise InputError("no row has a value in both columns; fill them before asking how far one predicts the other")
    cells = given[known] * len(targets) + wanted[known]
    counts = np.bincount(cells, minlength=len(values) * len(targets)).reshape(len(values), len(targets))
    return counts[counts.any(axis=1)][:, counts.any(axis=0)]


def _entropy(counts: NDArray[np.int64]) -> float:
    """Entropy in nats of the distribution that the counts make."""
    total = int(counts.sum())
    numbers = _number_log_number(total)
    return float((numbers[total] - numbers[counts].sum()) / total)


def _information(tables: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mutual information in nats of each table, [tables, values, targets] → [tables], all with the sums of ``counts``.

    Values with a single row may be left out of the tables: 1·log 1 = 0.
    """
    total = int(counts.sum())
    # Counts are whole numbers: looking k·log k up is several times faster than computing it.
    numbers = _number_log_number(total)
    joint = numbers[tables].sum(axis=(1, 2))
    given, wanted = (numbers[counts.sum(axis=axis)].sum() for axis in (1, 0))
    information: NDArray[np.float64] = (joint - given - wanted + numbers[total]) / total
    return information.clip(min=0)  # rounding may leave a trace below


def _number_log_number(most: int) -> NDArray[np.float64]:
    """k·log k for k from 0 to ``most``."""
    numbers = np.arange(most + 1, dtype=np.float64)
    numbers[1:] *= np.log(numbers[1:])
    return numbers


def _by_chance(
    counts: NDArray[np.int64], permutations: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mutual information and majority accuracy of permuted tables, [permutations] each."""
    from scipy.stats import random_table  # takes half a second to import

    random = generator(seed, "permutations of the target")
    rows = counts.sum(axis=1)
    alone = int((rows == 1).sum())
    # Values with a single row look the same in every permutation: drawn together as one last line, they cost nothing.
    table = random_table(np.append(rows[rows > 1], alone), counts.sum(axis=0), seed=random)
    step = max(1, _CELLS_AT_ONCE // counts.size)
    information, accuracy = [], []
    for start in range(0, permutations, step):
        drawn = table.rvs(size=min(step, permutations - start))[:, :-1].astype(np.int64)
        information.append(_information(drawn, counts))
        accuracy.append((drawn.max(axis=2).sum(axis=1) + alone) / counts.sum())
    return np.concatenate(information), np.concatenate(accuracy)


def _majority(counts: NDArray[np.int64]) -> float:
    return float(counts.max(axis=1).sum() / counts.sum())
