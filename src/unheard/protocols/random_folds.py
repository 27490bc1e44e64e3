"""The protocol everyone should distrust: folds drawn at random, so that test speakers are heard in training."""

from __future__ import annotations

import warnings

import numpy as np

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols.arguments import number_of_folds
from unheard.protocols.fold import Fold, Protocol, in_turn, labelled
from unheard.seeds import derive


def random_folds(k: str) -> Protocol:
    """The utterances in ``k`` random groups of like emotions, each tested once, the next one dev: SPEAKER-DEPENDENT.

    The test sets are those of scikit-learn's ``StratifiedKFold(n_splits=k, shuffle=True)`` over the utterances that
    have an emotion and a speaker, shuffled by the seed.

    Raises:
        InputError: ``k`` is not a whole number from 3 up.
    """
    name = f"random-folds:{k}"
    number = number_of_folds(k, name)

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        from sklearn.model_selection import StratifiedKFold

        rows = labelled(corpus)
        emotions = corpus.table["emotion"].iloc[rows].to_numpy(dtype=np.str_)
        largest = int(np.unique(emotions, return_counts=True)[1].max())
        if largest < number:
            raise InputError(
                f"{corpus.source}: {name} needs an emotion with at least {number} utterances, and the most frequent "
                f"has {largest}; take fewer folds or add utterances"
            )
        splitter = StratifiedKFold(n_splits=number, shuffle=True, random_state=derive(seed, "random-folds") % 2**32)
        group = np.empty(rows.size, dtype=np.intp)
        with warnings.catch_warnings():
            # An emotion of fewer than k utterances cannot be in every fold; the audit says which fold lacks it.
            warnings.filterwarnings("ignore", message="The least populated class")
            for index, (_, test) in enumerate(splitter.split(rows, emotions)):
                group[test] = index
        return in_turn(rows, group, number)

    return Protocol(
        name=name,
        apart={},
        description=f"SPEAKER-DEPENDENT: the utterances in {number} random groups, stratified by emotion.",
        cut=cut,
    )
