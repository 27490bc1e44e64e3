"""Train on all corpora but one, test on that one (latif2022, section 5.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError, did_you_mean
from unheard.protocols.arguments import share_of
from unheard.protocols.draws import stratified_part
from unheard.protocols.fold import DEV_TRAIN, PAIRS, TEST_TRAIN, Fold, Protocol, Rows, fold_of, labelled, needs
from unheard.seeds import generator

BETWEEN_CORPORA = (TEST_TRAIN, DEV_TRAIN)


def cross_corpus(target: str, share: str = "0.3") -> Protocol:
    """All other corpora train; a random share of the target is dev, the rest test: SELECTION SAW TARGET SPEAKERS.

    The share is stratified by emotion, as in latif2022. Only emotions that the target and the training corpora have in
    common take part. :func:`cross_corpus_disjoint` is the same with dev speakers of their own.

    Raises:
        InputError: the share is not a number between 0 and 1.
    """
    name = f"cross-corpus:{target}:{share}"
    of_target = share_of(share, "share of dev", name, example=f"cross-corpus:{target}:0.3")

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        rows, in_target = _sides(corpus, target, name)
        emotions = corpus.table["emotion"].iloc[rows[in_target]].to_numpy(dtype=np.str_)
        dev = np.zeros_like(in_target)
        dev[in_target] = stratified_part(emotions, of_target, generator(seed, "cross-corpus", target))
        return [fold_of(target, rows, dev, in_target & ~dev)]

    return Protocol(
        name=name,
        apart={"speaker": BETWEEN_CORPORA, "corpus": BETWEEN_CORPORA},
        description=f"The other corpora train; {of_target:.4g} of {target}'s utterances are dev, the rest test, so "
        "SELECTION SAW TARGET SPEAKERS.",
        cut=cut,
    )


def cross_corpus_disjoint(target: str, share: str = "0.3") -> Protocol:
    """All other corpora train; speakers with about a share of the target are dev, its other speakers are tested.

    As :func:`cross_corpus`, but the speakers of dev, drawn by the seed, are not tested.

    Raises:
        InputError: the share is not a number between 0 and 1.
    """
    name = f"cross-corpus-disjoint:{target}:{share}"
    of_target = share_of(share, "share of dev", name, example=f"cross-corpus-disjoint:{target}:0.3")

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        rows, in_target = _sides(corpus, target, name)
        speakers = corpus.table["speaker"].iloc[rows].to_numpy(dtype=np.str_)
        names, counts = np.unique(speakers[in_target], return_counts=True)
        if names.size < 2:
            raise InputError(
                f'{corpus.source}: {name} needs at least 2 speakers in "{target}", one to select by and one to test, '
                "and there is 1; add speakers, or take cross-corpus, whose selection sees the target's speakers"
            )
        order = generator(seed, "cross-corpus-disjoint", target).permutation(names.size)
        reached = np.cumsum(counts[order])[:-1]  # someone is left to be tested
        number = int(np.abs(reached - of_target * counts.sum()).argmin()) + 1
        dev = in_target & np.isin(speakers, names[order[:number]])
        return [fold_of(target, rows, dev, in_target & ~dev)]

    return Protocol(
        name=name,
        apart={"speaker": PAIRS, "corpus": BETWEEN_CORPORA},
        description=f"The other corpora train; speakers with about {of_target:.4g} of {target}'s utterances are dev, "
        "its other speakers are tested.",
        cut=cut,
    )


def _sides(corpus: Corpus, target: str, protocol: str) -> tuple[Rows, NDArray[np.bool_]]:
    """The utterances of emotions that both sides have, and which of them are in the target.

    Raises:
        InputError: there is no such target, nothing else to train on, fewer than two emotions in common, or a speaker
            of the same name on both sides.
    """
    needs(corpus, "corpus", protocol)
    rows = labelled(corpus, "corpus")
    table = corpus.table.iloc[rows]
    in_target = (table["corpus"] == target).to_numpy(dtype=bool)
    if not in_target.any():
        hint = did_you_mean(target, sorted(table["corpus"].unique()))
        raise InputError(f'{corpus.source}: {protocol}: there is no corpus "{target}"; {hint}')
    if in_target.all():
        raise InputError(
            f'{corpus.source}: {protocol} needs a corpus beside "{target}" to train on, and there is none; join '
            "another manifest to it"
        )
    common = set(table["emotion"][in_target]) & set(table["emotion"][~in_target])
    if len(common) < 2:
        raise InputError(
            f'{corpus.source}: {protocol} needs at least 2 emotions that "{target}" and the other corpora have in '
            f"common, and they have {len(common)}; map the labels to the same emotions"
        )
    both = set(table["speaker"][in_target]) & set(table["speaker"][~in_target])
    if both:
        raise InputError(
            f'{corpus.source}: {protocol}: the speaker "{min(both)}" is in "{target}" and in another corpus; '
            f"where they are two persons write the corpus's name before them, as in {target}_{min(both)}"
        )
    kept = table["emotion"].isin(common).to_numpy(dtype=bool)
    return rows[kept], in_target[kept]
