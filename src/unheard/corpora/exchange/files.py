"""What readers of split files share: JSON, the files of a split, and where the recordings are."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from unheard.corpora.exchange.entries import spelled
from unheard.corpora.exchange.imported import GIVEN
from unheard.corpora.exchange.words import natural, part_of
from unheard.errors import InputError

#: Suffixes of recordings.
AUDIO = frozenset({
    ".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".aif", ".aiff", ".au", ".caf", ".w64",
    ".webm", ".wma", ".amr", ".spx", ".sph", ".avi", ".mkv",
})  # fmt: skip
CSV = (".csv", ".tsv")
#: How much of a file is looked at to recognize it.
HEAD = 1 << 14


def head(path: Path) -> str:
    """The first characters of a file, nothing where it cannot be read."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(HEAD).decode("utf-8-sig", errors="replace")
    except (OSError, EOFError):
        return ""


def first_object(path: Path) -> dict[str, Any]:
    """The object on the first line of a file of JSON lines, an empty one where there is none."""
    try:
        value = json.loads(head(path).lstrip().partition("\n")[0])
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def read_text(path: Path) -> str:
    """A text file in UTF-8, or one in a .gz.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read().decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as problem:
        raise InputError(f"{path}: this cannot be read as text in UTF-8 ({problem}); write it again") from problem


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        InputError: it is no JSON.
    """
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as problem:
        if isinstance(problem, InputError):
            raise
        raise InputError(f"{path}: this is no JSON ({problem}); write it again") from problem


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file that has one on each line.

    Raises:
        InputError: a line is none.
    """
    lines = [(number, line) for number, line in enumerate(read_text(path).split("\n"), 1) if line.strip()]
    try:  # at once is twice as fast as line by line
        rows = json.loads(f"[{','.join(line for _, line in lines)}]")
    except (ValueError, RecursionError):
        rows = []
    if len(rows) == len(lines) and all(isinstance(row, dict) for row in rows):
        return list(rows)
    wrong = next((number for number, line in lines if not _is_object(line)), 1)
    raise InputError(f"{path}, line {wrong}: this is no JSON object; each line holds one utterance")


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def read_json_table(path: Path) -> list[dict[str, Any]]:
    """The utterances of a file that maps each id to an object, with the id under ``id``.

    Raises:
        InputError: it does not.
    """
    values = read_json(path)
    if not isinstance(values, dict) or not all(isinstance(row, dict) for row in values.values()):
        raise InputError(f"{path}: this does not map each id to an object with its wav and its labels")
    return [{"id": name} | row for name, row in values.items()]


def csv_header(file: Path) -> list[str]:
    """The names in the first line of a CSV file, separated by commas, semicolons or tabs."""
    line = head(file).partition("\n")[0].rstrip("\r")
    return [name for name in next(csv.reader([line], delimiter=_delimiter(line)), []) if name]


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def read_csv(file: Path) -> pd.DataFrame:
    """A CSV file, every value as text and an empty one missing; columns without a name are left out.

    Raises:
        InputError: it is empty or no CSV, two columns have one name, or a row is longer than the header.
    """
    text = read_text(file)
    delimiter = _delimiter(text.partition("\n")[0])
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as problem:
        raise InputError(f"{file}: this is no readable CSV ({problem}); write it again") from problem
    if not rows:
        raise InputError(f"{file}: the file is empty; a header and one row per utterance are expected")
    twice = next((name for name in rows[0] if name and rows[0].count(name) > 1), None)
    if twice is not None:
        raise InputError(f'{file}: two columns are called "{twice}"; rename or remove one of them')
    width = len(rows[0])
    long = next((number for number, row in enumerate(rows, 1) if len(row) > width), None)
    if long is not None:
        raise InputError(f"{file}, row {long}: it has more values than the header; put a text with commas in quotes")
    table = pd.DataFrame([row + [""] * (width - len(row)) for row in rows[1:] if row], columns=rows[0], dtype="str")
    table = table.loc[:, [name != "" and not name.startswith("Unnamed:") for name in table.columns]]
    return table.mask(table == "")


def numbered(folder: str) -> str:
    """The name of a fold from the name of its folder.

    >>> numbered("fold_1"), numbered("Fold2"), numbered("session3")
    ('1', '2', 'session3')
    """
    return re.sub(r"^fold[-_ ]*(?=.)", "", folder, flags=re.IGNORECASE)


def split_files(folder: Path, fits: Callable[[Path], bool]) -> list[tuple[str, str | None, Path]]:
    """The files named after parts that lie in a folder, or in folders of it, one for each fold.

    Returns:
        fold, name of the part, and path of each.
    """

    def inside(place: Path, fold: str) -> Iterator[tuple[str, str | None, Path]]:
        for file in sorted(place.iterdir(), key=lambda path: natural(path.name)):
            if not file.name.startswith(".") and part_of(stem(file)) and fits(file):
                yield fold, stem(file), file

    if found := list(inside(folder, GIVEN)):
        return found
    places = sorted((place for place in folder.iterdir() if place.is_dir()), key=lambda path: natural(path.name))
    return [each for place in places for each in inside(place, numbered(place.name))]


def stem(file: Path) -> str:
    """The name of a file without its suffixes."""
    return re.sub(r"(\.jsonl?|\.csv|\.tsv)(\.gz)?$", "", file.name, flags=re.IGNORECASE)


def recordings_folder(start: Path, audio: Iterable[object], default: Path | None = None) -> Path:
    """Where relative paths start from: the folder of the files or one of the three around it, if it has the recordings.

    Args:
        start: the folder of the files.
        audio: paths of recordings; the first few are looked for.
        default: where none of them is found, ``start`` by default.
    """
    names = [spelled(str(name)) for name in islice(audio, 3)]
    for place in (start, *start.absolute().parents[:3]):
        if any((place / name).is_file() for name in names):
            return place
    return start if default is None else default
