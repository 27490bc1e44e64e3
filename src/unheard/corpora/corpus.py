"""The utterance table: a corpus is a table of utterances and the folder their audio lies in."""

from __future__ import annotations

import hashlib
import os
import posixpath
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from unheard.errors import InputError, did_you_mean

EMOTIONS = (
    "angry", "happy", "neutral", "sad", "fear", "disgust", "surprise",
    "boredom", "calm", "excited", "frustrated", "contempt", "other",
)  # fmt: skip
GENDERS = ("female", "male")

TEXTS = ("id", "audio", "speaker", "gender", "emotion", "session", "style", "text", "language", "corpus")
NUMBERS = ("start", "end", "valence", "activation", "dominance", "duration")
#: The columns of an utterance, in the order they are written. Times are seconds. Any further column is kept as it is.
COLUMNS = (
    "id", "audio", "start", "end", "speaker", "gender", "emotion", "valence", "activation", "dominance",
    "session", "style", "text", "language", "corpus", "duration",
)  # fmt: skip


@dataclass(frozen=True)
class Corpus:
    """Utterances (one row each) and the folder their ``audio`` paths start from.

    A missing label is missing (``NaN``), never a made-up value. The table is not changed in place:
    every method returns a new corpus. ``source`` is what error sentences call it.

    >>> table = pd.DataFrame({"audio": ["a.wav", "b.wav"], "speaker": ["s1", "s2"], "emotion": ["sad", None]})
    >>> corpus = Corpus.from_table(table, folder=".")
    >>> len(corpus), corpus.table["id"].tolist(), corpus.table["emotion"].isna().tolist()
    (2, ['a.wav', 'b.wav'], [False, True])
    """

    table: pd.DataFrame
    folder: Path
    source: str = "the table"

    @classmethod
    def from_table(cls, table: pd.DataFrame, folder: str | Path, source: str = "the table") -> Corpus:
        """A validated corpus from any table that has the column ``audio``.

        Raises:
            InputError: a column, a label or a row is not what it must be; the sentence says which row.
        """
        return cls(_validated(table, source), Path(folder), source)

    @classmethod
    def read(cls, manifest: str | Path, *, check_audio: bool = True) -> Corpus:
        """Read a manifest: a CSV or Parquet file, or the folder that holds a ``manifest.csv``.

        Paths in the column ``audio`` start from the manifest's folder. With ``check_audio`` every file must exist, and
        the columns ``digest`` and ``likeness`` are dropped: the recordings may have changed since they were written.

        Raises:
            InputError: the file cannot be read, or what :meth:`from_table` raises; rows are counted as lines of the
                file, the header being line 1.
        """
        path = Path(manifest)
        if path.is_dir():
            path = path / "manifest.csv"
        if not path.is_file():
            raise InputError(
                f"{path}: there is no such manifest; write one (a CSV with a row per recording), or let "
                "`unheard corpus prepare` make it from a published corpus"
            )
        try:
            table = pd.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
        except (ValueError, OSError) as problem:
            reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
            raise InputError(
                f"{path}: this is not a readable manifest ({reason}); save it as CSV with commas, in UTF-8, with a "
                "header and one row per utterance"
            ) from problem
        if check_audio:
            table = table.drop(columns=["digest", "likeness"], errors="ignore")
        corpus = cls.from_table(table, path.parent, str(path))
        if check_audio:
            corpus._check_audio()
        return corpus

    def write(self, manifest: str | Path) -> None:
        """Write the table as CSV, or as Parquet where the name ends in ``.parquet``; nobody ever finds half of it."""
        path = Path(manifest)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"unfinished-{path.name}")
        if path.suffix == ".parquet":
            self.table.to_parquet(unfinished, index=False)
        else:
            self.table.to_csv(unfinished, index=False, lineterminator="\n")
        os.replace(unfinished, path)

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def name(self) -> str:
        """The names in the column ``corpus``, or the folder's name where there are none."""
        names = sorted(self.table["corpus"].dropna().unique()) if "corpus" in self.table else []
        return " + ".join(names) or self.folder.resolve().name

    @property
    def synthetic(self) -> bool:
        """Whether any utterance is synthesized speech."""
        return "corpus" in self.table and bool((self.table["corpus"] == "synthetic").any())

    def audio_path(self, row: int) -> Path:
        """Where the audio of the utterance at position ``row`` lies."""
        return self.folder / str(self.table["audio"].iat[row])

    def column(self, name: str) -> pd.Series:
        """One column of the table.

        Raises:
            InputError: the corpus has no such column, or nothing in it.
        """
        if name not in self.table:
            raise InputError(f'{self.source}: the column "{name}" is missing; {did_you_mean(name, self.table.columns)}')
        if self.table[name].isna().all():
            raise InputError(f'{self.source}: the column "{name}" is empty; fill it in where it is known')
        return self.table[name]

    def take(self, rows: Iterable[int] | pd.Series) -> Corpus:
        """The utterances at the given positions, or those where a boolean column is true."""
        mask = isinstance(rows, pd.Series) and rows.dtype == bool
        table = self.table[rows] if mask else self.table.iloc[list(rows)]
        return Corpus(table.reset_index(drop=True), self.folder, self.source)

    def with_columns(self, **columns: Any) -> Corpus:
        """The corpus with these columns, in the place of its own of the same name."""
        return replace(self, table=self.table.assign(**columns))

    def moved_to(self, folder: str | Path) -> Corpus:
        """The same corpus for a manifest in another folder: the recordings stay where they are.

        >>> table = pd.DataFrame({"audio": ["wav/a.wav"]})
        >>> Corpus.from_table(table, "corpora/mine").moved_to("corpora").table["audio"].item()
        'mine/wav/a.wav'
        """
        folder = Path(folder)
        start, end = os.path.abspath(self.folder), os.path.abspath(folder)
        try:
            prefix = Path(os.path.relpath(start, end)).as_posix()
        except ValueError:  # another drive
            prefix = Path(start).as_posix()
        audio = [posixpath.normpath(posixpath.join(prefix, str(name))) for name in self.table["audio"]]
        return Corpus(self.table.assign(audio=audio), folder, self.source)

    def with_digests(self) -> Corpus:
        """The corpus with a column ``digest``: the SHA-256 of each audio file's bytes.

        Features are kept under it, and identical recordings show by it.
        """
        if "digest" in self.table:
            return self
        files = self.table["audio"].unique()
        with ThreadPoolExecutor() as pool:
            digests = dict(zip(files, pool.map(lambda file: _digest(self.folder / file), files), strict=True))
        return self.with_columns(digest=self.table["audio"].map(digests))

    @cached_property
    def hash(self) -> str:
        """Twelve hexadecimal digits that change when a label or (with digests) a recording changes."""
        text = self.table.drop(columns="audio").to_csv(index=False, lineterminator="\n")
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def _check_audio(self) -> None:
        seen: set[str] = set()
        for row, audio in enumerate(self.table["audio"]):
            if audio not in seen and not (self.folder / audio).is_file():
                raise InputError(
                    f'{_line(self.table, row, self.source)}: the audio file "{audio}" does not exist in {self.folder}; '
                    "put it there or remove the row"
                )
            seen.add(audio)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_csv(path: Path) -> pd.DataFrame:
    """Every value as text, an empty one as missing; blank lines count as lines, those at the end do not."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table = pd.read_csv(
                path, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig", skip_blank_lines=False,
                index_col=False,
            )  # fmt: skip
        except pd.errors.ParserWarning:
            raise ValueError("its rows have more values than its header") from None
    written = table.notna().any(axis=1).to_numpy().nonzero()[0]
    return table.iloc[: written[-1] + 1 if len(written) else 0]


def _line(table: pd.DataFrame, row: int, source: str) -> str:
    """The file and the line on which a row begins; a text in quotes may span several lines."""
    breaks = table.iloc[:row].map(lambda value: str(value).count("\n")).to_numpy().sum()
    return f"{source}, line {row + 2 + int(breaks)}"


def _validated(table: pd.DataFrame, source: str) -> pd.DataFrame:
    if "audio" not in table:
        raise InputError(
            f'{source}: the column "audio" (path of the recording) is missing, add it; its columns, separated by '
            f"commas, are {', '.join(map(str, table.columns)) or 'none'}"
        )
    if table.empty:
        raise InputError(f"{source}: there is no utterance in it; a manifest needs a header and one row per utterance")
    table = table.reset_index(drop=True).copy()
    for column in table.columns:
        if column in NUMBERS:
            table[column] = _numbers(table, column, source)
        elif column in TEXTS:
            text = table[column].astype("str").str.strip().str.replace("\r\n?", "\n", regex=True)
            table[column] = text.mask(table[column].isna() | (text == ""))
    _no_row(table["audio"].isna(), table, source, "has no audio; name its recording or remove the row")
    if "id" not in table:
        table["id"] = _default_ids(table)
    _no_row(table["id"].isna(), table, source, "has no id; give it one or drop the column")
    for column, allowed in (("emotion", EMOTIONS), ("gender", GENDERS)):
        if column in table:
            _only(table, column, allowed, source)
    start = table["start"] if "start" in table else pd.Series(0.0, table.index)
    _no_row(start < 0, table, source, "starts before its recording; a start is 0 s or later")
    if "end" in table:
        _no_row(table["end"] <= start.fillna(0), table, source, "ends before it starts; an end is later than the start")
    _no_twins(table, source)
    known = [column for column in COLUMNS if column in table]
    return table[known + [column for column in table.columns if column not in known]]


def _numbers(table: pd.DataFrame, column: str, source: str) -> pd.Series:
    values = table[column]
    stripped = values.astype("str").str.strip() if values.dtype == object or values.dtype == "str" else values
    numbers = pd.to_numeric(stripped, errors="coerce")
    wrong = numbers.isna() & ~values.isna() & ~stripped.astype("str").isin(["", "nan", "NaN"])
    wrong |= numbers.abs() == float("inf")
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(
            f'{_line(table, row, source)}: the {column} "{values.iat[row]}" is not a number; write one with a decimal '
            "point, or leave it empty where it is unknown"
        )
    return numbers.astype("float64")


def _default_ids(table: pd.DataFrame) -> pd.Series:
    """The audio's path; where an utterance is a part of a recording, with its start and end, ``#1.500-3.000``."""
    ids = table["audio"]
    for column, mark in (("start", "#"), ("end", "-")):
        if column in table:
            second = table[column].map(lambda value, mark=mark: f"{mark}{value:.3f}", na_action="ignore").astype("str")
            ids = ids + second.mask(table[column].isna(), "")
    return ids


