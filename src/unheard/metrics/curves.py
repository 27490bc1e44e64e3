"""The low-resource curve: accuracy over the number of training samples per class, in one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unheard.errors import InputError


@dataclass(frozen=True)
class LowResourceCurve:
    """A mean curve over random draws, and its mean height in three readings, all in the unit of the accuracies.

    Attributes:
        mean: mean over the draws, [points].
        sd: population standard deviation (ddof 0) over the draws, [points].
        area_linear: trapezoid area under the mean curve over the number of samples, divided by its range.
        area_log: the same over the logarithm of the number of samples.
        plain_mean: the mean of the curve's points.
    """

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    area_linear: float
    area_log: float
    plain_mean: float


def low_resource_curve(samples_per_class: Sequence[float], accuracies: Sequence[Sequence[float]]) -> LowResourceCurve:
    """The curve of accuracies measured with growing numbers of training samples per class.

    Args:
        samples_per_class: the numbers of samples, positive and increasing, [points].
        accuracies: one row per number of samples, one column per random draw, [points, draws].

    Raises:
        InputError: fewer than two points, numbers that are not positive and increasing, or not one row per number.

    >>> curve = low_resource_curve([10, 20, 40], [[40, 44], [50, 54], [60, 64]])
    >>> curve.mean.tolist(), round(curve.area_linear, 3), round(curve.area_log, 3), curve.plain_mean
    ([42.0, 52.0, 62.0], 53.667, 52.0, 52.0)
    """
    x = np.asarray(samples_per_class, dtype=np.float64)
    if len({len(row) for row in accuracies}) != 1 or not len(accuracies[0]):
        raise InputError(
            "the rows of accuracies differ in length or are empty; each needs one accuracy per random draw"
        )
    draws = np.asarray(accuracies, dtype=np.float64)
    if len(x) < 2 or not (x > 0).all() or not (np.diff(x) > 0).all():
        raise InputError(
            f"the numbers of samples per class are {list(samples_per_class)}; "
            "two or more, positive and increasing, are needed"
        )
    if len(draws) != len(x):
        raise InputError(
            f"there are {len(x)} numbers of samples per class and {len(draws)} rows of accuracies; give one row each"
        )
    mean = draws.mean(axis=1)
    linear, logarithmic = (float(mean @ area_weights(axis)) for axis in (x, np.log(x)))
    return LowResourceCurve(mean, draws.std(axis=1), linear, logarithmic, float(mean.mean()))


def area_weights(x: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """What each point of a curve counts in its mean height, the trapezoid area divided by the range; they add up to 1.

    >>> area_weights([10, 20, 40]).round(3).tolist(), area_weights([10]).tolist()
    ([0.167, 0.5, 0.333], [1.0])
    """
    if len(x) == 1:
        return np.ones(1)
    steps = np.diff(np.asarray(x, dtype=np.float64))
    weights: NDArray[np.float64] = (np.append(steps, 0) + np.append(0, steps)) / (2 * steps.sum())
    return weights
