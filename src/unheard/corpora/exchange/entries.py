"""From the entries of split files, which name an utterance as often as they like, to a corpus that has it once."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from unheard.corpora.corpus import NUMBERS, TEXTS, Corpus
from unheard.corpora.exchange.imported import GIVEN, Imported
from unheard.corpora.exchange.words import known_part, natural, part_of, with_our_columns, with_our_labels
from unheard.errors import InputError

PARTS = ("train", "dev", "test")


@dataclass(frozen=True)
class Entries:
    """The rows of one file, or of one part of it.

    Attributes:
        table: one row per entry, under our column names or names that :mod:`.words` knows.
        file: what error sentences call it.
        part: the name of the split that these are, None where they are no part of one.
        fold: the name of the fold that this part belongs to.
    """

    table: pd.DataFrame
    file: str
    part: str | None = None
    fold: str = GIVEN


def table_of(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A table from rows as JSON holds them; what is no plain value becomes its JSON text."""
    table = pd.DataFrame(list(rows))
    for column in [name for name, kind in table.dtypes.items() if kind == "object"]:
        table[column] = [
            json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | bool) else value
            for value in table[column]
        ]
    return table


def imported(
    entries: Sequence[Entries],
    folder: Path,
    source: Path,
    *,
    lost: Iterable[str] = (),
    label_map: Mapping[str, str] | None = None,
) -> Imported:
    """One corpus and its folds from all entries.

    Args:
        entries: those of no part come first, then the parts from train to test.
        folder: where paths of recordings start from.
        source: the file or folder that is imported, for sentences.
        lost: what the reader of the files could not keep.
        label_map: the files' own explanation of their labels.

    Raises:
        InputError: there is no entry, one has no recording, a number is none, an id stands for two recordings, or a
            split has a name that says no part.
    """
    entries = sorted(entries, key=lambda each: ("", *PARTS).index(part_of(each.part or "") or ""))
    table = pd.concat(
        [_with_texts(with_our_columns(each.table)).assign(_entries=number) for number, each in enumerate(entries)],
        ignore_index=True,
    )
    files = [each.file for each in entries]
    if table.empty:
        raise InputError(f"{source}: there is no utterance in it")
    table, unknown = with_our_labels(_clean(table, files), label_map)
    table["id"], same = _ids(table, files)
    utterances, conflicts = _once(table.dropna(axis="columns", how="all"), files)
    corpus = Corpus.from_table(utterances, folder, str(source))
    return Imported(corpus, _folds(entries, table), (*lost, *unknown, *same, *conflicts))


def _with_texts(table: pd.DataFrame) -> pd.DataFrame:
    """Names as texts before tables are joined: a speaker 3 beside a missing one must not become 3.0."""
    texts = {}
    for column in table.columns.intersection(list(TEXTS)):
        values = table[column]
        if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
            values = values.astype("Int64")
        texts[column] = values.astype("str").mask(values.isna()).astype("str")
    return table.assign(**texts)


def _clean(table: pd.DataFrame, files: Sequence[str]) -> pd.DataFrame:
    """Texts without blanks around them, numbers as numbers, paths in one spelling."""
    if "audio" not in table:
        if "id" not in table:
            raise InputError(
                f"{files[0]}: no column names the recordings; add one called audio, file_name or path (its columns are "
                f"{', '.join(map(str, table.columns.drop('_entries')))})"
            )
        table["audio"] = table["id"]
    for column in table.columns:
        if column in NUMBERS:
            table[column] = _numbers(table, column, files)
        elif column in TEXTS:
            text = table[column].astype("str").str.strip().str.replace("\r\n?", "\n", regex=True)
            table[column] = text.mask(table[column].isna() | (text == ""))
    without = table["audio"].isna()
    if without.any():
        row = int(without.to_numpy().argmax())
        raise InputError(f"{_entry(table, row, files)}: the utterance has no audio; name its recording or remove it")
    loose = table["audio"].str.contains(r"^\{|//|/$|\./|/\.")
    table.loc[loose, "audio"] = table.loc[loose, "audio"].map(spelled)
    return _with_true_times(table, files)


def spelled(path: str) -> str:
    """A path in its one spelling, without the ``{data_root}`` that SpeechBrain has each user fill in.

    >>> spelled("{data_root}/Session1/./a.wav")
    'Session1/a.wav'
    """
    path = re.sub(r"^\{\w+\}[/\\]*", "", path)
    return path if "://" in path else posixpath.normpath(path)


def _numbers(table: pd.DataFrame, column: str, files: Sequence[str]) -> pd.Series:
    values = table[column]
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    text = values.astype("str").str.strip().str.lower()
    wrong = (numbers.isna() & values.notna() & ~text.isin(["", "nan", "na", "none", "null"])) | (
        numbers.abs() == float("inf")
    )
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(
            f'{_entry(table, row, files)}: the {column} "{values.iat[row]}" is not a number; write seconds or a rating '
            "with a decimal point, or leave it out"
        )
    return numbers


