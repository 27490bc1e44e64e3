"""Speakers of a further corpus for the auxiliary tasks (latif2022: 600 of LibriSpeech)."""

from __future__ import annotations

import numpy as np

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols.genders import genders_of
from unheard.seeds import generator


def auxiliary_speakers(corpus: Corpus, n: int, seed: int = 0) -> Corpus:
    """All utterances of ``n`` speakers drawn by the seed, as many women as men as far as there are.

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
