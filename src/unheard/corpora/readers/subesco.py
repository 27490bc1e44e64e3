"""SUBESCO, the SUST Bangla Emotional Speech Corpus: twenty actors speak ten sentences in seven emotions, five times.

Names are ``F_01_OISHI_S_1_ANGRY_1``: gender, number and name of the speaker, sentence, emotion, take. Women and men are
numbered apart. One published name has a bracket too many, ``F_02_MONIKA_S_2_SURPRISE_3]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import Published, Row, decoded, named_audio

NAME = re.compile(r"(([A-Z])_\d\d)_[A-Z]+_(S_\d+)_([A-Z]+)_\d\]?")
GENDERS = {"F": "female", "M": "male"}
EMOTIONS = {
    "ANGRY": "angry", "DISGUST": "disgust", "FEAR": "fear", "HAPPY": "happy", "NEUTRAL": "neutral", "SAD": "sad",
    "SURPRISE": "surprise",
}  # fmt: skip


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``F_01_OISHI_S_1_ANGRY_1.wav``; ``text`` is the code of the sentence, ``S_1`` … ``S_10``."""
    for file, name in named_audio(folder, NAME):
        speaker, gender, sentence, emotion = name.groups()
        yield {
            "id": file.stem.rstrip("]"),
            "audio": str(file),
            "speaker": f"subesco_{speaker}",
            "gender": decoded(file, "gender", gender, GENDERS),
            "emotion": decoded(file, "emotion", emotion, EMOTIONS),
            "style": "scripted",
            "text": sentence,
        }


SUBESCO = Published(
    name="subesco",
    title="SUBESCO",
    language="bn",
    licence="CC BY 4.0",
    citation="Sultana, Rahman, Selim, Iqbal (2021), SUST Bangla Emotional Speech Corpus (SUBESCO): An audio-only "
    "emotional speech corpus for Bangla, PLoS ONE 16(4): e0250173",
    layout="F_01_OISHI_S_1_ANGRY_1.wav and 6,999 more, .wav or .flac",
    # 20 speakers × 10 sentences × 5 takes.
    editions={"published": dict.fromkeys(EMOTIONS.values(), 1000)},
    utterances=utterances,
)
