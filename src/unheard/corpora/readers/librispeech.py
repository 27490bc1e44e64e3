"""LibriSpeech: volunteers read audiobooks aloud; speakers for auxiliary tasks, without any emotion.

``LibriSpeech/{subset}/{speaker}/{chapter}/{speaker}-{chapter}-{number}.flac``, the transcripts of a chapter beside it
in ``{speaker}-{chapter}.trans.txt``, and everyone's gender in ``LibriSpeech/SPEAKERS.TXT``. Any subsets may be there,
each of them whole; a speaker is in one subset only. The folder to point at is ``LibriSpeech``, one above it or one in
it. In SPEAKERS.TXT lines that begin with ``;`` are comments, and a name may hold the separator ``|``.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import Flaw, Published, Row, audio_files, file_above

NAME = re.compile(r"(?P<utterance>\d+-\d+-\d{4})\.\w+")
GENDERS = {"F": "female", "M": "male"}
SPEAKERS = "SPEAKERS.TXT"


def utterances(folder: Path) -> Iterator[Row | Flaw]:
    """One row for each ``train-clean-100/103/1240/103-1240-0000.flac``; the text is in capital letters, as published.

    There are two more columns: ``subset`` (``train-clean-100``) and ``chapter`` (its number).
    """
    chapters = defaultdict[str, dict[str, str]](dict)
    for file in audio_files(folder):
        place, _, name = file.rpartition("/")
        if match := NAME.fullmatch(name):
            chapters[place][file] = match["utterance"]
    if not chapters:
        return
    speakers = file_above(folder / next(iter(chapters)), SPEAKERS)
    genders = _genders(speakers) if speakers else {}
    if not speakers:
        yield Flaw(SPEAKERS, "it does not lie above the recordings, so that no gender is known")
    unlisted: set[str] = set()
    for place, recordings in chapters.items():
        # The subset, and even the speaker, may be named above the folder.
        subset, speaker, chapter = ("", "", *Path(os.path.abspath(folder), place).parts)[-3:]
        labels = {"speaker": f"librispeech_{speaker}", "subset": subset, "chapter": chapter}
        if speaker in genders:
            labels["gender"] = genders[speaker]
        elif speakers and speaker not in unlisted:
            unlisted.add(speaker)
            yield Flaw(SPEAKERS, f"speaker {speaker} is not in it with a gender, F or M")
        yield from _chapter(folder / place, f"{speaker}-{chapter}", recordings, labels)


def _chapter(place: Path, name: str, recordings: dict[str, str], labels: Row) -> Iterator[Row | Flaw]:
    """The utterances of one chapter with what is read in them, where its transcripts were not left out."""
    transcript = place / f"{name}.trans.txt"
    whole = transcript.is_file()
    texts = _texts(transcript) if whole else {}
    for file, utterance in recordings.items():
        if not utterance.startswith(f"{name}-"):
            yield Flaw(file, f"it lies in the folder of {name}, another speaker or chapter")
            continue
        row = {"id": utterance, "audio": file} | labels
        if utterance in texts:
            row["text"] = texts.pop(utterance)
        elif whole:
            yield Flaw(transcript.name, f"the recording {file} is not in it")
        yield row
    for utterance in texts:
        yield Flaw(transcript.name, f"{utterance} is in it, but there is no recording of it")


def _texts(transcript: Path) -> dict[str, str]:
    """What is read in each utterance of a chapter: lines ``103-1240-0000 CHAPTER ONE ...``."""
    lines = transcript.read_text(encoding="utf-8", errors="replace").splitlines()
    return {utterance: text.strip() for utterance, _, text in (line.partition(" ") for line in lines) if utterance}


def _genders(speakers: Path) -> dict[str, str]:
    """Everyone's gender: lines ``14   | F | train-clean-360  | 25.03 | Name``."""
    lines = speakers.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [[part.strip() for part in line.split("|", 4)] for line in lines if not line.startswith(";")]
    return {row[0]: GENDERS[row[1]] for row in rows if len(row) > 1 and row[1] in GENDERS}


LIBRISPEECH = Published(
    name="librispeech",
    title="LibriSpeech",
    language="en",
    licence="CC BY 4.0",
    citation="Panayotov, Chen, Povey & Khudanpur (2015), Librispeech: an ASR corpus based on public domain audio "
    "books, ICASSP, 5206-5210",
    layout="train-clean-100/103/1240/103-1240-0000.flac and so on for any of its seven subsets, and SPEAKERS.TXT",
    editions={
        # The numbers of lines of all transcripts, 292,367 in all; data cards of the corpus state the same.
        "published": {
            "train-clean-100": 28_539,
            "train-clean-360": 104_014,
            "train-other-500": 148_688,
            "dev-clean": 2_703,
            "dev-other": 2_864,
            "test-clean": 2_620,
            "test-other": 2_939,
        }
    },
    utterances=utterances,
    counted="subset",
    whole=False,
    sample_rate=16_000,
)
