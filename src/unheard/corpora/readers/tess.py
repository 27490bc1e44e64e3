"""TESS, the Toronto emotional speech set: two women say 200 words in a carrier phrase, in seven emotions.

Names are ``speaker_word_emotion``, as in ``OAF_back_angry``: ``OAF`` is the older woman, ``YAF`` the younger. Some
copies have all files in one folder, others a folder for each speaker and emotion, and a widespread one has the whole
set twice, one in the other. In the published set one name is cut short, ``OA_bite_neutral``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import Published, Row, decoded, named_audio

NAME = re.compile(r"(OAF?|YAF)_([A-Za-z]+)_([a-z]+)")
SPEAKERS = {"OAF": "OAF", "OA": "OAF", "YAF": "YAF"}
AGES = {"OAF": 64, "YAF": 26}
EMOTIONS = {
    "angry": "angry", "disgust": "disgust", "fear": "fear", "happy": "happy",
    "neutral": "neutral", "ps": "surprise", "sad": "sad",
}  # fmt: skip


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``OAF_back_angry.wav``; the set's "pleasant surprise" (``ps``) is ``surprise``.

    There is one more column, ``age`` (years).
    """
    for file, name in named_audio(folder, NAME):
        prefix, word, emotion = name.groups()
        speaker = SPEAKERS[prefix]
        yield {
            "id": f"{speaker}_{word}_{emotion}",
            "audio": str(file),
            "speaker": f"tess_{speaker}",
            "gender": "female",
            "emotion": decoded(file, "emotion", emotion, EMOTIONS),
            "style": "scripted",
            "text": f"Say the word {word}",
            "age": AGES[speaker],
        }


TESS = Published(
    name="tess",
    title="TESS (Toronto emotional speech set)",
    language="en",
    licence="CC BY-NC-ND 4.0",
    citation="Pichora-Fuller & Dupuis (2020), Toronto emotional speech set (TESS), Borealis, doi:10.5683/SP2/E8H2MF",
    layout="OAF_back_angry.wav and 2,799 more, in folders or not, .wav or .flac",
    # Two speakers and 200 words for each emotion.
    editions={"published": dict.fromkeys(EMOTIONS.values(), 400)},
    utterances=utterances,
)
