"""SpeechBrain's data manifests: ``train.json``, ``valid.json``, ``test.json``, from an id to its wav and labels.

As its IEMOCAP recipe writes them: ``{"Ses01F_impro01_F000": {"wav": "{data_root}/…", "length": 1.9, "emo": "neu"}}``.
"""

from __future__ import annotations

import re
from pathlib import Path

from unheard.corpora.exchange.entries import Entries, imported, table_of
from unheard.corpora.exchange.files import head, read_json_table, recordings_folder, split_files
from unheard.corpora.exchange.imported import GIVEN, Format, Imported
from unheard.errors import InputError

FIRST = re.compile(r'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{[^{}]*"wav"\s*:')


def _fits(file: Path) -> bool:
    return file.suffix == ".json" and FIRST.match(head(file)) is not None


def recognizes(path: Path) -> bool:
    """Such a JSON file, or a folder with some that are named after parts."""
    return _fits(path) if path.is_file() else bool(split_files(path, _fits))


def read(path: Path) -> Imported:
    """One file, or the files of a split, or folders of such files, one for each fold."""
    files = [(GIVEN, None, path)] if path.is_file() else split_files(path, _fits)
    if not files:
        raise InputError(f"{path}: there is no SpeechBrain manifest in it; it must hold train.json and test.json")
    entries = []
    for fold, part, file in files:
        rows = read_json_table(file)
        without = next((row["id"] for row in rows if not isinstance(row.get("wav"), str)), None)
        if without is not None:
            raise InputError(f'{file}, "{without}": its "wav" is no path; write the path of one recording')
        entries.append(Entries(table_of(rows), str(file), part, fold))
    folder = path.parent if path.is_file() else path
    audio = (name for each in entries for name in each.table["wav"])
    return imported(entries, recordings_folder(folder, audio), path)


SPEECHBRAIN = Format("speechbrain", "SpeechBrain JSON", recognizes, read)
