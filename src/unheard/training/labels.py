"""What the terms of a recipe learn from: the classes of their columns, and a number for every utterance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.recipe import Recipe, TermPart
from unheard.training.split import Split


@dataclass(frozen=True)
class Labels:
    """The labels of the training utterances, followed by those of the auxiliary ones.

    Attributes:
        vocabularies: by term, of those that have a column.
        numbers: by column, of every utterance; −1 is missing.
        dropped: the optional terms without labels, and why.
    """

    vocabularies: dict[str, Vocabulary]
    numbers: dict[str, NDArray[np.int64]]
    dropped: dict[str, str]

    @classmethod
    def of(cls, recipe: Recipe, train: Split, auxiliary: Split | None = None) -> Labels:
        """The labels that the recipe's terms ask for.

        Raises:
            InputError: a term that is not optional has none, or one class only.
        """
        parts = {"train": train.table} | ({"auxiliary": auxiliary.table} if auxiliary else {})
        labels = cls({}, {}, {})
        for name, term in recipe.terms.items():
            column = term.settings.get("column")
            if column is None:
                continue
            values = _values(column, term, parts)
            try:
                if values.isna().all():
                    raise InputError(_nothing(recipe.name, name, column, term, parts.values()))
                words = Vocabulary.fit(values, column)
            except InputError as problem:
                if not term.optional:
                    raise
                labels.dropped[name] = str(problem)
                continue
            labels.vocabularies[name], labels.numbers[column] = words, words.encode(values)
        return labels


def _values(column: str, term: TermPart, parts: dict[str, pd.DataFrame]) -> pd.Series:
    """A column over all utterances, missing where a part has no such column or the term does not learn from it."""
    return pd.concat(
        [
            table[column] if column in table and term.data in (part, "both") else pd.Series(None, table.index, "object")
            for part, table in parts.items()
        ],
        ignore_index=True,
    )


def _nothing(recipe: str, name: str, column: str, term: TermPart, tables: Iterable[pd.DataFrame]) -> str:
    """Why a term has no label at all."""
    if not any(column in table for table in tables):
        return f'recipe {recipe}: the term "{name}" needs the column "{column}"'
    whose = {"train": "training", "auxiliary": "auxiliary", "both": "training"}[term.data]
    return f'recipe {recipe}: the term "{name}" finds no value in the column "{column}" of the {whose} data'
