"""Folds that somebody has written into a column of the manifest. They promise nothing: the audit tells."""

from __future__ import annotations

import numpy as np

from unheard.corpora.corpus import Corpus
from unheard.corpora.exchange.words import PART_WORDS, natural
from unheard.errors import InputError, did_you_mean
from unheard.protocols.fold import Fold, Protocol, Rows, in_turn, labelled

#: More values than this are no folds but names of utterances.
MOST_FOLDS = 1000


def given_split(*column: str) -> Protocol:
    """One fold, its parts written in a column: ``train``, ``dev`` (also ``validation``) and ``test``; no promise.

    The column is ``split`` unless another is named (its name may have colons). An utterance without a part takes none.
    In a corpus without emotions (VoxCeleb1) a speaker is enough to take part.
    """
    written = ":".join(column) or "split"
    name = f"given-split:{written}"

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        rows, values = _written(corpus, written)
        parts = np.array([PART_WORDS.get(value.lower(), "") for value in values.tolist()])
        unknown = np.flatnonzero(parts == "")
        if unknown.size:
            value = values[unknown[0]]
            raise InputError(
                f'{corpus.source}: {name}: there is no part "{value}" (column "{written}"); '
                f"{did_you_mean(value.lower(), ('train', 'dev', 'test'))}"
            )
        missing = [part for part in ("train", "test") if part not in parts]
        if missing:
            raise InputError(
                f"{corpus.source}: {name}: no utterance with an emotion and a speaker is in {missing[0]} (column "
                f'"{written}"); fill it in, or take another protocol'
            )
        return [Fold(written, *(rows[parts == part] for part in ("train", "dev", "test")))]

    return Protocol(
        name=name,
        apart={},
        description=f'One fold as written in the column "{written}"; nothing is promised: the audit tells.',
        cut=cut,
    )


def given_folds(*column: str) -> Protocol:
    """The folds written in a column: each value is tested once, the next (numbers by size) is dev; no promise.

    The column is ``fold`` unless another is named. An utterance without a value takes no part. ``given-folds:session``
    leaves out one session at a time.
    """
    written = ":".join(column) or "fold"
    name = f"given-folds:{written}"

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        rows, values = _written(corpus, written)
        folds = sorted(set(values.tolist()), key=natural)
        if not 3 <= len(folds) <= MOST_FOLDS:
            raise InputError(
                f"{corpus.source}: {name} needs from 3 to {MOST_FOLDS:,} folds (one to test, one to select by, the "
                f'rest to train), and the column "{written}" has {len(folds):,} values among the utterances with an '
                "emotion and a speaker; name a column of folds"
            )
        position = {fold: index for index, fold in enumerate(folds)}
        group = np.array([position[value] for value in values.tolist()], dtype=np.intp)
        cuts = in_turn(rows, group, len(folds))
        return [Fold(fold, one.train, one.dev, one.test) for fold, one in zip(folds, cuts, strict=True)]

    return Protocol(
        name=name,
        apart={},
        description=f'The folds written in the column "{written}": each is tested once, the next is dev; nothing is '
        "promised: the audit tells.",
        cut=cut,
    )


def _written(corpus: Corpus, column: str) -> tuple[Rows, np.ndarray[tuple[int], np.dtype[np.object_]]]:
    """The utterances that take part and have a value in the column, and these values as text."""
    written = corpus.column(column)
    text = written.convert_dtypes().astype("str").str.strip()  # a whole number is written without a point
    text = text.mask(written.isna() | (text == ""))
    if "emotion" in corpus.table and corpus.table["emotion"].notna().any():
        rows = labelled(corpus)
    else:
        rows = np.flatnonzero(corpus.column("speaker").notna())
    rows = rows[text.iloc[rows].notna().to_numpy()]
    if rows.size == 0:
        raise InputError(
            f'{corpus.source}: no utterance with an emotion and a speaker has a value in the column "{column}"; fill '
            "it in, or take another protocol"
        )
    return rows, text.iloc[rows].to_numpy(dtype=object)
