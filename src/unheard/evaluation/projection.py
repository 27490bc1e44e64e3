"""A picture of embeddings and the numbers beside it: do they lie by emotion, or by speaker?"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unheard.errors import InputError
from unheard.files import write_atomically

Array = NDArray[np.float32]

#: The file in which a run keeps them.
EMBEDDINGS = "embeddings.npz"
#: Fewer points than this make no picture.
FEWEST = 5


def standardized(values: Array) -> Array:
    """Each value minus its mean over utterances, by its standard deviation; one that never changes becomes 0.

    >>> standardized(np.array([[1, 7], [3, 7]], np.float32)).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    values = values.astype(np.float64)  # functionals reach 1e12
    deviation = values.std(axis=0)
    moves = deviation > 1e-9 * np.abs(values).max(axis=0, initial=0)
    result: Array = ((values - values.mean(axis=0)) * moves / np.where(moves, deviation, 1)).astype(np.float32)
    return result


def keep_embeddings(folder: Path, part: str, values: Array) -> None:
    """Write the embeddings of a part (``dev``), standardised and in half precision: two bytes a value.

    Args:
        folder: of the run.
        part: whose they are; the name of the array in the file.
        values: [utterances, width].
    """
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {part: standardized(values).astype(np.float16)}
    np.savez_compressed(buffer, **arrays)
    write_atomically(folder / EMBEDDINGS, buffer.getvalue())


def read_embeddings(folder: Path) -> tuple[str, Array] | None:
    """Whose embeddings a run kept, and these [utterances, width], standardised; None where it kept none.

    Raises:
        InputError: the file is not what was written.
    """
    path = folder / EMBEDDINGS
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            ((part, values),) = arrays.items()
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as problem:
        raise InputError(f"{path}: this file is damaged; delete it, and the report does without it") from problem
    return part, values.astype(np.float32)


def project(values: Array, seed: int = 0) -> Array | None:
    """t-SNE of embeddings [utterances, width] → [utterances, 2], from their first two principal components.

    The perplexity is 30, or a third of the points where that is less.

    Returns:
        None where there is nothing to see: fewer than five points, or all of them the same.
    """
    from sklearn.manifold import TSNE

    if len(values) < FEWEST or values.shape[1] < 2 or not (values != values[0]).any():
        return None
    made = TSNE(2, perplexity=min(30.0, (len(values) - 1) / 3), init="pca", random_state=seed)
    points: Array = made.fit_transform(values.astype(np.float32))
    return points


def silhouette(values: Array, labels: NDArray[np.str_]) -> float:
    """Rousseeuw's (1987) silhouette, the mean over utterances: 1 groups far apart, 0 mingled, below in the wrong one.

    Args:
        values: [utterances, width].
        labels: the group of each.

    Returns:
        NaN where there are fewer than two groups, or as many as utterances.
    """
    from sklearn.metrics import silhouette_score

    groups = len(np.unique(labels))
    if not 2 <= groups < len(values):
        return float("nan")
    return float(silhouette_score(values, labels))
