"""Where an export goes: aside first, then whole into its folder, with or without the recordings."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import soundfile

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError


@dataclass(frozen=True)
class Header:
    """What a recording's header says: samples per second, samples of each channel, channels."""

    rate: int
    frames: int
    channels: int

    @property
    def seconds(self) -> float:
        """The length of the recording."""
        return self.frames / self.rate


@dataclass(frozen=True)
class Export:
    """A corpus that is being written for another tool.

    Attributes:
        corpus: what is written.
        folder: where it is written now; it becomes ``final`` when everything is there.
        final: where it will be found, an absolute path.
        copy_audio: whether the recordings go there too.
    """

    corpus: Corpus
    folder: Path
    final: Path
    copy_audio: bool

    @cached_property
    def known(self) -> pd.DataFrame:
        """The table without the columns that hold nothing."""
        return self.corpus.table.dropna(axis="columns", how="all")

    def has_own_ids(self, audio: pd.Series) -> bool:
        """Whether the ids are others than those that utterances get by default from these paths and their times."""
        unnamed = Corpus.from_table(self.corpus.table.drop(columns="id").assign(audio=audio), self.folder)
        return not unnamed.table["id"].equals(self.corpus.table["id"])

    def audio(self, name_of: Callable[[str], str] | None = None) -> pd.Series:
        """The path of each utterance's recording: absolute, or from the export's folder where it is copied there.

        Args:
            name_of: from a recording's path in the export to the one that it gets, where a format has rules for it.
        """
        table = self.corpus.table
        if not self.copy_audio:
            root = Path(os.path.abspath(self.corpus.folder))
            return table["audio"].map(lambda audio: (root / audio).as_posix())
        places = self._places(name_of or (lambda path: path))
        for audio, place in places.items():
            source = self.corpus.folder / audio
            if not source.is_file():
                raise InputError(
                    f'{self.corpus.source}: the recording "{audio}" is not in {self.corpus.folder}, so it cannot be '
                    "copied; put it there or export without the recordings"
                )
            (self.folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, self.folder / place)
        return table["audio"].map(places)

    def _places(self, name_of: Callable[[str], str]) -> dict[str, str]:
        """The path of each recording inside the export; what lies outside the corpus's folder is named by number."""
        places: dict[str, str] = {}
        taken: set[str] = set()
        for number, audio in enumerate(self.corpus.table["audio"].unique()):
            inside = not re.match(r"/|[A-Za-z]:|\.\.(/|$)", os.path.normpath(audio).replace("\\", "/"))
            place = name_of(PurePosixPath(os.path.normpath(audio)).as_posix()) if inside else ""
            while not place or place.lower() in taken:
                place = f"audio/{number:06}{PurePosixPath(audio).suffix}"
                number += len(self.corpus)
            taken.add(place.lower())
            places[audio] = place
        return places

    def headers(self) -> dict[str, Header]:
        """What the headers of the recordings say, for those that are there and can be read, by their path."""
        found = {}
        for audio in self.corpus.table["audio"].unique():
            try:
                info = soundfile.info(self.corpus.folder / audio)
            except (soundfile.SoundFileError, OSError):
                continue
            found[audio] = Header(info.samplerate, info.frames, info.channels)
        return found

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each utterance as plain values, without the missing ones."""
        table = self.known
        present = table.notna().to_numpy()
        for values, here in zip(table.to_dict("records"), present, strict=True):
            yield {str(name): _plain(value) for (name, value), there in zip(values.items(), here, strict=True) if there}


def _plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if hasattr(value, "item"):
        value = value.item()
    return value if isinstance(value, str | int | float | bool) else str(value)


def write_json_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """One object a line, in UTF-8."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_export(
    corpus: Corpus, folder: Path, write: Callable[[Export], list[str]], *, copy_audio: bool, force: bool
) -> tuple[str, ...]:
    """Let ``write`` fill a folder; nobody finds it half written, and with ``force`` other files in it stay.

    Raises:
        InputError: the folder holds something and ``force`` is not given, or what ``write`` raises.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: this is a file; name a folder to export to")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise InputError(f"{folder}: the folder is not empty; name a new one, or write into it with --force")
    final = Path(os.path.abspath(folder))
    aside = final.with_name(f"{final.name}.unfinished")
    if aside.exists():
        shutil.rmtree(aside)
    aside.mkdir(parents=True)
    try:
        lost = write(Export(corpus, aside, final, copy_audio))
        for file in sorted(path for path in aside.rglob("*") if path.is_file()):
            place = final / file.relative_to(aside)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return tuple(lost)
