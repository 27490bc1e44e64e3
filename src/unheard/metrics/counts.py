"""Scores of confusion counts, for many matrices at once: what tables, intervals and paired tests are computed from.

``counts[..., i, j]`` is how many utterances of class ``i`` were taken for class ``j``; a score is one value per matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Whole or fractional counts.
Counts = NDArray[Any]
#: Confusion counts [..., classes, classes] → one value per matrix [...].
Statistic = Callable[[Counts], Floats]


def accuracy(counts: Counts) -> Floats:
    """WA, the share of correct predictions; [..., classes, classes] → [...], NaN where nothing was counted.

    >>> float(accuracy(np.array([[3, 1], [0, 0]])))
    0.75
    """
    return _ratio(np.trace(counts, axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)))


def recalls(counts: Counts) -> Floats:
    """The recall of each class; [..., classes, classes] → [..., classes], NaN for a class that does not occur.

    >>> recalls(np.array([[3, 1], [0, 0]])).tolist()
    [0.75, nan]
    """
    return _ratio(_diagonal(counts), counts.sum(axis=-1))


def mean_recall(counts: Counts) -> Floats:
    """UA, the mean recall of the classes that occur; [..., classes, classes] → [...], NaN where nothing was counted.

    >>> float(mean_recall(np.array([[3, 1], [0, 0]])))
    0.75
    """
    return present_mean(recalls(counts), axis=-1)


def mean_f1(counts: Counts) -> Floats:
    """Macro F1, the mean of 2·TP / (2·TP + FP + FN) over the classes that occur; [..., classes, classes] → [...].

    A class that occurs in the predictions only is left out, as in :func:`mean_recall`.

    >>> float(mean_f1(np.array([[2, 2], [0, 0]])))
    0.6666666666666666
    """
    occurring = counts.sum(axis=-1)
    f1 = _ratio(2 * _diagonal(counts), occurring + counts.sum(axis=-2))
    return present_mean(np.where(occurring > 0, f1, np.nan), axis=-1)


def statistic_of_sums(statistic: Statistic, weights: Floats, counts: Counts) -> Floats:
    """The statistic of many weighted sums of units' confusion counts, as a bootstrap or a permutation test needs it.

    Args:
        statistic: what to compute from confusion counts.
        weights: how often each unit is taken, [resamples, units].
        counts: confusion counts of each unit in each repetition (seed), [units, repetitions, classes, classes].

    Returns:
        [resamples]: the mean over the repetitions that have a value.
    """
    flat = counts.reshape(len(counts), -1).astype(np.float64)
    # Some rows at a time: what lies in memory stays below some 30 MB however many resamples are asked for.
    step = max(1, 4_000_000 // max(1, flat.shape[1]))
    parts = []
    for start in range(0, len(weights), step):
        sums = weights[start : start + step] @ flat
        parts.append(present_mean(statistic(sums.reshape(-1, *counts.shape[1:])), axis=-1))
    return np.concatenate(parts)


def present_mean(values: Floats, axis: int) -> Floats:
    """The mean of what is not NaN along an axis; NaN (without a warning) where all is.

    >>> present_mean(np.array([[0.5, np.nan], [np.nan, np.nan]]), axis=1).tolist()
    [0.5, nan]
    """
    present = ~np.isnan(values)
    return _ratio(np.where(present, values, 0.0).sum(axis=axis), present.sum(axis=axis))


def _diagonal(counts: Counts) -> Counts:
    return counts.diagonal(axis1=-2, axis2=-1)


def _ratio(part: Counts, whole: Counts) -> Floats:
    ratio: Floats = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
