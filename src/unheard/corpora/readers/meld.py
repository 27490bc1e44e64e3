"""MELD, the Multimodal EmotionLines Dataset: turns of the series Friends, in seven emotions.

Clips are ``dia0_utt0.mp4``: dialogue and utterance, which each of the three parts (train, dev, test) counts from 0. The
innermost folder with the name of a part tells which one it is: ``train_splits``, ``dev_splits_complete``,
``output_repeated_splits_test``. Labels stand in one list per part, ``train_sent_emo.csv``. Where the sound of a clip
was extracted (.wav, .flac), it is taken instead of the video.

Oddities of the release: one clip of dev that is labelled is not in it, and one of train is damaged; nine clips of dev
and test have no label, and test repeats some as ``final_videos_testdia…``. The list of train has the apostrophes and
dashes of Windows-1252 as control characters. Many clips are cut badly; the longest runs for five minutes.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from unheard.corpora.published import AUDIO_SUFFIXES, Flaw, Published, Row, named_audio, paired
from unheard.errors import InputError

SPLITS = ("train", "dev", "test")
NAME = re.compile(r"dia\d+_utt\d+")
EMOTIONS = {
    "anger": "angry", "disgust": "disgust", "fear": "fear", "joy": "happy", "neutral": "neutral", "sadness": "sad",
    "surprise": "surprise",
}  # fmt: skip
COLUMNS = ("Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "Season", "Episode")

#: The six who speak most; of the others no gender was published.
GENDERS = {
    "Chandler": "male", "Joey": "male", "Monica": "female", "Phoebe": "female", "Rachel": "female", "Ross": "male",
}  # fmt: skip
#: Several people at once, as in "Joey and Chandler".
GROUP = re.compile(r"All|Both|Everybody|Everyone|Guys|Girls|.* (and|&) .*", re.IGNORECASE)
#: A role is somebody else in every episode.
ROLE = re.compile(
    r"((The|A) )?((Casting )?Director|Customer|Flight Attendant|Girl|Guy|Interviewer|Man|Nurse|Receptionist|Student|"
    r"Waiter|Waitress|Woman)",
    re.IGNORECASE,
)
SPELLINGS = {"Dr. Leedbetter": "Dr. Ledbetter", "Phoebe Sr": "Phoebe Sr."}

DAMAGED = "train_dia125_utt3"
#: Labelled clips that the release lacks or has damaged.
NOT_RELEASED = ("dev_dia110_utt7", DAMAGED)
WINDOWS_1252 = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}


def utterances(folder: Path) -> Iterator[Row | Flaw]:
    """One row for each clip that has a label; a label without its clip is a flaw.

    The session is the episode, ``meld_s08e21``. A role such as "Waiter" is another speaker in every episode, a group
    such as "All" is none. There are three more columns: ``split`` (train, dev, test), ``dialogue`` (``train_dia0``)
    and ``sentiment``.

    Raises:
        InputError: a list of labels is not as published.
    """
    labels: dict[str, Row] = {}
    for split in SPLITS:
        lists = sorted(folder.rglob(_label_list(split)))
        if lists:
            labels |= _labels(lists[0], split)
        else:
            yield Flaw(_label_list(split), "the list of labels is missing")
    clips = {name: file for name, file in _clips(folder).items() if name in labels}
    for name in NOT_RELEASED:
        if name not in clips:
            labels.pop(name, None)
    yield from paired(labels, clips, _label_list)


def _label_list(name: str) -> str:
    """The list in which the labels of a part stand, or that of an utterance."""
    return f"{name.partition('_')[0]}_sent_emo.csv"


def _clips(folder: Path) -> dict[str, PurePosixPath]:
    """The recording of each id, with or without a label; sound before video."""
    found = named_audio(folder, NAME, (*AUDIO_SUFFIXES, ".mp4"))
    clips: dict[str, PurePosixPath] = {}
    for file, _ in sorted(found, key=lambda pair: pair[0].suffix.lower() in AUDIO_SUFFIXES):
        parts = [split for place in reversed(file.parts[:-1]) for split in SPLITS if split in place.lower()]
        if parts:
            clips[f"{parts[0]}_{file.stem}"] = file
    if DAMAGED in clips and clips[DAMAGED].suffix.lower() not in AUDIO_SUFFIXES:
        del clips[DAMAGED]
    return clips


def _labels(path: Path, split: str) -> dict[str, Row]:
    """The row of each id in a list of labels."""
    labels: dict[str, Row] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file)
        try:
            for line in lines:
                labels[f"{split}_dia{int(line['Dialogue_ID'])}_utt{int(line['Utterance_ID'])}"] = _row(split, line)
        except (KeyError, TypeError, AttributeError, ValueError, csv.Error) as problem:
            raise InputError(
                f"{path}, line {lines.line_num}: this row is not as published ({problem}); a row has "
                f"{', '.join(COLUMNS)}, and its emotion is {', '.join(EMOTIONS)}; fetch the list again"
            ) from None
    return labels


def _row(split: str, line: dict[str, str]) -> Row:
    session = f"s{int(line['Season']):02d}e{int(line['Episode']):02d}"
    row = {
        "emotion": EMOTIONS[line["Emotion"].strip().lower()],
        "session": f"meld_{session}",
        "style": "scripted",
        "text": line["Utterance"].translate(WINDOWS_1252),
        "split": split,
        "dialogue": f"{split}_dia{int(line['Dialogue_ID'])}",
        "sentiment": line["Sentiment"].strip().lower(),
    }
    speaker = line["Speaker"].translate(WINDOWS_1252).strip()
    if GROUP.fullmatch(speaker):
        return row
    speaker = SPELLINGS.get(speaker, speaker)
    role = f"_{session}" if ROLE.fullmatch(speaker) else ""
    row["speaker"] = f"meld_{speaker}{role}"
    if speaker in GENDERS:
        row["gender"] = GENDERS[speaker]
    return row


# Table 3 of the paper: 9,989 in train, 1,109 in dev, 2,610 in test.
LABELLED = {
    "angry": 1607, "disgust": 361, "fear": 358, "happy": 2308, "neutral": 6436, "sad": 1002, "surprise": 1636,
}  # fmt: skip

MELD = Published(
    name="meld",
    title="MELD",
    language="en",
    licence="GPL-3.0 for the labels; the clips are cut from a series of third parties",
    citation="Poria, Hazarika, Majumder, Naik, Cambria, Mihalcea (2019), MELD: A Multimodal Multi-Party Dataset for "
    "Emotion Recognition in Conversations, ACL (arXiv:1810.02508)",
    layout="train_sent_emo.csv, dev_sent_emo.csv, test_sent_emo.csv, train_splits/dia0_utt0.mp4 and 13,705 more in "
    "train_splits, dev_splits_complete and output_repeated_splits_test, .mp4, .wav or .flac",
    editions={
        "published": LABELLED,
        "released": LABELLED | {"neutral": 6434},
        "released, with one of its two missing clips": LABELLED | {"neutral": 6435},
    },
    utterances=utterances,
)
