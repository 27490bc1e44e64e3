"""Plain CSV (or TSV): one file with a column that says the split, or ``train.csv``, ``dev.csv`` and ``test.csv``.

The column is called split, set, partition, part, subset or fold. Its values name parts (``train``; ``train+test`` where
an utterance stands in both) or, where they are no parts, folds of a cross-validation: each is tested once, and the
others train. A manifest with the columns of :func:`unheard.protocols.given.with_parts` (``split``, or ``split:1`` for
every fold) is such a file too.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from unheard.corpora.exchange.entries import Entries, imported
from unheard.corpora.exchange.files import CSV, csv_header, read_csv, recordings_folder, split_files
from unheard.corpora.exchange.imported import GIVEN, Format, Imported
from unheard.corpora.exchange.words import known_part, natural, part_of, with_our_columns
from unheard.errors import InputError

SPLIT_COLUMNS = ("part", "split", "set", "partition", "subset", "split_set", "fold")
#: A manifest's column for each of several folds is this and the fold's name.
PART_OF_FOLD = "split:"


def _fits(file: Path) -> bool:
    return file.suffix.lower() in CSV and "audio" in with_our_columns(pd.DataFrame(columns=csv_header(file)))


def recognizes(path: Path) -> bool:
    """A CSV file with a column of recordings, or a folder with some that are named after parts."""
    return _fits(path) if path.is_file() else bool(split_files(path, _fits))


def read(path: Path) -> Imported:
    """One file, or the files of a split, or folders of such files, one for each fold."""
    lost: list[str] = []
    if path.is_file():
        table = with_our_columns(read_csv(path))
        entries = [Entries(table, str(path)), *_parts(table, path)]
    else:
        files = split_files(path, lambda file: file.suffix.lower() in CSV)
        if not files:
            raise InputError(f"{path}: there is no train.csv, dev.csv or test.csv in it; name a CSV file or add them")
        entries = [Entries(with_our_columns(read_csv(file)), str(file), part, fold) for fold, part, file in files]
    folder = path.parent if path.is_file() else path
    if any("audio" not in each.table and "id" in each.table for each in entries):
        lost.append("no column names the recordings: the ids stand for their paths")
    audio = (name for each in entries for name in each.table.get("audio", ()))
    return imported(entries, recordings_folder(folder, audio), path, lost=lost)


def _parts(table: pd.DataFrame, file: Path) -> list[Entries]:
    """The parts that columns of one file name."""
    folds = {name.removeprefix(PART_OF_FOLD): name for name in map(str, table) if name.startswith(PART_OF_FOLD)}
    if folds:
        return [each for fold, name in folds.items() for each in _by_part(table, name, file, fold)]
    plain = {name.strip().lower().replace(" ", "_"): name for name in map(str, table)}
    column = next((plain[name] for name in SPLIT_COLUMNS if name in plain and table[plain[name]].notna().any()), None)
    if column is None:
        return []
    values = sorted(table[column].dropna().unique(), key=natural)
    if any(part_of(name) for value in values for name in value.split("+")):
        return _by_part(table, column, file, GIVEN)
    if len(values) < 2 or len(values) > len(table) // 2:
        raise InputError(
            f'{file}: the column "{column}" has neither parts (train, dev, test) nor folds in it but "{values[0]}"; '
            "correct or rename it"
        )
    tested = [table[column] == value for value in values]
    return [
        Entries(table[rows], str(file), part, value)
        for value, test in zip(values, tested, strict=True)
        for part, rows in (("train", table[column].notna() & ~test), ("test", test))
    ]


def _by_part(table: pd.DataFrame, column: str, file: Path, fold: str) -> list[Entries]:
    parts = table[column].str.split("+").explode().dropna().str.strip()
    for name in parts.unique():
        known_part(name, f'{file}, column "{column}"')
    return [Entries(table.loc[rows.index], str(file), name, fold) for name, rows in parts.groupby(parts, sort=False)]


SPLITS_CSV = Format("splits-csv", "CSV with splits", recognizes, read)
