"""The Berlin Database of Emotional Speech: ten German speakers, ten sentences, seven emotions.

Names are ``SSttTEv``: speaker, sentence, emotion (the first letter of its German name), version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import Published, Row, decoded, named_audio

NAME = re.compile(r"(\d\d)([a-z]\d\d)([A-Z])([a-z])")
GENDERS = {
    "03": "male", "08": "female", "09": "female", "10": "male", "11": "male",
    "12": "male", "13": "female", "14": "female", "15": "male", "16": "female",
}  # fmt: skip
EMOTIONS = {
    "W": "angry", "L": "boredom", "E": "disgust", "A": "fear", "F": "happy", "N": "neutral", "T": "sad",
}  # fmt: skip


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``03a01Fa.wav``; ``text`` is the code of the sentence, ``a01`` … ``b10``."""
    for file, name in named_audio(folder, NAME):
        speaker, text, emotion, _version = name.groups()
        yield {
            "id": file.stem,
            "audio": str(file),
            "speaker": f"emodb_{speaker}",
            "gender": decoded(file, "speaker", speaker, GENDERS),
            "emotion": decoded(file, "emotion", emotion, EMOTIONS),
            "style": "scripted",
            "text": text,
        }


EMODB = Published(
    name="emodb",
    title="EmoDB",
    language="de",
    licence="no licence file; offered freely for research (emodb.bilderbar.info)",
    citation="Burkhardt, Paeschke, Rolfes, Sendlmeier, Weiss (2005), A Database of German Emotional Speech, "
    "Interspeech",
    layout="wav/03a01Fa.wav and 534 more, .wav or .flac",
    editions={
        "published": {
            "angry": 127, "boredom": 81, "disgust": 46, "fear": 69, "happy": 71, "neutral": 79, "sad": 62,
        },
    },
    utterances=utterances,
)  # fmt: skip
