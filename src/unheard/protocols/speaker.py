"""Protocols that test on speakers nobody heard in training: one by one, in folds, or held out once."""

from __future__ import annotations

import math

import numpy as np

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols.fold import Fold, Protocol, fold_of, in_turn, labelled, number_of_folds, speakers_of
from unheard.seeds import generator


def leave_one_speaker_out() -> Protocol:
    """Every speaker is tested once; the next speaker (in sorted order, the first after the last) is dev."""
    name = "leave-one-speaker-out"

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        rows = labelled(corpus)
        speakers = speakers_of(corpus, rows, name, at_least=3)
        names, speaker = np.unique(speakers, return_inverse=True)
        return [
            fold_of(tested, rows, dev=speaker == (index + 1) % names.size, test=speaker == index)
            for index, tested in enumerate(names)
        ]

    return Protocol(
        name=name,
        speaker_independent=True,
        keeps_apart="speaker",
        description="One fold per speaker: that speaker is tested, the next one is dev, the others train.",
        cut=cut,
    )


def speaker_folds(k: str) -> Protocol:
    """The speakers in ``k`` groups of about as many utterances, each group tested once, the next group dev.

    The test sets are those of scikit-learn's ``GroupKFold(n_splits=k)`` with the speaker as group, over the
    utterances that have an emotion and a speaker in the order of the table. It does not depend on the seed.

    Raises:
        InputError: ``k`` is not a whole number from 3 up.
    """
    name = f"speaker-folds:{k}"
    number = number_of_folds(k, name)

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        from sklearn.model_selection import GroupKFold

        rows = labelled(corpus)
        speakers = speakers_of(corpus, rows, name, at_least=number)
        group = np.empty(rows.size, dtype=np.intp)
        for index, (_, test) in enumerate(GroupKFold(n_splits=number).split(rows, groups=speakers)):
            group[test] = index
        return in_turn(rows, group, number)

    return Protocol(
        name=name,
        speaker_independent=True,
        keeps_apart="speaker",
        description=f"The speakers in {number} groups (scikit-learn's GroupKFold): one is tested, the next is dev.",
        cut=cut,
    )


def speaker_holdout(share: str = "0.2") -> Protocol:
    """One fold: ``share`` of the speakers, drawn by the seed, are tested, as many others are dev, the rest train.

    At least one speaker each; what is not a whole speaker is rounded down.

    Raises:
        InputError: ``share`` is not a number between 0 and 0.5.
    """
    name = f"speaker-holdout:{share}"
    try:
        fraction = float(share)
    except ValueError:
        fraction = math.nan
    if not 0 < fraction < 0.5:
        raise InputError(
            f'{name}: the share "{share}" is not a number between 0 and 0.5 (as many speakers again are dev); write '
            "for example speaker-holdout:0.2"
        )

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        rows = labelled(corpus)
        speakers = speakers_of(corpus, rows, name, at_least=3)
        names = generator(seed, "speaker-holdout").permutation(np.unique(speakers))
        count = max(1, math.floor(fraction * names.size + 1e-9))
        test, dev = names[:count], names[count : 2 * count]
        return [fold_of("holdout", rows, np.isin(speakers, dev), np.isin(speakers, test))]

    return Protocol(
        name=name,
        speaker_independent=True,
        keeps_apart="speaker",
        description=f"One fold: {fraction:.4g} of the speakers, drawn by the seed, are tested, as many others are dev.",
        cut=cut,
    )
