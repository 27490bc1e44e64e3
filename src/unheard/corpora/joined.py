"""Several corpora as one, for cross-corpus protocols and for auxiliary data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError

#: Columns whose values name something within a corpus only: ``001`` of one corpus is not ``001`` of another.
LOCAL = ("id", "speaker", "session")


def join(corpora: Sequence[Corpus]) -> Corpus:
    """One corpus with the utterances of all, in their order.

    Ids, speakers and sessions that two corpora use get their corpus's name before them (``emodb_03``): they are
    different ones. Two manifests of the same corpus (by the column ``corpus``) keep theirs: they are the same ones.

    Raises:
        InputError: two manifests of the same corpus hold the same utterance.

    >>> corpora = [
    ...     Corpus.from_table(pd.DataFrame({"audio": ["a.wav"], "speaker": ["1"], "corpus": [name]}), name)
    ...     for name in ("one", "two")
    ... ]
    >>> join(corpora).table[["id", "audio", "speaker"]].values.tolist()
    [['one_a.wav', 'one/a.wav', 'one_1'], ['two_a.wav', 'two/a.wav', 'two_1']]
    """
    if len(corpora) == 1:
        return corpora[0]
    folder = _folder_of_all(corpora)
    named = [corpus.moved_to(folder).table.assign(corpus=_names(corpus)) for corpus in corpora]
    table = pd.concat(named, ignore_index=True)
    for column in LOCAL:
        if column in table:
            uses = table.groupby(column)["corpus"].nunique()
            clash = table[column].isin(uses.index[uses > 1])
            table[column] = table[column].mask(clash, table["corpus"] + "_" + table[column])
    source = " + ".join(corpus.source for corpus in corpora)
    twins = table.duplicated("id")
    if twins.any():
        raise InputError(
            f'{source}: the utterance "{table.loc[twins, "id"].iloc[0]}" is in two of them; name each corpus once'
        )
    return Corpus.from_table(table, folder, source)


def _names(corpus: Corpus) -> pd.Series:
    """The corpus of each utterance; where a manifest does not say it, the name of its folder."""
    unnamed = pd.Series(corpus.folder.resolve().name, corpus.table.index)
    return corpus.table["corpus"].fillna(unnamed) if "corpus" in corpus.table else unnamed


def _folder_of_all(corpora: Sequence[Corpus]) -> Path:
    """The innermost folder that holds all; relative where all are."""
    try:
        common = os.path.commonpath([corpus.folder.absolute() for corpus in corpora])
    except ValueError:  # different drives
        return corpora[0].folder
    return Path(common if any(corpus.folder.is_absolute() for corpus in corpora) else os.path.relpath(common))
