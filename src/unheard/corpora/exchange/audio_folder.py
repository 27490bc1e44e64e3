"""The AudioFolder of Hugging Face datasets: recordings with a ``metadata.csv``, ``.jsonl`` or ``.parquet`` beside them.

The column ``file_name`` says the recording, from the metadata's folder. Splits are folders named ``train``,
``validation``, ``test`` or as their loader knows them. Without metadata the folder that a recording lies in is its
label, as that loader infers it. See https://huggingface.co/docs/datasets/audio_dataset.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from unheard.corpora.exchange.entries import Entries, imported, table_of
from unheard.corpora.exchange.export import Export, write_json_lines
from unheard.corpora.exchange.files import AUDIO, read_csv, read_json_lines
from unheard.corpora.exchange.imported import Format, Imported
from unheard.corpora.exchange.words import EMOTION_WORDS, natural, part_of
from unheard.errors import InputError

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
#: How many files are looked at to recognize folders named after emotions.
LOOKED_AT = 1000
#: By such a word in a path the loader finds splits.
SPLIT_WORD = re.compile(
    r"(^|[-._ 0-9/])(train|training|validation|valid|dev|val|test|testing|eval|evaluation)([-._ 0-9/]|$)"
)
RECORDING_COLUMN = re.compile(r"(.+_)?file_name")


def recognizes(path: Path) -> bool:
    """Metadata in a folder or its folders, or recordings in folders named after emotions."""
    if path.is_file():
        return path.name in METADATA
    if _metadata(path):
        return True
    near = (file for pattern in ("*/*", "*/*/*") for file in path.glob(pattern))
    return any(
        file.suffix.lower() in AUDIO and file.parent.name.lower() in EMOTION_WORDS for file in islice(near, LOOKED_AT)
    )


def _metadata(folder: Path) -> list[Path]:
    found = (folder.glob(f"{place}metadata.*") for place in ("", "*/", "*/*/"))
    return sorted((file for files in found for file in files if file.name in METADATA), key=lambda path: str(path))


def read(path: Path) -> Imported:
    """A folder, or one metadata file."""
    folder = path.parent if path.is_file() else path
    files = [path] if path.is_file() else _metadata(path)
    tables = [(_table(file, folder), str(file)) for file in files] or [(_labelled(folder), str(folder))]
    return imported([each for table, file in tables for each in _by_split(table, file)], folder, path)


def _by_split(table: pd.DataFrame, file: str) -> Iterator[Entries]:
    """The rows of each split; a row in no folder named after one is no part of any."""
    places = table["audio"].map(lambda audio: next(filter(part_of, PurePosixPath(str(audio)).parts[:-1]), ""))
    for place, rows in table.groupby(places, sort=False):
        yield Entries(rows, file, str(place) or None)


def _table(file: Path, folder: Path) -> pd.DataFrame:
    if file.suffix == ".csv":
        table = read_csv(file)
    elif file.suffix == ".jsonl":
        table = table_of(read_json_lines(file))
    else:
        try:
            found = pd.read_parquet(file)
            table = table_of({str(name): value for name, value in row.items()} for row in found.to_dict("records"))
        except (ValueError, OSError) as problem:
            raise InputError(f"{file}: this is no readable Parquet file; write it again") from problem
    column = next((name for name in table if RECORDING_COLUMN.fullmatch(str(name))), None)
    if column is None:
        raise InputError(f'{file}: the column "file_name" is missing; add it, with the path of each recording')
    if table[column].isna().any():
        raise InputError(f'{file}: a row has no "{column}"; name its recording or remove it')
    start = file.parent.relative_to(folder).as_posix()
    audio = [posixpath.normpath(posixpath.join(start, str(name))) for name in table[column]]
    return table.drop(columns=[column, "audio"], errors="ignore").assign(audio=audio)


def _labelled(folder: Path) -> pd.DataFrame:
    """Every recording with the name of its folder as label, where all lie equally deep and labels differ."""
    files = [file.relative_to(folder) for file in folder.rglob("*") if file.suffix.lower() in AUDIO]
    files = sorted((file for file in files if not file.name.startswith(".")), key=lambda file: natural(file.as_posix()))
    if not files:
        raise InputError(f"{folder}: there are no recordings and no metadata.csv in it")
    labels = [None if part_of(file.parent.name) or file.parent == Path() else file.parent.name for file in files]
    inferred = len({len(file.parts) for file in files}) == 1 and len(set(labels)) > 1
    table = pd.DataFrame({"audio": [file.as_posix() for file in files]})
    return table.assign(emotion=pd.Series(labels, dtype="str")) if inferred else table


def write(export: Export) -> list[str]:
    """The recordings and ``metadata.jsonl``, which keeps numbers apart from texts such as ``001``."""
    audio = dataclasses.replace(export, copy_audio=True).audio(lambda path: "" if SPLIT_WORD.search(path) else path)
    names = [str(name) for name in export.known]
    own = sorted(name for name in names if re.fullmatch(r"(.+_)?file_names?", name))
    left_out = {"audio", *own, *([] if export.has_own_ids(audio) else ["id"])}
    columns: dict[str, Any] = dict.fromkeys(name for name in names if name not in left_out)
    rows = (columns | row for row in export.rows())
    write_json_lines(
        export.folder / "metadata.jsonl",
        ({"file_name": name} | {key: row[key] for key in columns} for name, row in zip(audio, rows, strict=True)),
    )
    return [f'AudioFolder: the column "{name}" has no place, since its name means a recording' for name in own]


AUDIO_FOLDER = Format("audio-folder", "Hugging Face AudioFolder", recognizes, read, write)
