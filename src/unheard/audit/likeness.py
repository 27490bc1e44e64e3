"""Which recordings are the same or nearly so: copies at another level, rate or codec, cut, padded, pieces."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from tqdm import tqdm

from unheard.audio import read_audio
from unheard.errors import InputError

if TYPE_CHECKING:
    from unheard.audio.fingerprint import Fingerprint
    from unheard.corpora.corpus import Corpus


def with_likeness(*corpora: Corpus, workers: int | None = None) -> list[Corpus]:
    """The corpora with a column ``likeness``: near-identical recordings have the same number, in all of them.

    Copies are found by :mod:`unheard.audio.fingerprint`; a copy of a copy counts as a copy. Two takes of a sentence are
    different recordings. The number is missing where the audio cannot be read; a recording in which nothing changes
    (silence, a steady tone) is like no other.

    Args:
        corpora: the utterances; where they start and end within a recording, only that part is listened to.
        workers: threads, one per core by default.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    from unheard.audio.fingerprint import copies

    utterances = [(corpus, row) for corpus in corpora for row in range(len(corpus))]
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        listened = pool.map(lambda utterance: _listen(*utterance), utterances)
        bar = tqdm(listened, "listening for copies", len(utterances), unit="utterance", delay=2, disable=None)
        fingerprints = list(bar)
    pairs = copies([np.zeros(0, np.uint32) if words is None else words for words in fingerprints])
    links = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=2 * (len(utterances),))
    groups = pd.Series(connected_components(links, directed=False)[1], dtype="Int64")
    groups[np.array([words is None for words in fingerprints], dtype=bool)] = pd.NA
    ends = np.cumsum([len(corpus) for corpus in corpora])
    return [
        corpus.with_columns(likeness=groups[end - len(corpus) : end].array)
        for corpus, end in zip(corpora, ends, strict=True)
    ]


def _listen(corpus: Corpus, row: int) -> Fingerprint | None:
    """The fingerprint of an utterance, or None where it cannot be read."""
    from unheard.audio.fingerprint import fingerprint

    start, end = (_second(corpus.table, column, row) for column in ("start", "end"))
    try:
        return fingerprint(read_audio(corpus.audio_path(row), start=start, end=end))
    except (InputError, OSError):
        return None


def _second(table: pd.DataFrame, column: str, row: int) -> float | None:
    second = float(table[column].to_numpy()[row]) if column in table else math.nan
    return None if math.isnan(second) else second
