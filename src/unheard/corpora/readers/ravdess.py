"""RAVDESS: 24 North American actors speak two sentences in eight emotions, at two intensities.

Names are seven numbers: modality, vocal channel, emotion, intensity, statement, repetition, actor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import Published, Row, decoded, named_audio

NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")
AUDIO_ONLY, SPEECH = "03", "01"
EMOTIONS = {
    "01": "neutral", "02": "calm", "03": "happy", "04": "sad",
    "05": "angry", "06": "fear", "07": "disgust", "08": "surprise",
}  # fmt: skip
INTENSITIES = {"01": "normal", "02": "strong"}
STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
GENDERS = {f"{actor:02d}": "male" if actor % 2 else "female" for actor in range(1, 25)}


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``Actor_01/03-01-01-01-01-01-01.wav``; songs and the sound of the videos are passed over.

    There is one more column, ``intensity``: ``normal`` or ``strong``.
    """
    for file, name in named_audio(folder, NAME):
        modality, channel, emotion, intensity, statement, _repetition, actor = name.groups()
        if (modality, channel) != (AUDIO_ONLY, SPEECH):
            continue
        yield {
            "id": file.stem,
            "audio": str(file),
            "speaker": f"ravdess_{actor}",
            "gender": decoded(file, "actor", actor, GENDERS),
            "emotion": decoded(file, "emotion", emotion, EMOTIONS),
            "style": "scripted",
            "text": decoded(file, "statement", statement, STATEMENTS),
            "intensity": decoded(file, "intensity", intensity, INTENSITIES),
        }


PUBLISHED = {emotion: 96 if emotion == "neutral" else 192 for emotion in EMOTIONS.values()}

RAVDESS = Published(
    name="ravdess",
    title="RAVDESS (audio-only speech)",
    language="en",
    licence="CC BY-NC-SA 4.0",
    citation="Livingstone & Russo (2018), The Ryerson Audio-Visual Database of Emotional Speech and Song, "
    "PLoS ONE 13(5): e0196391",
    layout="Actor_01/03-01-01-01-01-01-01.wav and 1,439 more, .wav or .flac",
    editions={
        "published": PUBLISHED,
        # 03-01-03-01-02-02-07 holds the same recording as 03-01-03-01-02-01-07.
        "without its one duplicate": PUBLISHED | {"happy": 191},
    },
    utterances=utterances,
)
