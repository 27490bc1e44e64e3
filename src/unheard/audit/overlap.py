"""What the parts of folds share: utterances, recordings, copies of recordings, speakers, sessions, texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unheard.corpora.corpus import Corpus
from unheard.protocols.fold import Fold, Rows

#: Names of what may be shared beside the columns: rows of the table, equal files, equal sound.
UTTERANCE, IDENTICAL, ALIKE = "utterance", "recording", "near-identical recording"
#: What is looked at in every corpus that has the column.
COLUMNS = ("speaker", "session", "text")

Codes = NDArray[np.int32]
_Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Overlap:
    """How many values of a column (speakers, texts, recordings) two parts of a fold share, and how many there are.

    Over several folds a value counts once, however many folds share it.
    """

    test: int
    dev: int
    test_in_train: int
    test_in_dev: int
    dev_in_train: int


@dataclass(frozen=True)
class FoldAudit:
    """What one fold holds.

    Attributes:
        train, dev, test: utterances of each part.
        repeated: utterances that stand more than once in one part.
        overlaps: what the parts share, by column.
        untrained: emotions that are tested and have no utterance in train.
    """

    name: str
    train: int
    dev: int
    test: int
    repeated: int
    overlaps: Mapping[str, Overlap]
    untrained: tuple[str, ...]


def codes_of(corpus: Corpus, promised: Iterable[str] = ()) -> dict[str, Codes]:
    """What parts of a fold may share, each as integers [utterances], −1 where a value is missing.

    Only what the corpus has: identical recordings by the column ``digest``, near-identical ones by ``likeness``.
    """
    table = corpus.table
    codes: dict[str, Codes] = {UTTERANCE: np.arange(len(table), dtype=np.int32)}
    if "digest" in table:
        # Parts of one recording are different audio, so where a part starts and ends belongs to it.
        columns = [column for column in ("digest", "start", "end") if column in table]
        file = table.groupby(columns, dropna=False, sort=False).ngroup().to_numpy(dtype=np.int32)
        codes[IDENTICAL] = np.where(table["digest"].isna(), np.int32(-1), file)
    if "likeness" in table:
        codes[ALIKE] = factorized(table["likeness"])[0]
    for column in dict.fromkeys((*COLUMNS, *promised)):
        if column in table and table[column].notna().any():
            codes[column] = factorized(table[column])[0]
    return codes


def factorized(values: pd.Series) -> tuple[Codes, list[str]]:
    """Values as integers, −1 where one is missing, and the values by their integers."""
    codes, names = pd.factorize(values)
    return np.asarray(codes).astype(np.int32), list(map(str, names))


def audit_folds(
    corpus: Corpus, folds: Sequence[Fold], codes: Mapping[str, Codes]
) -> tuple[tuple[FoldAudit, ...], dict[str, Overlap]]:
    """What each fold holds, and what is shared over all of them (nothing, where there is no fold)."""
    emotion, names = factorized(corpus.table.get("emotion", pd.Series(None, corpus.table.index, dtype="str")))
    columns = {column: _Column(code) for column, code in codes.items()}
    found = []
    for fold in folds:
        trained = present(emotion, fold.train, len(names))
        untrained = present(emotion, fold.test, len(names)) & ~trained
        found.append(
            FoldAudit(
                name=fold.name,
                train=fold.train.size,
                dev=fold.dev.size,
                test=fold.test.size,
                repeated=sum(_repeated(rows, len(corpus)) for rows in (fold.train, fold.dev, fold.test)),
                overlaps={column: counted.overlap(fold) for column, counted in columns.items()},
                untrained=tuple(sorted(names[index] for index in np.flatnonzero(untrained))),
            )
        )
    return tuple(found), {column: counted.anywhere() for column, counted in columns.items()} if folds else {}


@dataclass
class _Column:
    """Counts what parts of folds share of one column, and remembers it over folds."""

    code: Codes
    values: int = field(init=False)
    #: For each of Overlap's five counts, which values are among them in any fold.
    seen: list[_Mask] = field(init=False)

    def __post_init__(self) -> None:
        self.values = int(self.code.max(initial=-1)) + 1
        self.seen = [np.zeros(self.values, dtype=bool) for _ in range(5)]

    def overlap(self, fold: Fold) -> Overlap:
        # Test and dev are mostly small: what they share is asked of their values only.
        train, dev = (present(self.code, rows, self.values) for rows in (fold.train, fold.dev))
        tested, selected = np.flatnonzero(present(self.code, fold.test, self.values)), np.flatnonzero(dev)
        shared = [tested, selected, tested[train[tested]], tested[dev[tested]], selected[train[selected]]]
        for seen, values in zip(self.seen, shared, strict=True):
            seen[values] = True
        return Overlap(*map(len, shared))

    def anywhere(self) -> Overlap:
        return Overlap(*(int(seen.sum()) for seen in self.seen))


def present(code: Codes, rows: Rows, values: int) -> _Mask:
    """Which values occur in these rows, [values]."""
    mask = np.zeros(values + 1, dtype=bool)
    mask[code[rows]] = True  # a missing value, −1, goes to the last place, which is cut off
    return mask[:-1]


def _repeated(rows: Rows, utterances: int) -> int:
    once = np.zeros(utterances, dtype=bool)
    once[rows] = True
    if np.count_nonzero(once) == rows.size:
        return 0
    return int((np.bincount(rows) > 1).sum())


def shared_pairs(folds: Sequence[Fold], code: Codes, most: int) -> list[tuple[int, int]]:
    """Rows of test and train of the same fold that share a value, one pair per value, at most so many."""
    found: dict[int, tuple[int, int]] = {}
    values = int(code.max(initial=-1)) + 1
    for fold in folds:
        shared = np.flatnonzero(present(code, fold.test, values) & present(code, fold.train, values))
        for value in shared:
            if len(found) == most:
                return list(found.values())
            one, other = (int(rows[np.argmax(code[rows] == value)]) for rows in (fold.test, fold.train))
            found.setdefault(int(value), (one, other))
    return list(found.values())


def groups(code: Codes, names: pd.Series) -> tuple[tuple[str, ...], ...]:
    """The names of rows that have the same value, for each value that two rows or more have.

    >>> groups(np.array([1, 2, 1, -1, -1], np.int32), pd.Series([*"abcde"]))
    (('a', 'c'),)
    """
    twice = np.flatnonzero((code >= 0) & pd.Series(code).duplicated(keep=False).to_numpy())
    found: dict[int, list[str]] = {}
    for value, name in zip(code[twice], names.iloc[twice], strict=True):
        found.setdefault(int(value), []).append(str(name))
    return tuple(map(tuple, found.values()))