def _only(table: pd.DataFrame, column: str, allowed: tuple[str, ...], source: str) -> None:
    values = table[column]
    wrong = ~(values.isin(allowed) | values.isna())
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        value = values.iat[row]
        raise InputError(
            f'{_line(table, row, source)}: there is no {column} "{value}"; {did_you_mean(str(value), allowed)} '
            "(leave it empty where it is unknown)"
        )


def _no_row(wrong: pd.Series, table: pd.DataFrame, source: str, what: str) -> None:
    if wrong.any():
        raise InputError(f"{_line(table, int(wrong.to_numpy().argmax()), source)}: the utterance {what}")


def _no_twins(table: pd.DataFrame, source: str) -> None:
    parts = [column for column in ("audio", "start", "end") if column in table]
    for columns, what in ((["id"], "id"), (parts, "recording")):
        twins = table.duplicated(columns)
        if twins.any():
            row = int(twins.to_numpy().argmax())
            same = (table[columns].iloc[:row].fillna(-1) == table[columns].iloc[row].fillna(-1)).all(axis=1)
            first = int(same.to_numpy().argmax())
            raise InputError(
                f'{_line(table, row, source)}: the {what} "{table[columns[0]].iat[row]}" stands in line '
                f"{_line(table, first, source).rpartition(' ')[2]} "
                "already; remove one of the two rows"
            )
