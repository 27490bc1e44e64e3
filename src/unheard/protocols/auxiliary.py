"""Auxiliary data: speakers of a further corpus, without their emotions and without those whom a fold judges by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols.genders import genders_of
from unheard.seeds import generator

#: What auxiliary data has no say in.
OF_EMOTIONS = ("emotion", "category", "valence", "activation", "dominance")


def without_emotions(auxiliary: Corpus) -> Corpus:
    """The utterances whose speaker is known, without any label of an emotion: nothing can be learned from what is gone.

    Raises:
        InputError: no utterance has a speaker, so that nobody can tell whether it is one to be tested.
    """
    known = auxiliary.take(auxiliary.column("speaker").notna())
    return replace(known, table=known.table.drop(columns=list(OF_EMOTIONS), errors="ignore"))


def apart_from(auxiliary: Corpus, judged: Corpus) -> Corpus:
    """The utterances of ``auxiliary`` whose speaker (by name) and whose recording (by digest) are not in ``judged``."""
    table, shared = auxiliary.table, pd.Series(False, auxiliary.table.index)
    for column in ("speaker", "digest"):
        if column in table and column in judged.table:
            shared |= table[column].isin(judged.table[column].dropna())
    return auxiliary.take(~shared)


def auxiliary_speakers(corpus: Corpus, n: int, seed: int = 0) -> Corpus:
    """All utterances of ``n`` speakers drawn by the seed (latif2022: 600), as many women as men as far as there are.

    Speakers of unknown gender come last. A larger ``n`` holds the speakers of a smaller one. Emotions are not needed.

    Raises:
        InputError: no utterance has a speaker, there are fewer than ``n`` speakers, or a speaker has two genders.
    """
    rows = np.flatnonzero(corpus.column("speaker").notna())
    speakers = corpus.table["speaker"].iloc[rows].to_numpy(dtype=np.str_)
    names = np.unique(speakers)
    if not 1 <= n <= names.size:
        raise InputError(
            f"{corpus.source}: {n:,} auxiliary speakers are asked for, and it has {names.size:,}; ask for 1 to "
            f"{names.size:,}"
        )
    random = generator(seed, "auxiliary speakers")
    names = random.permutation(names)
    genders = genders_of(corpus, rows, names)
    turn = np.full(names.size, names.size)  # of speakers of unknown gender, behind all others
    for gender in random.permutation(["female", "male"]):
        of_gender = np.flatnonzero(genders == gender)
        turn[of_gender] = np.arange(of_gender.size)
    chosen = names[np.argsort(turn, kind="stable")[:n]]
    return corpus.take(rows[np.isin(speakers, chosen)])
