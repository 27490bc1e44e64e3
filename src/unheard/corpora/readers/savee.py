"""SAVEE: four British men say 15 TIMIT sentences in each of six emotions, and 30 neutral ones.

Names are emotion and sentence, as in ``sa03``, in a folder of the speaker; one widespread copy has the speaker in the
name and no folders, as in ``DC_sa03``. Three sentences are common to all emotions, and the two that are made for each
emotion were also said as neutral; so one text may have several codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import Published, Row, decoded, named_audio

NAME = re.compile(r"(?:([A-Z]{2})_)?([a-z]{1,2})(\d\d)")
SPEAKERS = ("DC", "JE", "JK", "KL")
EMOTIONS = {
    "a": "angry", "d": "disgust", "f": "fear", "h": "happy", "n": "neutral", "sa": "sad", "su": "surprise",
}  # fmt: skip


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``DC/a01.wav`` or ``DC_a01.wav``; ``text`` is the code of the sentence, ``a01`` … ``su15``."""
    for file, name in named_audio(folder, NAME):
        named, emotion, sentence = name.groups()
        speaker = named or file.parent.name
        if speaker not in SPEAKERS:
            continue
        yield {
            "id": f"{speaker}_{emotion}{sentence}",
            "audio": str(file),
            "speaker": f"savee_{speaker}",
            "gender": "male",
            "emotion": decoded(file, "emotion", emotion, EMOTIONS),
            "style": "scripted",
            "text": f"{emotion}{sentence}",
        }


SAVEE = Published(
    name="savee",
    title="SAVEE",
    language="en",
    licence="free for academic research, after registration; no licence file",
    citation="Haq & Jackson (2010), Multimodal Emotion Recognition, in Machine Audition: Principles, Algorithms and "
    "Systems, IGI Global, 398-423",
    layout="DC/a01.wav or DC_a01.wav and 479 more, of the speakers DC, JE, JK and KL, .wav or .flac",
    # Four speakers and 15 sentences for each emotion, 30 for neutral.
    editions={
        "published": {emotion: 120 if emotion == "neutral" else 60 for emotion in EMOTIONS.values()},
    },
    utterances=utterances,
)
