"""Equal error rate of speaker verification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unheard.errors import InputError


class EqualErrorRate(NamedTuple):
    """Where false acceptance and false rejection are nearest to each other; rates are shares from 0 to 1."""

    eer: float
    threshold: float
    far: float
    frr: float


def equal_error_rate(
    targets: Sequence[float] | NDArray[np.floating], nontargets: Sequence[float] | NDArray[np.floating]
) -> EqualErrorRate:
    """The mean of both error rates at the threshold where they differ least. O(n log n).

    A trial is accepted above the threshold: FRR = share of targets ≤ t, FAR = share of non-targets > t. Among the
    scores and the midpoints between neighbours (the candidates of SpeechBrain's ``metric_stats.EER``), the lowest
    threshold with the smallest |FAR − FRR| is taken.

    Args:
        targets: scores of trials with the same speaker twice, higher is more alike.
        nontargets: scores of trials with two speakers.

    Raises:
        InputError: one of the two is empty or holds a score that is not finite.

    >>> equal_error_rate([0.9, 0.8, 0.4, 0.3], [0.7, 0.5, 0.2, 0.1])
    EqualErrorRate(eer=0.5, threshold=0.4, far=0.5, frr=0.5)
    """
    same, other = _sorted(targets, "target"), _sorted(nontargets, "non-target")
    # A midpoint has the error rates of the score below it, so the lowest best candidate is always a score.
    thresholds = np.unique(np.concatenate([same, other]))
    rejected = np.searchsorted(same, thresholds, side="right")
    accepted = len(other) - np.searchsorted(other, thresholds, side="right")
    # |FAR − FRR| in whole numbers, so that rounding never decides between equal gaps.
    best = int(np.abs(accepted * len(same) - rejected * len(other)).argmin())
    far, frr = accepted[best] / len(other), rejected[best] / len(same)
    return EqualErrorRate(float(far + frr) / 2, float(thresholds[best]), float(far), float(frr))


def _sorted(scores: Sequence[float] | NDArray[np.floating], what: str) -> NDArray[np.float64]:
    array = np.asarray(scores, dtype=np.float64).ravel()
    if not len(array):
        raise InputError(f"there is no {what} trial; an equal error rate needs trials of both kinds")
    if not np.isfinite(array).all():
        row = int((~np.isfinite(array)).argmax())
        raise InputError(
            f"the score {array[row]} of {what} trial {row + 1} is not a finite number; score it or leave it out"
        )
    return np.sort(array)
