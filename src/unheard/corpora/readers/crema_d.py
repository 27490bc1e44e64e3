"""CREMA-D: 91 actors say twelve English sentences in six emotions; thousands of people rated the clips.

Names are ``ActorID_sentence_emotion_level``, as in ``1001_DFA_ANG_XX``. Actors said "It's eleven o'clock" at three
levels of each emotion but neutral, all else at no stated level (``XX``). The audio of the repository lies in Git LFS:
downloaded as a zip its files are pointers, not recordings. One name is cut short, ``1040_ITH_SAD_X``, and
``1076_MTI_SAD_XX`` is silent.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import Published, Row, decoded, named_audio
from unheard.errors import InputError

NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{1,2})")
EMOTIONS = {"ANG": "angry", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "", "X": ""}
SENTENCES = {
    "IEO": "It's eleven o'clock",
    "TIE": "That is exactly what happened",
    "IOM": "I'm on my way to the meeting",
    "IWW": "I wonder what this is about",
    "TAI": "The airplane is almost full",
    "MTI": "Maybe tomorrow it will be cold",
    "IWL": "I would like a new alarm clock",
    "ITH": "I think I have a doctor's appointment",
    "DFA": "Don't forget a jacket",
    "ITS": "I think I've seen this before",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}
#: Age and sex of the actors 1001 to 1091, from VideoDemographics.csv.
DEMOGRAPHICS = (
    "51M 21F 21F 42F 29M 58F 38F 46F 24F 27F 32M 23F 22F 24M 32M 61M 42M 25F 29M 61F 30F 22M 22M 59F 48F 33M 44M 57F "
    "33F 42F 31M 30M 31M 74M 48M 49M 45F 21M 51M 42M 42M 37M 25F 40M 22M 22F 22F 38M 25F 62M 56M 33F 35F 36F 57F 52F "
    "25M 36F 21M 28F 51F 56M 33F 53M 38M 25M 66M 34M 27M 25M 41M 33F 24F 31F 40F 25F 20M 21F 21F 21M 30M 20F 45M 46F "
    "34M 33M 62M 23M 24F 50M 29F"
)
ACTORS = {str(1001 + place): person for place, person in enumerate(DEMOGRAPHICS.split())}
GENDERS = {"F": "female", "M": "male"}

#: The columns of summaryTable.csv that hold what most raters chose, and ours.
VOTES = {"VoiceVote": "voice_vote", "FaceVote": "face_vote", "MultiModalVote": "multimodal_vote"}
VOTED = {"A": "angry", "D": "disgust", "F": "fear", "H": "happy", "N": "neutral", "S": "sad"}


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``AudioWAV/1001_DFA_ANG_XX.wav``; ``emotion`` is the one that was acted.

    Further columns: ``age`` (years); ``intensity``: ``low``, ``medium``, ``high``, missing where none was asked for;
    and where ``summaryTable.csv`` is in the folder ``voice_vote``, ``face_vote`` and ``multimodal_vote``, what most
    raters chose from the sound, the picture and both (joined by colons where several were chosen as often).
    """
    votes = _votes(folder)
    for file, name in named_audio(folder, NAME):
        actor, sentence, emotion, level = name.groups()
        person = decoded(file, "actor", actor, ACTORS)
        row = {
            "id": file.stem,
            "audio": str(file),
            "speaker": f"crema-d_{actor}",
            "gender": GENDERS[person[-1]],
            "emotion": decoded(file, "emotion", emotion, EMOTIONS),
            "style": "scripted",
            "text": decoded(file, "sentence", sentence, SENTENCES),
            "age": int(person[:-1]),
        }
        if intensity := decoded(file, "level", level, LEVELS):
            row["intensity"] = intensity
        yield row | votes.get(f"{actor}_{sentence}_{emotion}_{level:X<2}", {})


def _votes(folder: Path) -> dict[str, dict[str, str]]:
    """What the raters chose, by clip; empty where there is no summaryTable.csv."""
    table = min(folder.rglob("summaryTable.csv"), default=None)
    if table is None:
        return {}
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        rows = csv.DictReader(lines, restval="")
        missing = {"FileName", *VOTES} - set(rows.fieldnames or ())
        if missing:
            raise InputError(f"{table}: its column {min(missing)} is missing; restore the published file or remove it")
        return {row["FileName"]: {ours: _voted(row[theirs]) for theirs, ours in VOTES.items()} for row in rows}


def _voted(letters: str) -> str:
    return ":".join(VOTED.get(letter, letter) for letter in letters.split(":"))


PUBLISHED = {emotion: 1087 if emotion == "neutral" else 1271 for emotion in EMOTIONS.values()}

CREMA_D = Published(
    name="crema-d",
    title="CREMA-D",
    language="en",
    licence="Open Database License 1.0, contents under the Database Contents License 1.0",
    citation="Cao, Cooper, Keutmann, Gur, Nenkova, Verma (2014), CREMA-D: Crowd-sourced Emotional Multimodal Actors "
    "Dataset, IEEE Transactions on Affective Computing 5(4): 377-390",
    layout="AudioWAV/1001_DFA_ANG_XX.wav and 7,441 more, .wav or .flac",
    editions={
        # 7,442 clips (the repository's README); by class as in EmoBox, whose authors counted the files.
        "published": PUBLISHED,
        # Without 1006_TIE_NEU_XX, 1013_WSI_DIS_XX, 1017_IWW_FEA_XX and 1040_ITH_SAD_X: 7,438, as in HEAR, too.
        "TensorFlow Datasets": PUBLISHED | {"neutral": 1086, "disgust": 1270, "fear": 1270, "sad": 1270},
    },
    utterances=utterances,
)
