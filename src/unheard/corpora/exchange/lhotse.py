"""lhotse manifests: ``recordings.jsonl.gz`` and ``supervisions.jsonl.gz``, also one pair for each named split.

Pairs are named as lhotse's recipes do, ``<corpus>_recordings_<part>.jsonl.gz``, or with the part in front. What a
supervision has no field for stands in ``custom``. See https://lhotse.readthedocs.io/en/latest/corpus.html.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unheard.corpora.exchange.entries import Entries, imported, table_of
from unheard.corpora.exchange.export import Export, Header
from unheard.corpora.exchange.files import read_json_lines, recordings_folder
from unheard.corpora.exchange.imported import GIVEN, Format, Imported
from unheard.corpora.exchange.words import natural, part_of
from unheard.errors import InputError

NAME = re.compile(r"(?:(?P<before>.+?)[-_])?(?P<kind>recordings|supervisions)(?:[-_](?P<after>.+?))?\.jsonl(?:\.gz)?")
#: Fields of a supervision that are columns of ours.
FIELDS = ("text", "language", "speaker", "gender")
#: lhotse rounds times to this many digits.
DIGITS = 8
#: A supervision within this of its recording (seconds) is all of it.
WHOLE = 1e-3


def recognizes(path: Path) -> bool:
    """A folder with supervisions, or a file of them."""
    return _kind(path) == "supervisions" if path.is_file() else bool(_pairs(path))


def _kind(file: Path) -> str:
    name = NAME.fullmatch(file.name)
    return name["kind"] if name else ""


def _pairs(folder: Path) -> dict[str | None, dict[str, Path]]:
    """The manifests of each part; those that belong to no part have the name None."""
    found: dict[str | None, dict[str, Path]] = {}
    for file in sorted(folder.glob("*.jsonl*"), key=lambda path: natural(path.name)):
        if name := NAME.fullmatch(file.name):
            part = next((word for word in (name["after"], name["before"]) if word and part_of(word)), None)
            found.setdefault(part, {})[name["kind"]] = file
    return {part: files for part, files in found.items() if "supervisions" in files}


def read(path: Path) -> Imported:
    """A folder of manifests, or one file of supervisions with the recordings beside it."""
    pairs = _pairs(path if path.is_dir() else path.parent)
    if path.is_file():
        pairs = {part: files for part, files in pairs.items() if files["supervisions"] == path}
    if not pairs:
        raise InputError(f"{path}: there are no lhotse manifests in it; it must hold supervisions.jsonl.gz")
    lost: list[str] = []
    entries = []
    for part, files in pairs.items():
        recordings = _recordings(files.get("recordings"), lost)
        supervisions = read_json_lines(files["supervisions"])
        if not recordings:
            lost.append(
                f"{files['supervisions']}: there are no recordings beside it, so their ids stand for their paths"
            )
        elif silent := recordings.keys() - {str(row.get("recording_id")) for row in supervisions}:
            lost.append(f"{files['recordings']}: {len(silent):,} recordings without a supervision are left out")
        rows = [_row(row, recordings, files["supervisions"], lost) for row in supervisions]
        entries.append(Entries(table_of(rows), str(files["supervisions"]), part if path.is_dir() else None, GIVEN))
    folder = path if path.is_dir() else path.parent
    audio = (name for each in entries for name in each.table.get("audio", ()))
    return imported(entries, recordings_folder(folder, audio), path, lost=dict.fromkeys(lost))


def _recordings(file: Path | None, lost: list[str]) -> dict[str, tuple[str, float]]:
    """Path and length (seconds) of each recording, by its id."""
    found = {}
    for row in read_json_lines(file) if file else []:
        try:
            source, *others = row["sources"]
            found[str(row["id"])] = (str(source["source"]), float(row["duration"]))
        except (KeyError, TypeError, ValueError):
            raise InputError(
                f'{file}: the recording "{row.get("id")}" needs an id, sources and a duration; write it with lhotse'
            ) from None
        if others:
            lost.append(f'{file}: of several sources of a recording (first "{row["id"]}") the first is kept')
        if source.get("type", "file") != "file":
            lost.append(f'{file}: a recording is no file but a {source["type"]} (first "{row["id"]}")')
    return found


def _row(
    row: Mapping[str, Any], recordings: Mapping[str, tuple[str, float]], file: Path, lost: list[str]
) -> dict[str, Any]:
    try:
        name, recording = row["id"], str(row["recording_id"])
        start, duration = float(row["start"]), float(row["duration"])
        custom = dict(row.get("custom") or {})
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f'{file}: the supervision "{row.get("id")}" needs an id, a recording_id, a start and a duration, and its '
            "custom fields, if any, need names; write it with lhotse"
        ) from None
    audio, seconds = recordings.get(recording, (recording, None))
    found: dict[str, Any] = {"id": name, "audio": audio, "duration": duration}
    if seconds is None or start > WHOLE or abs(start + duration - seconds) > WHOLE:
        found |= {"start": start, "end": round(start + duration, DIGITS)}
    if row.get("alignment"):
        lost.append(f"{file}: alignments are left out")
    return (
        found
        | {key: value for key, value in custom.items() if key not in found}
        | {key: row[key] for key in FIELDS if row.get(key) is not None}
    )


def write(export: Export) -> list[str]:
    """``recordings.jsonl.gz`` and ``supervisions.jsonl.gz``."""
    headers = export.headers()
    recordings: dict[str, dict[str, Any]] = {}
    supervisions = []
    for row, path, audio in zip(export.rows(), export.audio(), export.corpus.table["audio"], strict=True):
        if audio not in headers:
            raise InputError(
                f'{export.corpus.source}: the recording "{audio}" cannot be read, and lhotse wants its sampling rate '
                "and length; put it there as WAV or FLAC"
            )
        if audio not in recordings:
            recordings[audio] = _recording(row["id"], (export.final / path).as_posix(), headers[audio])
        supervisions.append(_supervision(row, recordings[audio], headers[audio]))
    _write(export.folder / "recordings.jsonl.gz", list(recordings.values()))
    _write(export.folder / "supervisions.jsonl.gz", supervisions)
    return []


def _recording(name: str, path: str, header: Header) -> dict[str, Any]:
    channels = list(range(header.channels))
    return {
        "id": name, "sources": [{"type": "file", "channels": channels, "source": path}], "sampling_rate": header.rate,
        "num_samples": header.frames, "duration": header.seconds, "channel_ids": channels,
    }  # fmt: skip


def _supervision(row: Mapping[str, Any], recording: Mapping[str, Any], header: Header) -> dict[str, Any]:
    start = row.get("start", 0.0)
    end = row.get("end", header.seconds)
    fields = {key: row[key] for key in FIELDS if key in row}
    custom = {
        key: value for key, value in row.items() if key not in (*FIELDS, "id", "audio", "start", "end", "duration")
    }
    channels = recording["channel_ids"]
    return {
        "id": row["id"], "recording_id": recording["id"], "start": start, "duration": round(end - start, DIGITS),
        "channel": channels if len(channels) > 1 else 0,
    } | fields | ({"custom": custom} if custom else {})  # fmt: skip


def _write(file: Path, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    with file.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        packed.write(text.encode())


LHOTSE = Format("lhotse", "lhotse manifests", recognizes, read, write)
