"""Folds that all hold every speaker, on purpose (latif2022, section 5)."""

from __future__ import annotations

import numpy as np

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols.arguments import number_of_folds
from unheard.protocols.draws import shuffled_by
from unheard.protocols.fold import Fold, Protocol, in_turn, labelled
from unheard.seeds import generator


def speaker_dependent_folds(k: str = "10") -> Protocol:
    """Each speaker's utterances in ``k`` random parts, each tested once, the next dev: SPEAKER-DEPENDENT.

    They are stratified by emotion. Parts differ by one utterance at most: in all, of a speaker, and of an emotion of a
    speaker. So every part has every speaker of ``k`` utterances or more.

    Raises:
        InputError: ``k`` is not a whole number from 3 up.
    """
    name = f"speaker-dependent-folds:{k}"
    number = number_of_folds(k, name)

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        rows = labelled(corpus)
        table = corpus.table.iloc[rows]
        speakers, emotions = (table[column].to_numpy(dtype=np.str_) for column in ("speaker", "emotion"))
        largest = int(np.unique(speakers, return_counts=True)[1].max())
        if largest < number:
            raise InputError(
                f"{corpus.source}: {name} needs a speaker with at least {number} utterances, and nobody has more than "
                f"{largest}; take fewer folds or add utterances"
            )
        group = np.empty(rows.size, dtype=np.intp)
        # Dealt out like cards, speaker by speaker and within a speaker emotion by emotion.
        order = shuffled_by(generator(seed, "speaker-dependent-folds"), speakers, emotions)
        group[order] = np.arange(rows.size) % number
        return in_turn(rows, group, number)

    return Protocol(
        name=name,
        apart={},
        description=f"SPEAKER-DEPENDENT: each speaker's utterances in {number} parts, stratified by emotion; one is "
        "tested, the next is dev.",
        cut=cut,
    )
