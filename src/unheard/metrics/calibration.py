"""Calibration: whether one who is sure to 80 % is right in 80 % of the cases, and a temperature that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unheard.errors import InputError

Floats = NDArray[np.float64]

#: Between these a temperature is searched for; beyond them a recognizer says nothing, or nothing but its first guess.
COLDEST, HOTTEST = 0.05, 20.0
#: What a probability of zero is taken for: three of a digit beyond those that predictions are written with.
SMALLEST = 1e-9


def tempered(posteriors: ArrayLike, temperature: float) -> Floats:
    """Posteriors [items, classes] as softmax(log p / T): flatter above T = 1, sharper below; the first guess stays.

    >>> tempered([[0.9, 0.1]], 2.0).round(2).tolist()
    [[0.75, 0.25]]
    """
    logits = np.log(np.clip(np.asarray(posteriors, dtype=np.float64), SMALLEST, None)) / temperature
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def fit_temperature(posteriors: ArrayLike, labels: Sequence[int] | NDArray[np.int64]) -> float:
    """The temperature with the highest likelihood of the labels (Guo et al. 2017, section 4.2).

    Args:
        posteriors: [items, classes], of speakers that the model did not learn from.
        labels: classes, [items].

    Raises:
        InputError: there is no item.
    """
    from scipy.optimize import minimize_scalar  # takes a while to import

    values, truth = _checked(posteriors, labels)

    def loss(log_temperature: float) -> float:
        chosen = tempered(values, np.exp(log_temperature))[np.arange(len(truth)), truth]
        return float(-np.log(np.clip(chosen, SMALLEST, None)).mean())

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))


@dataclass(frozen=True)
class Reliability:
    """How often a recognizer is right, by how sure it is.

    Attributes:
        edges: of the bins of the highest probability, [bins + 1].
        count: items in each bin, [bins].
        confidence: mean highest probability in each bin, nan where it is empty, [bins].
        accuracy: share of right answers in each bin, nan where it is empty, [bins].
        error: expected calibration error, the mean of |accuracy − confidence| over the items.
    """

    edges: Floats
    count: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats
    error: float


def reliability(posteriors: ArrayLike, labels: Sequence[int] | NDArray[np.int64], bins: int = 10) -> Reliability:
    """The reliability diagram of the first guesses (Guo et al. 2017, equations 1–3), with bins of equal width.

    Args:
        posteriors: [items, classes].
        labels: classes, [items].
        bins: from 0 to 1.

    Raises:
        InputError: there is no item.

    >>> found = reliability([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], [0, 1, 1], bins=2)
    >>> found.count.tolist(), found.accuracy.round(2).tolist(), round(found.error, 2)
    ([0, 3], [nan, 0.67], 0.13)
    """
    values, truth = _checked(posteriors, labels)
    sure, right = values.max(axis=1), values.argmax(axis=1) == truth
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, weights=sure, minlength=bins) / count
        accuracy = np.bincount(place, weights=right, minlength=bins) / count
    error = float(np.nansum(count * np.abs(accuracy - confidence)) / len(values))
    return Reliability(edges, count, confidence, accuracy, error)


def _checked(posteriors: ArrayLike, labels: Sequence[int] | NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    values, truth = np.asarray(posteriors, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    if not len(values):
        raise InputError("there is no prediction to calibrate by; give the predictions of some dev speakers")
    if values.ndim != 2 or len(values) != len(truth):
        raise InputError(f"there are {len(truth)} labels and posteriors of shape {values.shape}; give a row per label")
    return values, truth