def _with_true_times(table: pd.DataFrame, files: Sequence[str]) -> pd.DataFrame:
    start = table["start"] if "start" in table else pd.Series(0.0, table.index)
    wrong = start < 0
    if "end" in table:
        wrong |= table["end"] <= start.fillna(0)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(f"{_entry(table, row, files)}: the utterance ends before it starts; correct its times")
    return table


def _entry(table: pd.DataFrame, row: int, files: Sequence[str]) -> str:
    """The file of a row, and what it calls the utterance, or how many stand before it."""
    number = table["_entries"].to_numpy()
    file = files[number[row]]
    for column in ("id", "audio"):
        if column in table and table[column].notna().to_numpy()[row]:
            return f'{file}, "{table[column].tolist()[row]}"'
    return f"{file}, entry {(number[:row] == number[row]).sum() + 1}"


def _ids(table: pd.DataFrame, files: Sequence[str]) -> tuple[pd.Series, list[str]]:
    """The id of each entry: one for each recording or part of it, whatever the files call it."""
    parts = [column for column in ("audio", "start", "end") if column in table]
    recording = table.groupby(parts, dropna=False, sort=False).ngroup()
    first = table.drop(columns="id", errors="ignore").drop_duplicates(parts)
    default = Corpus.from_table(first[parts], Path()).table["id"]
    names = dict(zip(recording[first.index], default, strict=True))
    if "id" not in table:
        return recording.map(names).astype("str"), []
    pairs = pd.DataFrame({"id": table["id"], "recording": recording}).dropna().drop_duplicates()
    twice = pairs["id"].duplicated()
    if twice.any():
        name = pairs.loc[twice, "id"].tolist()[0]
        rows = pairs.index[pairs["id"] == name]
        one, other = (_part(table, row, parts) for row in rows[:2])
        raise InputError(
            f"{_entry(table, rows[1], files)}: this id stands for two recordings, {one} and {other}; give each an id "
            "of its own"
        )
    own = pairs.drop_duplicates("recording")
    names |= dict(zip(own["recording"], own["id"], strict=True))
    aliases = pairs[pairs["recording"].duplicated()]
    ids = recording.map(names).astype("str")
    if aliases.empty:
        return ids, []
    row = aliases.index[0]
    sentence = (
        f"{len(aliases):,} recordings stand there under a second id (first {_part(table, row, parts)}, as "
        f'"{ids[row]}" and "{table["id"][row]}"); the second id is left out'
    )
    return ids, [sentence]


def _part(table: pd.DataFrame, row: int, parts: Sequence[str]) -> str:
    name, *times = (table[part][row] for part in parts)
    return f'"{name}"' + "".join(f" {time:g} s" for time in times if pd.notna(time))


def _once(table: pd.DataFrame, files: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """One row per id with the first value of each column, and a sentence for each column whose values differ."""
    columns = table.columns.drop("_entries")
    entries = table.drop_duplicates(columns)
    again = entries["id"].duplicated(keep=False)
    if not again.any():
        return entries[columns].reset_index(drop=True), []
    several = entries[again]
    lost = []
    for column in columns.drop(["id", "audio", "start", "end"], errors="ignore"):
        values = several.dropna(subset=[column]).drop_duplicates(["id", column])
        differ = values[values["id"].duplicated(keep=False)]
        if differ.empty:
            continue
        name = differ["id"].iloc[0]
        one, other = ((row[column], files[row["_entries"]]) for _, row in differ[differ["id"] == name][:2].iterrows())
        lost.append(
            f'the {column} of {differ["id"].nunique():,} utterances differs between entries (first "{name}": '
            f'"{one[0]}" in {one[1]}, "{other[0]}" in {other[1]}); the first is kept'
        )
    order = entries["id"].drop_duplicates()
    first = several[columns].groupby("id", sort=False).first()
    whole = pd.concat([entries.loc[~again, columns].set_index("id"), first]).loc[order]
    return whole.reset_index()[list(columns)], lost


def _folds(entries: Sequence[Entries], table: pd.DataFrame) -> dict[str, dict[str, tuple[str, ...]]]:
    """The ids of each part. Several test sets of a fold are folds of their own with the same train and dev."""
    ids = {number: tuple(table["id"][rows]) for number, rows in table.groupby("_entries").groups.items()}
    splits: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {}
    for number, each in enumerate(entries):
        if each.part is None:
            continue
        sets = splits.setdefault(each.fold, {part: {} for part in PARTS})[known_part(each.part, each.file)]
        sets[each.part] = sets.get(each.part, ()) + ids.get(number, ())
    folds: dict[str, dict[str, tuple[str, ...]]] = {}
    for fold in sorted(splits, key=natural):
        split = splits[fold]
        tests = split["test"] or {"": ()}
        others = {part: tuple(name for each in split[part].values() for name in each) for part in ("train", "dev")}
        for name, test in tests.items():
            parts = others | {"test": test}
            folds[_fold_name(fold, name, len(tests))] = {part: found for part, found in parts.items() if found}
    return {} if all(parts.keys() <= {"train"} for parts in folds.values()) else folds


def _fold_name(fold: str, test: str, tests: int) -> str:
    if tests == 1 or test == "test":
        return fold
    return test if fold == GIVEN else f"{fold} {test}"
