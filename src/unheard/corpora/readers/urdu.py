"""URDU-Dataset: turns of Urdu talk shows, four emotions.

Names are ``SGx_Fy_Ez``: the speaker (``SM`` male, ``SF`` female, and a number), the number of the speaker's file, and
the emotion with the number of the file in it. Speaker and emotion are almost fully confounded: 26 of the 29 speakers
have exactly one emotion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import Published, Row, decoded, named_audio

NAME = re.compile(r"(S([A-Z])\d+)_F\d+_([A-Z])\d+")
GENDERS = {"M": "male", "F": "female"}
EMOTIONS = {"A": "angry", "H": "happy", "N": "neutral", "S": "sad"}


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``Angry/SM1_F10_A010.wav``."""
    for file, name in named_audio(folder, NAME):
        speaker, gender, emotion = name.groups()
        yield {
            "id": file.stem,
            "audio": str(file),
            "speaker": f"urdu_{speaker}",
            "gender": decoded(file, "gender", gender, GENDERS),
            "emotion": decoded(file, "emotion", emotion, EMOTIONS),
        }


URDU = Published(
    name="urdu",
    title="URDU-Dataset",
    language="ur",
    licence="no formal licence; for research only, cut from talk shows of third parties",
    citation="Latif, Qayyum, Usman, Qadir (2018), Cross Lingual Speech Emotion Recognition: Urdu vs. Western "
    "Languages, FIT (arXiv:1812.10411)",
    layout="Angry/SM1_F10_A010.wav and 399 more in Angry, Happy, Neutral and Sad, .wav or .flac",
    editions={"published": {"angry": 100, "happy": 100, "neutral": 100, "sad": 100}},
    utterances=utterances,
)
