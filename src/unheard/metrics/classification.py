"""Scores of predicted classes: WA, UA, recalls, F1 and confusion matrices, in a fold and over folds.

A class that does not occur in the reference has no recall: it is left out of every mean over classes, also when it was
predicted. scikit-learn's ``balanced_accuracy_score`` follows this rule; audmetric's ``unweighted_average_recall`` does
not (reference [0, 0], prediction [0, 1]: 0.25 there, 0.5 here).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unheard.errors import InputError, did_you_mean
from unheard.metrics import counts as of_counts
from unheard.metrics.counts import Floats

#: One label per utterance, strings or integers.
Labels = Sequence[Any] | NDArray[Any] | pd.Series
#: The reference and the predicted labels of one fold.
Fold = tuple[Labels, Labels]


class Spread(NamedTuple):
    """The mean of repeated values and their population standard deviation (ddof 0)."""

    mean: float
    sd: float


def weighted_accuracy(reference: Labels, predicted: Labels) -> float:
    """WA: the share of correct predictions.

    >>> weighted_accuracy(["sad", "sad", "sad", "angry"], ["sad", "sad", "angry", "angry"])
    0.75
    """
    return float(of_counts.accuracy(_counts(reference, predicted)))


def unweighted_accuracy(reference: Labels, predicted: Labels) -> float:
    """UA: the mean of the recalls of the classes that occur in the reference.

    >>> unweighted_accuracy(["sad", "sad", "angry"], ["sad", "happy", "angry"])
    0.75
    """
    return float(of_counts.mean_recall(_counts(reference, predicted)))


def macro_f1(reference: Labels, predicted: Labels) -> float:
    """The mean of the F1 scores of the classes that occur in the reference.

    scikit-learn's ``f1_score(labels=<classes of the reference>, average="macro")``.

    >>> round(macro_f1([0, 0, 1, 1], [0, 1, 1, 1]), 4)
    0.7333
    """
    return float(of_counts.mean_f1(_counts(reference, predicted)))


def recalls(reference: Labels, predicted: Labels, classes: Sequence[Any]) -> dict[Any, float]:
    """The share of each class's utterances that were recognised; NaN for a class that does not occur.

    >>> recalls(["sad", "sad", "angry"], ["sad", "angry", "angry"], ["angry", "happy", "sad"])
    {'angry': 1.0, 'happy': nan, 'sad': 0.5}
    """
    values = of_counts.recalls(confusion(reference, predicted, classes))
    return dict(zip(classes, values.tolist(), strict=True))


def confusion(reference: Labels, predicted: Labels, classes: Sequence[Any]) -> NDArray[np.int64]:
    """Confusion counts [reference class, predicted class], in the order of ``classes``.

    Raises:
        InputError: not one prediction per reference label, no label at all, or one that is missing or not a class.

    >>> confusion(["sad", "sad", "angry"], ["sad", "angry", "angry"], ["angry", "sad"]).tolist()
    [[1, 0], [1, 1]]
    """
    rows, columns = _codes(reference, predicted, classes)
    size = len(classes)
    return np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)


def normalised_confusion(counts: NDArray[Any]) -> Floats:
    """Each row of confusion counts divided by its sum; NaN in the row of a class that does not occur.

    >>> normalised_confusion(np.array([[3, 1], [0, 0]])).tolist()
    [[0.75, 0.25], [nan, nan]]
    """
    shares: Floats = np.full(counts.shape, np.nan)
    totals = counts.sum(axis=-1, keepdims=True)
    np.divide(counts, totals, out=shares, where=totals > 0)
    return shares


def averaged_confusion(folds: Iterable[NDArray[Any]]) -> Floats:
    """The mean over folds of the row-normalised confusion counts of each.

    A row is averaged over the folds in which its class occurs, and NaN where it occurs in none. The mean of the
    diagonal is the fold mean of UA only when every fold has every class.

    >>> averaged_confusion([np.array([[4, 0], [1, 1]]), np.array([[1, 1], [0, 0]])]).tolist()
    [[0.75, 0.25], [0.5, 0.5]]
    """
    return of_counts.present_mean(np.stack([normalised_confusion(counts) for counts in folds]), axis=0)


def pooled(score: Callable[[Labels, Labels], float], folds: Iterable[Fold]) -> float:
    """The score of all folds' utterances together.

    >>> pooled(weighted_accuracy, [([0, 1], [0, 1]), ([1, 1, 1, 1], [0, 0, 1, 1])])
    0.6666666666666666
    """
    references, predictions = zip(*folds, strict=True)
    return score(_joined(references), _joined(predictions))


def fold_mean(score: Callable[[Labels, Labels], float], folds: Iterable[Fold]) -> Spread:
    """The mean of the folds' scores, and their population standard deviation.

    >>> fold_mean(weighted_accuracy, [([0, 1], [0, 1]), ([1, 1, 1, 1], [0, 0, 1, 1])])
    Spread(mean=0.75, sd=0.25)
    """
    return spread([score(reference, predicted) for reference, predicted in folds])


def spread(values: Sequence[float] | Floats) -> Spread:
    """The mean of repeated values (folds, seeds) and their population standard deviation (ddof 0).

    >>> spread([0.5, 0.75])
    Spread(mean=0.625, sd=0.125)
    """
    array = np.asarray(values, dtype=np.float64)
    return Spread(float(array.mean()), float(array.std())) if len(array) else Spread(np.nan, np.nan)


def classes_of(*labels: Labels) -> list[Any]:
    """Every label that occurs, sorted.

    >>> classes_of(["sad", "angry"], ["sad", "happy"])
    ['angry', 'happy', 'sad']

    Raises:
        InputError: a label is missing, or some are strings and others numbers.
    """
    found = pd.unique(_joined(labels))
    if pd.isna(found).any():
        raise InputError("a label is missing; only utterances with a reference and a predicted label have a score")
    try:
        return sorted(found.tolist())
    except TypeError as problem:
        raise InputError("some labels are strings and others numbers; use one kind for both columns") from problem


def _joined(parts: Sequence[Labels]) -> NDArray[Any]:
    # As objects: numpy would make the strings "1" and the integers 1 of two arrays one and the same label.
    return np.concatenate([pd.Series(part).to_numpy(dtype=object) for part in parts])


def _counts(reference: Labels, predicted: Labels) -> NDArray[Any]:
    return confusion(reference, predicted, classes_of(reference, predicted))


def _codes(reference: Labels, predicted: Labels, classes: Sequence[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    if len(reference) != len(predicted):
        raise InputError(
            f"there are {len(reference)} reference labels and {len(predicted)} predictions; "
            "each utterance needs one of both"
        )
    if len(reference) == 0:
        raise InputError(
            "there is no utterance to score; at least one with a reference and a predicted label is needed"
        )
    index = pd.Index(classes)
    if not index.is_unique:
        raise InputError(f"the class {index[index.duplicated()][0]!r} is listed twice; list each class once")
    coded = []
    for labels, what in ((reference, "reference"), (predicted, "predicted")):
        codes = index.get_indexer(pd.Index(labels))
        if (codes < 0).any():
            row = int((codes < 0).argmax())
            label = pd.Series(labels).iloc[row]
            raise InputError(
                f'the {what} label "{label}" of utterance {row + 1} is not a class; '
                f"{did_you_mean(str(label), map(str, classes))}"
            )
        coded.append(codes)
    return coded[0], coded[1]
