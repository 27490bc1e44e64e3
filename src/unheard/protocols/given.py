"""Folds that somebody else has cut: from imported split files, and as columns of a manifest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from unheard.corpora.corpus import Corpus
from unheard.corpora.exchange.imported import GIVEN, Imported
from unheard.corpora.exchange.splits_csv import PART_OF_FOLD
from unheard.protocols.fold import Fold, Rows

#: The column of a manifest that says the part of each utterance in its only split.
SPLIT = "split"


def imported_folds(imported: Imported) -> list[Fold]:
    """The folds of imported files. Nothing is mended: an utterance in two parts is in both, so that the audit finds it.

    Where a fold has no test part, its dev part is what its numbers are measured on, and stands in for it; the fold's
    name says so.

    >>> table = pd.DataFrame({"audio": ["a.wav", "b.wav"]})
    >>> files = Imported(Corpus.from_table(table, "."), {"1": {"train": ("a.wav",), "test": ("b.wav", "a.wav")}}, ())
    >>> imported_folds(files)[0].test.tolist()
    [1, 0]

    Raises:
        InputError: a fold has neither a test nor a dev part.
    """
    position = pd.Index(imported.corpus.table["id"])

    def rows(ids: tuple[str, ...]) -> Rows:
        return np.asarray(position.get_indexer(pd.Index(ids, dtype=position.dtype)), dtype=np.intp)

    folds = []
    for name, parts in imported.folds.items():
        train, dev, test = (parts.get(part, ()) for part in ("train", "dev", "test"))
        if dev and not test:
            name, dev, test = f"{name} (tested on dev)", (), dev
        folds.append(Fold(name, rows(train), rows(dev), rows(test)))
    return folds


def with_parts(imported: Imported) -> Corpus:
    """The corpus with its splits as a column ``split``, or one ``split:<fold>`` for each of several folds.

    An utterance in two parts says so (``train+test``), and is missing where it is in none; a manifest with these
    columns is read back by the format ``splits-csv``.
    """
    corpus = imported.corpus
    for fold, parts in imported.folds.items():
        where: dict[str, list[str]] = {}
        for part, ids in parts.items():
            for name in ids:
                where.setdefault(name, []).append(part)
        column = SPLIT if list(imported.folds) == [GIVEN] else f"{PART_OF_FOLD}{fold}"
        found = corpus.table["id"].map({name: "+".join(found) for name, found in where.items()})
        corpus = corpus.with_columns(**{column: found.astype("str").mask(found.isna())})
    return corpus
