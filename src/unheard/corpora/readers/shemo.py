"""ShEMO, the Sharif Emotional Speech Database: turns of Persian radio plays, in six emotions.

Names are ``F01A01``: gender and number of the speaker, emotion, number of the utterance in it. The letter ``F`` is a
woman where it stands first, and fear where it stands in the middle; ``W`` is surprise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.editions import TOTAL
from unheard.corpora.published import Published, Row, decoded, named_audio

NAME = re.compile(r"(([A-Z])\d\d)([A-Z])\d+")
GENDERS = {"F": "female", "M": "male"}
EMOTIONS = {"A": "angry", "F": "fear", "H": "happy", "N": "neutral", "S": "sad", "W": "surprise"}


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``female/F01A01.wav``."""
    for file, name in named_audio(folder, NAME):
        speaker, gender, emotion = name.groups()
        yield {
            "id": file.stem,
            "audio": str(file),
            "speaker": f"shemo_{speaker}",
            "gender": decoded(file, "gender", gender, GENDERS),
            "emotion": decoded(file, "emotion", emotion, EMOTIONS),
            "style": "scripted",
        }


SHEMO = Published(
    name="shemo",
    title="ShEMO",
    language="fa",
    licence="free of charge for academic purposes (its card on Hugging Face says Apache-2.0)",
    citation="Mohamad Nezami, Jamshid Lou, Karami (2019), ShEMO: a large-scale validated database for Persian speech "
    "emotion detection, Language Resources and Evaluation 53(1), 1–16 (arXiv:1906.01155)",
    layout="female/F01A01.wav and 2,999 more in female and male, .wav or .flac",
    # The letters of 162 recordings differ from those of their transcripts: only the total is certain.
    editions={"published": {TOTAL: 3000}},
    utterances=utterances,
)
