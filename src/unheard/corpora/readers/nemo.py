"""nEMO: nine Polish actors say 90 sentences in six emotional states.

Names are ``speaker_emotion_sentence``, as in ``EB0_anger_1``, in the folder ``samples``. Labels and texts stand in
``data.tsv`` beside it, between tabs and without quoting, some with blanks before the speaker.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.corpus import GENDERS
from unheard.corpora.published import Flaw, Published, Row, named_audio, paired
from unheard.errors import InputError

NAME = re.compile(r"[A-Z]{2}\d_[a-z]+_\d+")
LABELS = "data.tsv"
COLUMNS = ("file_id", "emotion", "raw_text", "speaker_id", "gender", "age")
EMOTIONS = {
    "anger": "angry", "fear": "fear", "happiness": "happy", "neutral": "neutral", "sadness": "sad",
    "surprised": "surprise",
}  # fmt: skip


def utterances(folder: Path) -> Iterator[Row | Flaw]:
    """One row for each line of ``data.tsv`` whose ``samples/EB0_anger_1.wav`` is there.

    There is one more column, ``age`` (years).
    """
    labels: dict[str, Row] = {}
    for number, line in _lines(folder / LABELS):
        name = line["file_id"].removesuffix(".wav")
        if name in labels:
            yield Flaw(f"{LABELS}, line {number}", f"{name} is labelled twice")
        elif line["emotion"] not in EMOTIONS or line["gender"] not in GENDERS or not line["age"].isdigit():
            yield Flaw(f"{LABELS}, line {number}", f"the emotion, gender or age of {name} is not as published")
        else:
            labels[name] = {
                "speaker": f"nemo_{line['speaker_id']}",
                "gender": line["gender"],
                "emotion": EMOTIONS[line["emotion"]],
                "style": "scripted",
                "text": line["raw_text"],
                "age": int(line["age"]),
            }
    recordings = {file.stem: file for file, _ in named_audio(folder, NAME)}
    yield from paired(labels, recordings, label_file=lambda name: LABELS)


def _lines(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of data.tsv with their numbers; none where it is not there."""
    if not table.is_file():
        return
    try:
        lines = table.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as problem:
        raise InputError(f"{table}: this is not UTF-8; restore the published file") from problem
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise InputError(f"{table}: the column {missing[0]} is missing; restore the published file")
    for row in rows:
        yield rows.line_num, {column: row[column].strip() for column in COLUMNS}


NEMO = Published(
    name="nemo",
    title="nEMO",
    language="pl",
    licence="CC BY-NC-SA 4.0",
    citation="Christop (2024), nEMO: Dataset of Emotional Speech in Polish, LREC-COLING (arXiv:2404.06292)",
    layout="data.tsv and samples/EB0_anger_1.wav and 4,480 more, .wav or .flac",
    # The table of the dataset card on Hugging Face; 4,481 in all.
    editions={
        "published": {"angry": 749, "fear": 736, "happy": 749, "neutral": 809, "sad": 769, "surprise": 669},
    },
    utterances=utterances,
)
