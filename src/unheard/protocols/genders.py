"""The gender of each speaker."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols.fold import Rows


def genders_of(corpus: Corpus, rows: Rows, speakers: NDArray[np.str_]) -> NDArray[np.str_]:
    """``female``, ``male`` or (where no utterance tells) an empty text for each of the speakers of these utterances.

    Raises:
        InputError: a speaker has two genders.
    """
    if "gender" not in corpus.table:
        return np.full(speakers.size, "")
    told = corpus.table.iloc[rows][["speaker", "gender"]].dropna().drop_duplicates()
    twice = told["speaker"].duplicated()
    if twice.any():
        raise InputError(
            f'{corpus.source}: the speaker "{told["speaker"][twice].iloc[0]}" is female in some rows and male in '
            "others; correct the column gender, or give two persons two names"
        )
    gender = dict(zip(told["speaker"], told["gender"], strict=True))
    return np.array([gender.get(str(speaker), "") for speaker in speakers], dtype=np.str_)
