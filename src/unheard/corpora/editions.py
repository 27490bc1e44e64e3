"""The counts by which an edition of a published corpus is known, and how far a table is from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

#: How many utterances have each value of a column. Under :data:`TOTAL` stands how many there are altogether, where some
#: have another value or none; without it there must be no others.
Edition = Mapping[str, int]
TOTAL = "utterances"
#: Under this an edition counts the utterances without a value.
NO_LABEL = "no label"


@dataclass(frozen=True)
class Nearest:
    """The edition nearest to a table, and each value whose count differs: what was found, and what was expected."""

    name: str
    differences: Mapping[str, tuple[int, int]]


def nearest_edition(values: Iterable[Any], editions: Mapping[str, Edition], whole: bool = True) -> Nearest | None:
    """The edition that the fewest utterances keep from being these values; None where no edition is known.

    Args:
        values: of the counted column, one per utterance; a missing one counts as :data:`NO_LABEL`.
        editions: by name.
        whole: whether all values of an edition must be there; otherwise only those that are found are compared.

    >>> editions = {"published": {"angry": 2, "sad": 2, TOTAL: 5}, "without excerpts": {"angry": 1, "sad": 1}}
    >>> nearest_edition(["angry", "angry", "sad", "sad", None], editions)
    Nearest(name='published', differences={})
    >>> nearest_edition(["angry", "sad", "fear"], editions)
    Nearest(name='without excerpts', differences={'fear': (1, 0)})
    """
    found = Counter(NO_LABEL if pd.isna(value) else str(value) for value in values)
    candidates = [Nearest(name, _differences(found, counts, whole)) for name, counts in editions.items()]
    return min(candidates, key=_distance, default=None)


def _differences(found: Counter[str], edition: Edition, whole: bool) -> dict[str, tuple[int, int]]:
    expected = {value: count for value, count in edition.items() if value != TOTAL}
    if not whole:
        expected = {value: count for value, count in expected.items() if value in found}
    if TOTAL not in edition:
        expected = dict.fromkeys(found, 0) | expected
    counts = {value: (found[value], count) for value, count in expected.items()}
    if TOTAL in edition:
        counts[TOTAL] = (found.total(), edition[TOTAL])
    return {value: pair for value, pair in sorted(counts.items()) if pair[0] != pair[1]}


def _distance(nearest: Nearest) -> int:
    return sum(abs(found - expected) for found, expected in nearest.differences.values())
