"""EmoBox (Ma et al., Interspeech 2024): ``data/<corpus>/`` with JSON lines for the corpus and for each part of a fold.

``<corpus>.jsonl`` holds all utterances, ``fold_1/<corpus>_train_fold_1.jsonl`` (``valid``, ``test``) those of a part;
beside each there is a ``.json`` with less in it, which is read where the ``.jsonl`` is missing. Its lines have no
speaker: that stands in ``data.seg.wrd.stm``. ``label_map.json`` explains the labels. Paths (``downloads/…``) start
from the folder that holds ``data``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from unheard.corpora.exchange.entries import Entries, imported, table_of
from unheard.corpora.exchange.export import Export, write_json_lines
from unheard.corpora.exchange.files import (
    first_object,
    read_json,
    read_json_lines,
    read_json_table,
    read_text,
    recordings_folder,
)
from unheard.corpora.exchange.imported import GIVEN, Format, Imported
from unheard.corpora.exchange.words import natural
from unheard.errors import InputError

PART = re.compile(r"(?P<corpus>.+)_(?P<part>[^_]+)_fold_(?P<fold>.+)\.jsonl?")
SPEAKER = re.compile(r"<id=(.*?),lang=.*?,spk=(.*?),emotion=")
#: Keys of a line that the recording itself tells.
FACTS = ("type", "sample_rate", "num_frame", "channel")
#: EmoBox's key for our columns; every other column keeps its name.
KEYS = {
    "id": "key", "corpus": "dataset", "emotion": "emo", "duration": "length", "start": "start_time", "end": "end_time",
}  # fmt: skip
RESERVED = {*FACTS, "task", "wav", *KEYS.values()}
#: Corpora whose ``spk`` is no speaker: IEMOCAP's is the prefix of the dialogue, the wrong person in half of its turns.
NO_SPEAKERS = ("iemocap",)


def recognizes(path: Path) -> bool:
    """A file of such lines, or a folder with one, or with the files of folds."""
    if path.is_file():
        return {"wav", "emo"} <= first_object(path).keys() and path.suffix == ".jsonl"
    if any(PART.fullmatch(file.name) for file in [*path.glob("fold_*/*.json*"), *path.glob("*_fold_*.json*")]):
        return True
    return any({"key", "wav"} <= first_object(file).keys() for file in path.glob("*.jsonl"))


def read(path: Path) -> Imported:
    """A corpus folder, one fold's folder, or one file."""
    folder = path.parent if path.is_file() else path
    home = folder.parent if re.fullmatch(r"fold_.+", folder.name) else folder
    whole, parts = ([path], []) if path.is_file() else _files(path)
    lost: list[str] = []
    speakers = _speakers(home, lost)
    entries = [_entries(file, speakers, lost) for file in whole]
    for file in parts:
        name = PART.fullmatch(file.name)
        assert name is not None
        entries.append(_entries(file, speakers, lost, name["part"], name["fold"]))
    if not entries:
        raise InputError(f"{path}: there are no EmoBox files in it; it must hold <corpus>.jsonl or fold_1 with parts")
    label_map = home / "label_map.json"
    explained = read_json(label_map) if label_map.is_file() else {}
    if not isinstance(explained, dict):
        raise InputError(f"{label_map}: this does not map each label to a word")
    audio = (name for each in entries for name in each.table.get("wav", ()))
    root = home.parent.parent if home.absolute().parent.name == "data" else home
    return imported(entries, recordings_folder(home, audio, root), path, lost=dict.fromkeys(lost), label_map=explained)


def _files(folder: Path) -> tuple[list[Path], list[Path]]:
    """The file of the whole corpus, if there is one, and those of parts; ``.jsonl`` rather than ``.json``."""
    found = {
        file.with_suffix(""): file
        for pattern in ("*.json", "fold_*/*.json", "*.jsonl", "fold_*/*.jsonl")
        for file in folder.glob(pattern)
    }
    parts = [file for file in found.values() if PART.fullmatch(file.name)]
    others = [file for file in found.values() if file.parent == folder and file not in parts]
    whole = [file for file in others if file.stem == folder.name] or [
        file for file in others if file.suffix == ".jsonl"
    ]
    return whole, sorted(parts, key=lambda file: natural(file.as_posix()))


def _entries(
    file: Path, speakers: dict[str, str], lost: list[str], part: str | None = None, fold: str = GIVEN
) -> Entries:
    rows = read_json_lines(file) if file.suffix == ".jsonl" else read_json_table(file)
    table = table_of(rows).rename(columns={key: ours for ours, key in KEYS.items()})
    if "task" in table:
        tasks = sorted(set(table["task"].dropna().map(str)) - {"category"})
        if tasks:
            lost.append(f'the task "{tasks[0]}" of {file.name} is no category of emotion; "emo" is read as one')
    table = table.drop(columns=[*FACTS, "task"], errors="ignore")
    if speakers and "id" in table and "speaker" not in table:
        table["speaker"] = table["id"].map(speakers)
    return Entries(table, str(file), part, fold)


def _speakers(folder: Path, lost: list[str]) -> dict[str, str]:
    """The speaker of each utterance; MER2023 repeats the utterance's own name there, which is none."""
    file = folder / "data.seg.wrd.stm"
    if not file.is_file():
        return {}
    if folder.name in NO_SPEAKERS:
        lost.append(
            f"the speakers in {file.name} are left out: for {folder.name} they are the prefixes of the dialogues, the "
            "wrong person in half of the turns"
        )
        return {}
    found = dict(SPEAKER.findall(read_text(file)))
    return {name: speaker for name, speaker in found.items() if name.removeprefix(f"{folder.name}-") != speaker}


def write(export: Export) -> list[str]:
    """``<corpus>.jsonl`` and ``label_map.json``; further columns become further keys of a line."""
    headers = export.headers()
    lines = []
    for row, wav, audio in zip(export.rows(), export.audio(), export.corpus.table["audio"], strict=True):
        line = {"key": row.pop("id"), "wav": wav, "type": "raw", "task": "category"}
        if header := headers.get(audio):
            line |= {"sample_rate": header.rate, "num_frame": header.frames, "channel": header.channels}
            line["length"] = header.seconds
        del row["audio"]
        lines.append(line | {KEYS.get(name, name): value for name, value in row.items() if name not in RESERVED})
    name = re.sub(r"[^\w.-]+", "_", export.corpus.name)
    write_json_lines(export.folder / f"{name}.jsonl", lines)
    emotions = sorted(export.known["emotion"].dropna().unique()) if "emotion" in export.known else []
    label_map = {emotion: emotion.capitalize() for emotion in emotions}
    (export.folder / "label_map.json").write_text(json.dumps(label_map, indent=4) + "\n", encoding="utf-8")
    return [
        f'EmoBox: the column "{column}" has no place, since this key means something else there'
        for column in export.known
        if column in RESERVED
    ]


EMOBOX = Format("emobox", "EmoBox JSON lines", recognizes, read, write)
