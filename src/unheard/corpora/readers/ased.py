"""ASED, version 1: 65 Amharic speakers of four dialects say 27 sentences in five emotions, each twice.

Names are emotion and number of its folder, sentence, repetition, gender, speaker, as in ``a5-03-01-02-50``; one begins
with a capital, ``S4-04-02-01-29``. The sentences 01 and 02 are the same in all emotions, 03 to 07 are made for the one
emotion. Of the 4,550 recordings are published those whose emotion at least five of eight judges heard. ``gender`` is
what the name says: ``s4-04-01-02-23`` calls male a speaker whom other names call female.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import Published, Row, decoded, named_audio

NAME = re.compile(r"([a-z])\d-(\d\d)-(\d\d)-(\d\d)-(\d\d)", re.IGNORECASE)
EMOTIONS = {"n": "neutral", "f": "fear", "h": "happy", "s": "sad", "a": "angry"}
GENDERS = {"01": "female", "02": "male"}
COMMON_SENTENCES = ("01", "02")


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``05Angry/a5-03-01-02-50.wav``.

    ``text`` is the code of the sentence: ``01`` and ``02``, which all emotions share, and ``a03`` … ``s07``.
    """
    for file, name in named_audio(folder, NAME):
        emotion, sentence, _repetition, gender, speaker = name.groups()
        emotion = emotion.lower()
        yield {
            "id": file.stem.lower(),
            "audio": str(file),
            "speaker": f"ased_{speaker}",
            "gender": decoded(file, "gender", gender, GENDERS),
            "emotion": decoded(file, "emotion", emotion, EMOTIONS),
            "style": "scripted",
            "text": sentence if sentence in COMMON_SENTENCES else f"{emotion}{sentence}",
        }


ASED = Published(
    name="ased",
    title="ASED (Amharic Speech Emotion Dataset, version 1)",
    language="am",
    licence="no licence file; offered freely for research (github.com/Ethio2021/ASED_V1)",
    citation="Retta, Almekhlafi, Sutcliffe, Mhamed, Ali, Feng (2023), A New Amharic Speech Emotion Dataset and "
    "Classification Benchmark, ACM Transactions on Asian and Low-Resource Language Information Processing 22(1)",
    layout="05Angry/a5-03-01-02-50.wav and 2,473 more, .wav or .flac",
    # 2,474 in all (the paper); by class as in EmoBox, whose authors counted the files.
    editions={"published": {"neutral": 522, "fear": 510, "happy": 486, "sad": 470, "angry": 486}},
    utterances=utterances,
)
