"""MSP-Podcast: turns of natural speech from podcasts, over a thousand speakers, with the consensus of several raters.

The corpus grows with its releases, 1.0 to 2.0. Each has ``Audios/MSP-PODCAST_0001_0008.wav`` (podcast, turn), later
ones also the words in ``Transcripts/MSP-PODCAST_0001_0008.txt``. Labels are a table, ``Labels/labels_consensus.csv``
(in older releases ``labels_concensus.csv``), and where it is missing the JSON file of the same name and keys, by file
name:

- ``FileName``, and ``EmoClass``: the letter of an emotion, O other, X no agreement;
- ``EmoAct``, ``EmoVal``, ``EmoDom``: activation, valence and dominance, means of scales from 1 to 7;
- ``SpkrID`` and ``Gender``, which may be ``Unknown``;
- ``Split_Set``: Train, Development (Validation in older releases), Test1, Test2, and Test or Test3 in some.

The labels of Test3 (``MSP-PODCAST_test3_0001.wav``) are kept back. The test sets share speakers with each other, and
most turns without a known speaker are in Train. The single ratings (``labels_detailed``) have another form in each
release and are not read, nor is ``ForceAligned``.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from unheard.corpora.corpus import GENDERS
from unheard.corpora.published import Flaw, Published, Row, named_audio, paired
from unheard.errors import InputError

LABEL_FILES = tuple(
    f"Labels/{name}.{form}" for form in ("csv", "json") for name in ("labels_consensus", "labels_concensus")
)
AUDIO, TRANSCRIPTS = "Audios", "Transcripts"
NAME = re.compile(r"MSP-PODCAST_(\d+|test3)_\w+")
KEYS = ("EmoClass", "EmoAct", "EmoVal", "EmoDom", "SpkrID", "Gender", "Split_Set")
EMOTIONS = {
    "A": "angry", "S": "sad", "H": "happy", "U": "surprise", "F": "fear", "D": "disgust", "C": "contempt",
    "N": "neutral", "O": "other",
}  # fmt: skip
NO_AGREEMENT, UNKNOWN, HIDDEN = "X", "Unknown", "test3"
SCALES = {"EmoAct": "activation", "EmoVal": "valence", "EmoDom": "dominance"}
SPLITS = {
    "Train": "train", "Development": "dev", "Validation": "dev",
    "Test": "test", "Test1": "test", "Test2": "test", "Test3": "test",
}  # fmt: skip


def utterances(folder: Path) -> Iterator[Row | Flaw]:
    """One row for each turn with a label and a recording, and for the recordings of Test3 without a label.

    The session is the podcast. Turns without agreement have no ``emotion``, unknown speakers no ``speaker``. There are
    two more columns: ``split`` (train, dev, test) and ``split_set``, its name in the release.

    Raises:
        InputError: there are no labels, or they are not as published.
    """
    label_file = next((name for name in LABEL_FILES if (folder / name).is_file()), None)
    if not label_file:
        raise InputError(
            f"{folder}: none of {', '.join(LABEL_FILES)} is in it; point at the folder that holds Labels and {AUDIO} "
            "of MSP-Podcast"
        )
    recordings = {file.stem: AUDIO / file for file, _ in named_audio(folder / AUDIO, NAME)}
    labels: dict[str, Row] = {}
    places: dict[str, str] = {}
    for place, file, values in _published(folder, label_file):
        name = PurePosixPath(file).stem
        row = _row(name, values)
        if isinstance(row, str):
            yield Flaw(place, row)
            recordings.pop(name, None)  # its label is there, and the flaw is named
        elif name in labels:
            yield Flaw(place, f"{name} is labelled twice")
        else:
            labels[name], places[name] = row, place
    for name in recordings:
        if name not in labels and name.split("_")[1] == HIDDEN:
            labels[name] = {"split": "test", "split_set": "Test3"}
    words = _words(folder / TRANSCRIPTS)
    texts = {name: row | ({"text": words[name]} if name in words else {}) for name, row in labels.items()}
    yield from paired(texts, recordings, lambda name: places.get(name, label_file))


def _published(folder: Path, label_file: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The place of each label, the name of its recording and what is said of it."""
    path = folder / label_file
    try:
        if path.suffix == ".json":
            for file, values in json.loads(path.read_text(encoding="utf-8-sig")).items():
                yield label_file, file, dict(values)
            return
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            for key in ("FileName", *KEYS):
                if key not in (rows.fieldnames or ()):
                    raise ValueError(f"the column {key} is missing")
            for row in rows:
                yield f"{label_file}, line {rows.line_num}", row["FileName"], row
    except (AttributeError, TypeError, ValueError, csv.Error) as problem:
        raise InputError(f"{path}: this is no label file of MSP-Podcast ({problem}); fetch it again") from problem


def _row(name: str, values: Mapping[str, Any]) -> Row | str:
    """The row of a label, or what is wrong with the label."""
    match = NAME.fullmatch(name)
    if not match:
        return f'"{name}" is not the name of a turn of MSP-Podcast'
    missing = [key for key in KEYS if values.get(key) is None]
    if missing:
        return f"{name} has no {missing[0]}"
    emotion, *_, speaker, gender, split = (str(values[key]).strip() for key in KEYS)
    if emotion != NO_AGREEMENT and emotion not in EMOTIONS:
        return f'{name} has the label "{emotion}" (it is one of {", ".join(EMOTIONS)}, {NO_AGREEMENT})'
    if split not in SPLITS:
        return f'{name} is in the set "{split}" (it is one of {", ".join(SPLITS)})'
    row: Row = {"split": SPLITS[split], "split_set": split}
    try:
        row |= {scale: float(values[key]) for key, scale in SCALES.items() if str(values[key]).strip()}
    except ValueError as problem:
        return f"{name} has a rating that is no number ({problem})"
    if emotion in EMOTIONS:
        row["emotion"] = EMOTIONS[emotion]
    if speaker not in ("", UNKNOWN):
        row["speaker"] = f"msp-podcast_{speaker}"
    if gender.lower() in GENDERS:
        row["gender"] = gender.lower()
    if match[1] != HIDDEN:
        row["session"] = f"msp-podcast_{match[1]}"
    return row


def _words(folder: Path) -> dict[str, str]:
    """The words of each turn that was transcribed; there are none where the folder is not."""
    if not folder.is_dir():
        return {}
    files = (file for file in folder.glob("*.txt") if NAME.fullmatch(file.stem))
    words = {file.stem: " ".join(file.read_text(encoding="utf-8-sig", errors="replace").split()) for file in files}
    return {name: text for name, text in words.items() if text}


MSP_PODCAST = Published(
    name="msp-podcast",
    title="MSP-Podcast",
    language="en",
    licence="academic licence, on request from the University of Texas at Dallas",
    citation="Lotfian & Busso (2019), Building naturalistic emotionally balanced speech corpus by retrieving emotional "
    "speech from existing podcast recordings, IEEE Transactions on Affective Computing 10(4), 471-483",
    layout="Labels/labels_consensus.csv and Audios/MSP-PODCAST_0001_0008.wav and so on",
    # Releases state how many turns they have, none how many of each class.
    editions={},
    utterances=utterances,
    # No sample rate: it is 16 kHz, but for MSP-PODCAST_1023_0235 in some releases, which is stereo at 44.1 kHz.
)
