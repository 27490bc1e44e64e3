"""The classical baseline: a linear support vector machine on one vector per utterance. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, PositiveFloat

from unheard.errors import InputError
from unheard.metrics.classification import unweighted_accuracy

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: A Newton step that lowers the objective by less than this share of it is the last.
SMALLEST_GAIN = 1e-12


class LinearSvm:
    """Standardisation on the training part and a linear SVM, its cost chosen by speaker folds within that part.

    One class against the rest, with squared hinge loss: for targets y = ±1 and standardised vectors x with a constant 1
    appended, ``min ½‖w‖² + C Σ c·max(0, 1 − y w·x)²``, which is scikit-learn's ``StandardScaler`` and ``LinearSVC``.
    C is chosen as by ``GridSearchCV(cv=GroupKFold(inner_folds), scoring="balanced_accuracy")``: the one with the
    highest UA, averaged over the inner folds; the smallest of equals. Nothing in it is random.

    Args:
        costs: The values of C to choose from.
        inner_folds: Speaker folds to choose by, or as many as there are training speakers.
        class_weights: Let each class weigh the same (c = n / (classes · its n)), instead of each utterance (c = 1).

    >>> svm = LinearSvm(costs=(0.1, 1.0), inner_folds=2)
    >>> svm.fit([[0.0], [1.0], [0.1], [0.9]], [0, 1, 0, 1], ["a", "a", "b", "b"])
    >>> svm.posteriors([[0.2], [2.0]]).argmax(axis=1)
    array([0, 1])
    """

    def __init__(
        self,
        *,
        costs: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0),
        inner_folds: Annotated[int, Field(ge=2)] = 5,
        class_weights: bool = False,
    ) -> None:
        self.costs = tuple(sorted(costs))
        self.inner_folds = inner_folds
        self.class_weights = class_weights

    def fit(self, features: ArrayLike, labels: ArrayLike, groups: ArrayLike) -> None:
        """Learn from vectors [n, values], classes 0 … K−1 [n] (−1 is a missing label) and speakers [n].

        Raises:
            InputError: there are fewer than two classes, or fewer than two speakers to choose among costs by.
        """
        known = np.asarray(labels) >= 0
        x = np.asarray(features, dtype=np.float64)[known]
        y = np.asarray(labels, dtype=np.int64)[known]
        speakers = np.asarray(groups)[known]
        if len(np.unique(y)) < 2:
            raise InputError("the training part has fewer than two emotions; a classifier needs two or more")
        self.cost = self._choose_cost(x, y, speakers) if len(self.costs) > 1 else self.costs[0]
        (self._planes,) = self._fits(x, y, (self.cost,))

    @property
    def shape(self) -> tuple[int, int]:
        """How many classes it tells apart, and from how many values."""
        classes, values = self._planes.weights.shape
        return classes, values

    def decisions(self, features: ArrayLike) -> Floats:
        """How far each vector lies on each class's side, in margins: [n, values] → [n, classes]."""
        return self._planes.decisions(np.asarray(features, dtype=np.float64))

    def posteriors(self, features: ArrayLike) -> Floats:
        """The softmax of :meth:`decisions`, [n, values] → [n, classes].

        The most probable class is the SVM's decision. The probabilities themselves are not calibrated: an SVM
        has none.
        """
        decisions = self.decisions(features)
        exponentials = np.exp(decisions - decisions.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    def state(self) -> dict[str, NDArray[Any]]:
        """Every number that inference needs, by name; what :meth:`from_state` takes."""
        return {"cost": np.array([self.cost]), **vars(self._planes)}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> LinearSvm:
        """The fitted SVM whose :meth:`state` this is.

        Raises:
            InputError: a number is missing, or the sizes do not fit each other.
        """
        try:
            planes = _Planes(*(np.asarray(state[name], dtype=np.float64) for name in _Planes.__annotations__))
            cost = float(state["cost"][0])
        except (KeyError, IndexError) as missing:
            raise InputError(f"the saved SVM has no {missing}; train it again") from None
        classes, values = planes.weights.shape if planes.weights.ndim == 2 else (0, 0)
        if not planes.mean.shape == planes.scale.shape == (values,) or planes.intercepts.shape != (classes,):
            raise InputError("the sizes in the saved SVM do not fit each other; train it again")
        svm = cls(costs=(cost,))
        svm.cost, svm._planes = cost, planes
        return svm

    def _choose_cost(self, x: Floats, y: Integers, speakers: NDArray[Any]) -> float:
        from sklearn.model_selection import GroupKFold  # takes a second to import

        folds = min(self.inner_folds, len(np.unique(speakers)))
        if folds < 2:
            raise InputError(
                "the training part has one speaker, and the SVM's cost is chosen by speaker folds; "
                "give one cost (classifier.costs=[0.01]) or more training speakers"
            )
        scores = []
        for train, held_out in GroupKFold(folds).split(x, groups=speakers):
            if len(np.unique(y[train])) > 1:
                fits = self._fits(x[train], y[train], self.costs)
                predicted = (planes.decisions(x[held_out]).argmax(axis=1) for planes in fits)
                scores.append([unweighted_accuracy(y[held_out], classes) for classes in predicted])
        return self.costs[int(np.mean(scores, axis=0).argmax())] if scores else self.costs[0]

    def _fits(self, x: Floats, y: Integers, costs: tuple[float, ...]) -> Iterator[_Planes]:
        """The SVM for each of the rising costs; each starts from the one before."""
        mean, scale = _standardisation(x)
        points, back = _rotated((x - mean) * scale)
        points = np.hstack([points, np.ones((len(points), 1))])
        counts = np.bincount(y)
        weight = (len(y) / (np.count_nonzero(counts) * counts[y])) if self.class_weights else np.ones(len(y))
        moments = (points.T * weight) @ points
        solutions = np.zeros((len(counts), points.shape[1]))
        # A class without a single utterance is never decided for.
        solutions[counts == 0, -1] = -np.inf
        for cost in costs:
            for label in np.flatnonzero(counts):
                targets = np.where(y == label, 1.0, -1.0)
                solutions[label] = _squared_hinge(points, targets, cost * weight, cost * moments, solutions[label])
            yield _Planes(mean, scale, solutions[:, :-1] @ back, solutions[:, -1].copy())


@dataclass(frozen=True)
class _Planes:
    """Standardisation and one plane per class: mean and scale [values], weights [classes, values], intercepts."""

    mean: Floats
    scale: Floats
    weights: Floats
    intercepts: Floats

    def decisions(self, x: Floats) -> Floats:
        return np.asarray(((x - self.mean) * self.scale) @ self.weights.T + self.intercepts)


def _standardisation(x: Floats) -> tuple[Floats, Floats]:
    """Mean and inverse deviation of each value; 0 for a value that is constant, but for rounding."""
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    varies = deviation > 1e-9 * np.abs(mean)
    return mean, np.where(varies, 1.0, 0.0) / np.where(varies, deviation, 1.0)


def _rotated(x: Floats) -> tuple[Floats, Floats]:
    """``x`` [n, values] in at most n coordinates, and the rows [coordinates, values] that lead back.

    The solution lies in the span of the vectors, and a rotation changes neither its norm nor its margins: thousands of
    values cost no more than there are utterances.
    """
    count, values = x.shape
    if values <= count:
        return x, np.eye(values)
    basis, triangle = np.linalg.qr(x.T)
    return np.ascontiguousarray(triangle.T), np.ascontiguousarray(basis.T)


def _squared_hinge(points: Floats, targets: Floats, costs: Floats, moments: Floats, start: Floats) -> Floats:
    """The minimum of ½‖w‖² + Σ costs·max(0, 1 − targets·(points w))², by Newton's method.

    Where the points inside the margin are known it is a ridge regression on them, so each step solves one, and where
    the set no longer changes the solution is exact (Keerthi & DeCoste 2005; Chapelle 2007, eq. 3.4).

    Args:
        points: [n, coordinates].
        targets: ±1, [n].
        costs: [n].
        moments: ``points.T @ diag(costs) @ points``.
        start: where to begin, [coordinates].
    """
    solution = start
    slack = np.maximum(0.0, 1.0 - targets * (points @ solution))
    objective = 0.5 * solution @ solution + costs @ slack**2
    while True:
        inside = slack > 0.0
        goal = _ridge(points, targets, costs, moments, inside)
        step, lowered = 1.0, np.inf
        while lowered > objective and step > 1e-6:
            candidate = solution + step * (goal - solution)
            slack = np.maximum(0.0, 1.0 - targets * (points @ candidate))
            lowered = 0.5 * candidate @ candidate + costs @ slack**2
            step /= 2.0
        if lowered > objective:
            return solution
        finished = objective - lowered <= SMALLEST_GAIN * objective or np.array_equal(slack > 0.0, inside)
        solution, objective = candidate, lowered
        if finished:
            return solution


def _ridge(points: Floats, targets: Floats, costs: Floats, moments: Floats, inside: NDArray[np.bool_]) -> Floats:
    """The minimum of ½‖w‖² + Σ costs·(targets − points w)² over the points inside."""
    from scipy.linalg import solve  # takes a while to import

    few = inside if 2 * np.count_nonzero(inside) <= len(inside) else ~inside
    part = (points[few].T * costs[few]) @ points[few]
    second = part if few is inside else moments - part
    first = points[inside].T @ (costs[inside] * targets[inside])
    return np.asarray(solve(2.0 * second + np.eye(len(second)), 2.0 * first, assume_a="pos"))
