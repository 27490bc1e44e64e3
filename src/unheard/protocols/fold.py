"""What a fold and a protocol are, and what every protocol asks of a corpus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

    ``of_each`` is how many utterances of each emotion were drawn to train on; None where all train that are left.
    """

    name: str
    train: Rows
    dev: Rows
    test: Rows
    of_each: int | None = None

    def __post_init__(self) -> None:
        for part in ("train", "dev", "test"):
            # Half the memory of intp: leave-one-out over 500 speakers of 100,000 utterances holds 50 million positions.
            object.__setattr__(self, part, np.asarray(getattr(self, part), dtype=np.int32))
        if self.test.size == 0:
            raise InputError(f'the fold "{self.name}" has no test utterance; a fold needs at least one')


#: Two parts of a fold that may be kept apart: ``TEST_TRAIN`` says that no value of a column in test is in train.
TEST_TRAIN, TEST_DEV, DEV_TRAIN = PAIRS = ("test-train", "test-dev", "dev-train")


@dataclass(frozen=True)
class Protocol:
    """A named rule that cuts a corpus into folds, and what it promises about them.

    Attributes:
        name: as the user wrote it, arguments included, e.g. ``speaker-folds:5``.
        apart: what it promises: for a column, the pairs of parts (:data:`PAIRS`) that share no value of it.
        description: one sentence for people.
        cut: from a corpus and a seed to the folds.
    """

    name: str
    apart: Mapping[str, tuple[str, ...]]
    description: str
    cut: Callable[[Corpus, int], list[Fold]]

    @property
    def speaker_independent(self) -> bool:
        """Whether it promises that no test speaker is in train, nor in dev."""
        return {TEST_TRAIN, TEST_DEV} <= set(self.apart.get("speaker", ()))

    @property
    def dev_like_train(self) -> bool:
        """Whether dev utterances may be learned from: what it promises to keep out of train is not in dev either."""
        return all(TEST_DEV in pairs for pairs in self.apart.values() if TEST_TRAIN in pairs)

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
            if fold.train.size == 0:
                raise InputError(
                    f'{corpus.source}: {self.name} leaves nothing to train on in its fold "{fold.name}"; add utterances'
                )
        return folds


def labelled(corpus: Corpus, *further: str) -> Rows:
    """Positions of the utterances that have an emotion and a speaker: only these take part in folds.

    Args:
        corpus: the utterances.
        further: columns that they need a value in as well.

    Raises:
        InputError: a column is missing, no utterance has all, or there is one emotion only.
    """
    needed = ("emotion", "speaker", *further)
    rows = np.flatnonzero(np.logical_and.reduce([corpus.column(column).notna().to_numpy() for column in needed]))
    emotions = corpus.table["emotion"].iloc[rows].unique()
    if rows.size == 0:
        which = "both an emotion and a speaker" if not further else f"all of {', '.join(needed)}"
        raise InputError(f"{corpus.source}: no utterance has {which}; give them, folds are cut by them")
    if len(emotions) == 1:
        raise InputError(
            f'{corpus.source}: every utterance is labelled "{emotions[0]}"; there is nothing to tell apart, '
            "add utterances of a second emotion"
        )
    return rows


def needs(corpus: Corpus, column: str, protocol: str) -> None:
    """See to it that there is something in a column that ``protocol`` cuts by.

    Raises:
        InputError: there is not.
    """
    if column not in corpus.table or corpus.table[column].isna().all():
        state = "empty" if column in corpus.table else "missing"
        raise InputError(
            f'{corpus.source}: {protocol} cuts by the column "{column}", which is {state}; fill it in, or take another '
            "protocol (`unheard protocols` lists them)"
        )


def speakers_of(corpus: Corpus, rows: Rows, protocol: str, at_least: int) -> NDArray[np.str_]:
    """The speaker of each of these utterances.

    Raises:
        InputError: there are fewer speakers than ``protocol`` needs.
    """
    speakers = corpus.table["speaker"].iloc[rows].to_numpy(dtype=np.str_)
    found = np.unique(speakers).size
    if found < at_least:
        fewer = protocol.startswith("speaker-folds") and found >= 3
        remedy = f"take fewer, for example speaker-folds:{found}, or add speakers" if fewer else "add speakers"
        have = "1 speaker has" if found == 1 else f"{found} speakers have"
        raise InputError(
            f"{corpus.source}: {protocol} needs at least {at_least} speakers, and {have} utterances with an emotion; "
            f"{remedy}"
        )
    return speakers


def in_turn(rows: Rows, group: Rows, k: int) -> list[Fold]:
    """``k`` folds from the group of each row: fold i tests group i and takes group i + 1 (cyclic) as dev."""
    return [fold_of(str(index + 1), rows, group == (index + 1) % k, group == index) for index in range(k)]


def fold_of(name: str, rows: Rows, dev: NDArray[np.bool_], test: NDArray[np.bool_]) -> Fold:
    """The fold that tests and selects by those of ``rows`` where a mask is true, and trains on the others."""
    return Fold(name=str(name), train=rows[~(dev | test)], dev=rows[dev], test=rows[test])
