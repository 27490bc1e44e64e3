"""Random parts of a set of utterances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unheard.protocols.fold import Rows

#: What rounding of shares such as 0.1 may cost, so that 0.9 of 10 is 9.
TINY = 1e-9


def random_part(count: int, share: float, random: np.random.Generator) -> NDArray[np.bool_]:
    """Which of ``count`` utterances are in a part of about ``share`` of them, at least one; the rest is rounded down.

    >>> int(random_part(4446, 0.2, np.random.default_rng(0)).sum())
    890
    """
    drawn = np.zeros(count, dtype=bool)
    drawn[random.permutation(count)[: max(1, count - math.floor((1 - share) * count + TINY))]] = True
    return drawn


def stratified_part(strata: NDArray[Any], share: float, random: np.random.Generator) -> NDArray[np.bool_]:
    """Which utterances are in a part of about ``share`` of each stratum and, rounded, of them all; not none, not all.

    >>> labels = np.array(["angry"] * 10 + ["sad"] * 20)
    >>> part = stratified_part(labels, 0.3, np.random.default_rng(0))
    >>> int(part[:10].sum()), int(part[10:].sum())
    (3, 6)
    """
    count = min(max(1, round(share * strata.size)), strata.size - 1)
    place = np.arange(strata.size)
    # Going through the utterances stratum by stratum, one is taken whenever another whole one is due.
    due = (place + 1) * count // strata.size > place * count // strata.size
    drawn = np.empty(strata.size, dtype=bool)
    drawn[shuffled_by(random, strata)] = due
    return drawn


def shuffled_by(random: np.random.Generator, *keys: NDArray[Any]) -> Rows:
    """Positions sorted by the first key, then by the next, and at random where all keys are the same."""
    codes = [np.unique(key, return_inverse=True)[1] for key in reversed(keys)]
    return np.lexsort((random.random(keys[0].size), *codes))
