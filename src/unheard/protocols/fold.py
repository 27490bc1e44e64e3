"""What a fold and a protocol are, and what every protocol asks of a corpus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Fold:
    """One cut of a corpus: positions of rows of its table to train on, to select by and to test on.

    ``train`` and ``dev`` may be empty (other people's splits have no dev part), ``test`` never is. That the parts are
    disjoint is what :meth:`Protocol.folds` sees to and the audit finds out about folds from elsewhere.
    """

    name: str
    train: Rows
    dev: Rows
    test: Rows

    def __post_init__(self) -> None:
        for part in ("train", "dev", "test"):
            object.__setattr__(self, part, np.asarray(getattr(self, part), dtype=np.intp))
        if self.test.size == 0:
            raise InputError(f'the fold "{self.name}" has no test utterance; a fold needs at least one')


@dataclass(frozen=True)
class Protocol:
    """A named rule that cuts a corpus into folds, and what it promises about them.

    Attributes:
        name: as the user wrote it, arguments included, e.g. ``speaker-folds:5``.
        speaker_independent: it promises that no test or dev speaker is in train, and no test speaker in dev.
        keeps_apart: the column of which it promises that no value in train is in dev or test.
        description: one sentence for people.
        cut: from a corpus and a seed to the folds.
    """

    name: str
    speaker_independent: bool
    keeps_apart: str | None
    description: str
    cut: Callable[[Corpus, int], list[Fold]]

    def folds(self, corpus: Corpus, seed: int = 0) -> list[Fold]:
        """The folds of a corpus, the same for the same seed.

        Raises:
            InputError: the corpus lacks a column, or has too few speakers, utterances or emotions for this protocol.
        """
        folds = self.cut(corpus, seed)
        for fold in folds:
            rows = np.concatenate([fold.train, fold.dev, fold.test])
            if np.bincount(rows).max() > 1:
                raise ValueError(f'the protocol "{self.name}" put an utterance twice into the fold "{fold.name}"')
        return folds


def labelled(corpus: Corpus) -> Rows:
    """Positions of the utterances that have an emotion and a speaker: only these take part in folds.

    Raises:
        InputError: a column is missing, no utterance has both, or there is one emotion only.
    """
    both = corpus.column("emotion").notna() & corpus.column("speaker").notna()
    rows = np.flatnonzero(both.to_numpy())
    emotions = corpus.table["emotion"].iloc[rows].unique()
    if rows.size == 0:
        raise InputError(
            f"{corpus.source}: no utterance has both an emotion and a speaker; give them both, folds are cut by them"
        )
    if len(emotions) == 1:
        raise InputError(
            f'{corpus.source}: every utterance is labelled "{emotions[0]}"; there is nothing to tell apart, '
            "add utterances of a second emotion"
        )
    return rows


def speakers_of(corpus: Corpus, rows: Rows, protocol: str, at_least: int) -> NDArray[np.str_]:
    """The speaker of each of these utterances.

    Raises:
        InputError: there are fewer speakers than ``protocol`` needs.
    """
    speakers = corpus.table["speaker"].iloc[rows].to_numpy(dtype=np.str_)
    found = np.unique(speakers).size
    if found < at_least:
        remedy = f"take fewer folds (speaker-folds:{found}) or add speakers" if found >= 3 else "add speakers"
        have = "1 speaker has" if found == 1 else f"{found} speakers have"
        raise InputError(
            f"{corpus.source}: {protocol} needs at least {at_least} speakers, and {have} utterances with an emotion; "
            f"{remedy}"
        )
    return speakers


def number_of_folds(text: str, protocol: str) -> int:
    """``text`` as a number of folds, at least three: one to test, one to select by, the rest to train.

    Raises:
        InputError: it is not a whole number, or less than three.
    """
    try:
        k = int(text)
    except ValueError:
        k = 0
    if k < 3:
        raise InputError(
            f'{protocol}: the number of folds "{text}" is not a whole number from 3 up (one fold to test, one to '
            f"select by, the rest to train); write for example {protocol.partition(':')[0]}:5"
        )
    return k


def in_turn(rows: Rows, group: Rows, k: int) -> list[Fold]:
    """``k`` folds from the group of each row: fold i tests group i and takes group i + 1 (cyclic) as dev."""
    return [fold_of(str(index + 1), rows, group == (index + 1) % k, group == index) for index in range(k)]


def fold_of(name: str, rows: Rows, dev: NDArray[np.bool_], test: NDArray[np.bool_]) -> Fold:
    """The fold that tests and selects by those of ``rows`` where a mask is true, and trains on the others."""
    return Fold(name=str(name), train=rows[~(dev | test)], dev=rows[dev], test=rows[test])
