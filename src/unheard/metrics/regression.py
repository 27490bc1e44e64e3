"""Agreement of predicted and annotated valence, activation and dominance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unheard.errors import InputError

Numbers = Sequence[float] | NDArray[np.floating]


def concordance(reference: Numbers, predicted: Numbers) -> float:
    """CCC, the concordance correlation coefficient (Lin 1989), with population moments.

    2·cov / (var_r + var_p + (mean_r − mean_p)²), from −1 to 1; NaN where both are constant and equal.

    >>> round(concordance([0, 1, 2], [0, 1, 1]), 6)
    0.666667

    Raises:
        InputError: not one prediction per reference value, none at all, or one that is not a finite number.
    """
    first, second = _pair(reference, predicted)
    shift = first.mean() - second.mean()
    first, second = first - first.mean(), second - second.mean()
    total = first @ first + second @ second + len(first) * shift**2
    return float(2 * (first @ second) / total) if total > 0 else float("nan")


def pearson(reference: Numbers, predicted: Numbers) -> float:
    """Pearson's correlation coefficient; NaN where one of the two is constant.

    >>> pearson([0, 1, 0, 1], [2, 4, 2, 4])
    1.0

    Raises:
        InputError: as in :func:`concordance`.
    """
    first, second = _pair(reference, predicted)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    first, second = first - first.mean(), second - second.mean()
    # Each by its own length: the product of two squared lengths may overflow or vanish.
    return float((first / np.linalg.norm(first)) @ (second / np.linalg.norm(second)))


def _pair(reference: Numbers, predicted: Numbers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = np.asarray(reference, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise InputError(
            f"there are {first.size} reference values and {second.size} predictions; "
            "each utterance needs one of both, and there must be at least one utterance"
        )
    for values, what in ((first, "reference"), (second, "predicted")):
        if not np.isfinite(values).all():
            row = int((~np.isfinite(values)).argmax())
            raise InputError(
                f"the {what} value of utterance {row + 1} is {values[row]}; leave out what has no finite value"
            )
    return first, second
