"""A part of a fold as training sees it: utterances with their fixed features."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unheard.corpora import Corpus


@dataclass(frozen=True)
class Split:
    """Rows of a corpus and their fixed features [time, ...], in the same order."""

    table: pd.DataFrame
    features: Sequence[NDArray[np.float32]]

    @classmethod
    def of(cls, corpus: Corpus, features: Sequence[NDArray[np.float32]], rows: Iterable[int]) -> Split:
        """The utterances at positions ``rows``."""
        rows = list(rows)
        return cls(corpus.table.iloc[rows].reset_index(drop=True), [features[row] for row in rows])

    def __len__(self) -> int:
        return len(self.table)

    def joined(self, other: Split) -> Split:
        """The utterances of both."""
        return Split(pd.concat([self.table, other.table], ignore_index=True), [*self.features, *other.features])
