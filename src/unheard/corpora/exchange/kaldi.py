"""Kaldi data directories: ``wav.scp``, ``segments``, ``utt2spk``, ``spk2gender``, ``text``, ``utt2emo``, ``utt2lang``.

See https://kaldi-asr.org/doc/data_prep.html. Kaldi has no word for an unknown speaker: there the utterance is named as
its own speaker, which is read as a missing one. Further ``utt2…`` and ``spk2…`` files are columns of that name. Several
directories (``train``, ``dev``, ``test``) in one folder are the parts of a split.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from unheard.corpora.exchange.entries import Entries, imported
from unheard.corpora.exchange.export import Export
from unheard.corpora.exchange.files import AUDIO, read_text, recordings_folder
from unheard.corpora.exchange.imported import GIVEN, Format, Imported
from unheard.corpora.exchange.words import natural
from unheard.errors import InputError

#: Files for one value of each utterance that are written, and the column in them.
UTTERANCE_FILES = {"text": "text", "utt2emo": "emotion", "utt2lang": "language", "utt2dur": "duration"}
WRITTEN = {"id", "audio", "start", "end", "speaker", "gender", *UTTERANCE_FILES.values()}
#: Files that hold features, which a corpus does not.
FEATURES = ("feats.scp", "cmvn.scp", "vad.scp")
#: A segment that ends here ends with its recording.
TO_THE_END = -1.0


def recognizes(path: Path) -> bool:
    """A folder with a ``wav.scp``, or with folders that have one."""
    return path.is_dir() and bool(_directories(path))


def _directories(folder: Path) -> list[tuple[str | None, Path]]:
    """The data directories of a folder, each with the name of its part."""
    if (folder / "wav.scp").is_file():
        return [(None, folder)]
    found = sorted((file.parent for file in folder.glob("*/wav.scp")), key=lambda place: natural(place.name))
    return [(place.name, place) for place in found]


def read(path: Path) -> Imported:
    """One data directory, or a folder of several."""
    directories = _directories(path) if path.is_dir() else []
    if not directories:
        raise InputError(f"{path}: this is no Kaldi data directory; it must hold wav.scp, or folders that do")
    entries = [Entries(_table(place), str(place), part, GIVEN) for part, place in directories]
    lost = [
        f"{place / name}: features are not read; make them again from the recordings"
        for _, place in directories
        for name in FEATURES
        if (place / name).is_file()
    ]
    audio = (name for each in entries for name in each.table.get("audio", ()))
    return imported(entries, recordings_folder(directories[0][1], audio, path), path, lost=lost)


def _table(place: Path) -> pd.DataFrame:
    recordings = {name: _recording(value, place, name) for name, value in _pairs(place / "wav.scp")}
    if (place / "segments").is_file():
        table = pd.DataFrame(_segments(place, recordings), columns=["id", "audio", "start", "end"])
    else:
        table = pd.DataFrame({"id": list(recordings), "audio": list(recordings.values())})
    speakers = dict(_pairs(place / "utt2spk")) if (place / "utt2spk").is_file() else {}
    speaker = table["id"].map(speakers)
    for file in sorted(place.glob("spk2*")):
        if file.name != "spk2utt":
            table[file.name.removeprefix("spk2")] = speaker.map(dict(_pairs(file)))
    table["speaker"] = speaker.mask(speaker == table["id"])
    for file in [place / "text", *sorted(place.glob("utt2*"))]:
        if file.is_file() and file.name != "utt2spk":
            table[file.name.removeprefix("utt2")] = table["id"].map(dict(_pairs(file)))
    return table.dropna(axis="columns", how="all")


def _pairs(file: Path) -> Iterator[tuple[str, str]]:
    """The first word of each line, and the rest of it."""
    for line in read_text(file).split("\n"):
        name, *rest = re.split(r"[ \t]+", line.strip(" \t\r"), maxsplit=1)
        if name:
            yield name, rest[0] if rest else ""


def _recording(value: str, place: Path, name: str) -> str:
    """The path in a line of ``wav.scp``; of a command, the first argument that looks like a recording."""
    if not value.endswith("|"):
        return value
    try:
        words = shlex.split(value[:-1])
    except ValueError:
        words = []
    for word in words:
        if PurePosixPath(word).suffix.lower() in AUDIO and not word.startswith("-"):
            return word
    raise InputError(f'{place / "wav.scp"}: the command of "{name}" names no recording; write the path of a file')


def _segments(place: Path, recordings: Mapping[str, str]) -> Iterator[dict[str, object]]:
    for name, value in _pairs(place / "segments"):
        recording, *times = value.split()
        if recording not in recordings or len(times) < 2:
            raise InputError(
                f'{place / "segments"}: the line of "{name}" must name a recording of wav.scp, a start and an end'
            )
        start, end = times[:2]
        whole: dict[str, object] = {"id": name, "audio": recordings[recording]}
        yield whole | {"start": start} | ({"end": end} if not re.fullmatch(r"-1(\.0*)?", end) else {})


def write(export: Export) -> list[str]:
    """One data directory, sorted as Kaldi wants it."""
    table = export.known.assign(audio=export.audio()).set_index("id", drop=False)
    lost = [f'Kaldi: the column "{name}" has no place' for name in export.known if name not in WRITTEN]
    for name in table["id"]:
        _one_word(name, "id")
    speaker = table["speaker"] if "speaker" in table else pd.Series(None, table.index, dtype="str")
    for name in speaker.dropna().unique():
        _one_word(name, "speaker")
    own = int((speaker == table["id"]).sum())
    if own:
        lost.append(f"Kaldi: {own:,} speakers are named as their utterance, which means that they are not known")
    speaker = speaker.fillna(table["id"])
    _write_recordings(export, table)
    _write(export.folder / "utt2spk", speaker.to_dict())
    _write(export.folder / "spk2utt", {name: " ".join(_sorted(rows.index)) for name, rows in table.groupby(speaker)})
    if "gender" in table:
        lost += _write_genders(export.folder / "spk2gender", table["gender"], speaker)
    for file, column in UTTERANCE_FILES.items():
        if column not in table:
            continue
        values = table[column].dropna()
        if values.dtype != float and values.str.contains("\n").any():
            lost.append(f'Kaldi: line breaks in the column "{column}" become blanks')
            values = values.str.replace("\n", " ")
        _write(export.folder / file, values.to_dict())
    return lost


def _write_recordings(export: Export, table: pd.DataFrame) -> None:
    """``wav.scp``, and ``segments`` where any utterance is a part of its recording."""
    times = [name for name in ("start", "end") if name in table]
    names = table["id"]
    if times:  # a recording is named by its first utterance
        names = table.groupby("audio", sort=False)["id"].transform("first")
        start = table["start"].fillna(0.0) if "start" in table else pd.Series(0.0, table.index)
        end = table["end"].fillna(TO_THE_END) if "end" in table else pd.Series(TO_THE_END, table.index)
        lines = zip(table["id"], names, start.tolist(), end.tolist(), strict=True)
        _write(export.folder / "segments", {name: f"{of} {begin} {stop}" for name, of, begin, stop in lines})
    paths = dict(zip(names, table["audio"], strict=True))
    _write(export.folder / "wav.scp", {name: _read_by_kaldi(export.final / path) for name, path in paths.items()})


def _read_by_kaldi(path: Path) -> str:
    """A path where Kaldi reads the file itself, otherwise the command that decodes it."""
    name = path.as_posix()
    if re.search(r"\n|\|$|^\||^ | $|^-$", name):
        raise InputError(f'Kaldi cannot read a path like "{name}"; rename the recording')
    if path.suffix.lower() == ".wav":
        return name
    if path.suffix.lower() == ".flac":
        return f"flac -c -d -s {shlex.quote(name)} |"
    return f"ffmpeg -nostdin -loglevel error -i {shlex.quote(name)} -f wav - |"


def _write_genders(file: Path, gender: pd.Series, speaker: pd.Series) -> list[str]:
    """One gender for each speaker, which is all that Kaldi holds."""
    groups = gender.groupby(speaker)
    same = (groups.nunique() == 1) & (groups.count() == groups.size())
    _write(file, groups.first()[same].str[0].to_dict())
    differ = int(((groups.count() > 0) & ~same).sum())
    return (
        [f"Kaldi: the gender of {differ:,} speakers is not that of all their utterances, and is lost"] if differ else []
    )


def _one_word(name: str, what: str) -> None:
    if any(character.isspace() for character in name):
        raise InputError(f'Kaldi: the {what} "{name}" holds a blank, which Kaldi forbids; rename it without one')


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: name.encode())  # the order of LC_ALL=C, which Kaldi insists on


def _write(file: Path, values: Mapping[Any, object]) -> None:
    lines = [f"{name} {values[name]}\n" for name in _sorted(values)]
    file.write_text("".join(lines), encoding="utf-8", newline="\n")


KALDI = Format("kaldi", "Kaldi data directory", recognizes, read, write)
