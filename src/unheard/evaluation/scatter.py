"""How tight classes lie in a space, and how far apart groups (the genders) lie within a class."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float32]
#: One label per utterance; a missing one is left out.
Labels = pd.Series | NDArray[np.str_]


@dataclass(frozen=True)
class Distance:
    """How far apart two groups lie within a class.

    Attributes:
        between: L2 distance of their centroids.
        spread: root of the mean squared distance of the class's utterances from their own group's centroid.
    """

    between: float
    spread: float


def scatter_ratio(values: Array, labels: Labels) -> float:
    """Within-class over between-class scatter, tr(S_w) / tr(S_b) (Fukunaga 1990, section 10.1): lower is tighter.

    tr(S_w) = Σ ‖x − c‖² over utterances x, with c the centroid of the class; tr(S_b) = Σ n ‖c − m‖² over classes of n
    utterances, with m the mean of all. It does not change when the space is moved, turned or scaled as a whole.

    Args:
        values: [utterances, width].
        labels: the class of each.

    Returns:
        NaN where there are fewer than two classes, or their centroids fall together.

    >>> scatter_ratio(np.array([[0.0], [2.0], [9.0], [11.0]], np.float32), np.array(["a", "a", "b", "b"]))
    0.04938271604938271
    """
    table = pd.DataFrame(np.asarray(values, dtype=np.float64)).groupby(np.asarray(labels, dtype=object))
    sizes, centroids = table.size().to_numpy(), table.mean().to_numpy()
    if len(sizes) < 2:
        return float("nan")
    between = float(sizes @ np.square(centroids - sizes @ centroids / sizes.sum()).sum(axis=1))
    within = float((table.var(ddof=0).to_numpy().sum(axis=1) * sizes).sum())
    return within / between if between > 0 else float("nan")


def group_distances(values: Array, classes: Labels, groups: Labels) -> dict[str, Distance]:
    """How far apart two groups lie within each class that both have at least two utterances of.

    Fan et al. 2020, Table 4, with emotions as classes and genders as groups. With more groups than two it is the mean
    over pairs. Centroids of few utterances lie apart by chance alone.

    Args:
        values: [utterances, width].
        classes, groups: of each utterance.
    """
    points = np.asarray(values, dtype=np.float64)
    of_class, of_group = (np.asarray(labels, dtype=object) for labels in (classes, groups))
    names = sorted(set(of_group[~pd.isna(of_group)]))
    found = {}
    for label in sorted(set(of_class[~pd.isna(of_class)])):
        parts = [points[(of_class == label) & (of_group == name)] for name in names]
        parts = [part for part in parts if len(part) >= 2]
        if len(parts) < 2:
            continue
        apart = [np.linalg.norm(one.mean(axis=0) - other.mean(axis=0)) for one, other in combinations(parts, 2)]
        squares = np.concatenate([np.square(part - part.mean(axis=0)).sum(axis=1) for part in parts])
        found[str(label)] = Distance(float(np.mean(apart)), float(np.sqrt(squares.mean())))
    return found
