"""From the values of a metadata column to class numbers and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unheard.errors import InputError


@dataclass(frozen=True)
class Vocabulary:
    """The classes of one column, as they occur in the training part of a fold.

    >>> words = Vocabulary.fit(pd.Series(["sad", "angry", None, "sad"]), "emotion")
    >>> words.classes
    ('angry', 'sad')
    >>> words.encode(pd.Series(["sad", "happy", None])).tolist()
    [1, -1, -1]
    """

    column: str
    classes: tuple[str, ...]

    @classmethod
    def fit(cls, values: pd.Series, column: str) -> Vocabulary:
        """The sorted values that occur.

        Raises:
            InputError: fewer than two do, so that there is nothing to tell apart.
        """
        classes = tuple(sorted(map(str, values.dropna().unique())))
        if len(classes) < 2:
            found = f'only "{classes[0]}"' if classes else "no value"
            raise InputError(
                f'the training part has {found} in the column "{column}"; a term on it needs two or more classes'
            )
        return cls(column, classes)

    def __len__(self) -> int:
        return len(self.classes)

    def encode(self, values: pd.Series) -> NDArray[np.int64]:
        """Class numbers [utterances]; −1 where the value is missing or was not in training."""
        numbers = pd.Index(self.classes).get_indexer(pd.Index(values.map(str, na_action="ignore")))
        return np.asarray(numbers, dtype=np.int64)
