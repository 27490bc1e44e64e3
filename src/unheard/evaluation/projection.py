"""A picture of embeddings and the numbers beside it: do they lie by emotion, or by speaker?"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
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
    keep_arrays(folder / EMBEDDINGS, {part: standardized(values).astype(np.float16)})


def read_embeddings(folder: Path) -> tuple[str, Array] | None:
    """Whose embeddings a run kept, and these [utterances, width], standardised; None where it kept none.

    Raises:
        InputError: the file is not what was written.
    """
    kept = read_arrays(folder / EMBEDDINGS)
    if len(kept) > 1:
        raise _damaged(folder / EMBEDDINGS)
    return next(iter(kept.items()), None)


def keep_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays under their names into one compressed file."""
    buffer = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez_compressed(buffer, **named)
    write_atomically(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, Array]:
    """The arrays of a file in single precision; none where there is no file.

    Raises:
        InputError: the file is not what was written.
    """
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: values.astype(np.float32) for name, values in arrays.items()}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, TypeError) as problem:
        raise _damaged(path) from problem


def _damaged(path: Path) -> InputError:
    return InputError(f"{path}: this file is damaged; delete it, and the report does without it")


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
