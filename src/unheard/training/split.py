"""A part of a fold as training sees it: utterances with their fixed features."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unheard.corpora import Corpus

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Split:
    """Rows of a corpus and their fixed features [time, ...], in the same order."""

    table: pd.DataFrame
    features: Sequence[Array]

    @classmethod
    def of(cls, corpus: Corpus, features: Sequence[Array], rows: Iterable[int]) -> Split:
        """The utterances at positions ``rows``."""
        rows = list(rows)
        return cls(corpus.table.iloc[rows].reset_index(drop=True), [features[row] for row in rows])

    def __len__(self) -> int:
        return len(self.table)

    def __reduce__(self) -> tuple[Callable[..., Split], tuple[Any, ...]]:
        # A process that gets this maps the same files, instead of being sent gigabytes.
        return _reopened, (self.table, [_place(values) for values in self.features])

    def joined(self, other: Split) -> Split:
        """The utterances of both."""
        return Split(pd.concat([self.table, other.table], ignore_index=True), [*self.features, *other.features])


def _place(values: Array) -> Array | tuple[str, int, tuple[int, ...], str]:
    """File, offset, shape and type of an array that is memory-mapped; any other as it is."""
    if not isinstance(values, np.memmap) or not values.flags.c_contiguous:
        return values
    mapped = values
    while isinstance(mapped.base, np.memmap):
        mapped = mapped.base
    start = mapped.offset + values.ctypes.data - mapped.ctypes.data
    return str(mapped.filename), start, values.shape, values.dtype.str


def _reopened(table: pd.DataFrame, places: list[Any]) -> Split:
    files = {place[0] for place in places if isinstance(place, tuple)}
    bytes_of = {file: np.memmap(file, mode="r") for file in files}

    def array(file: str, start: int, shape: tuple[int, ...], dtype: str) -> Array:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return bytes_of[file][start : start + size].view(dtype).reshape(shape)

    return Split(table, [array(*place) if isinstance(place, tuple) else place for place in places])
