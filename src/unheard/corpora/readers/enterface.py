"""eNTERFACE'05: people of 14 nations answer short stories in English with given sentences, in six emotions.

The folders tell what a recording is, ``subject 1/anger/sentence 1/s1_an_1.avi``; the names do not: those of subject 11
begin with ``s12``, some of subject 3 with ``s_3``, there is an ``s16_su_3avi.avi``, and in subject 2 two are swapped.
Each emotion has five sentences of its own, so that the words give the emotion away. Which subjects are women was not
published. Subject 6 has one long recording per emotion instead of sentences; they are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import AUDIO_SUFFIXES, Published, Row, decoded, named_audio

#: Archives are often unpacked with hyphens or underscores for the spaces.
PLACE = re.compile(r"(?:.*/)?subject[ _-]?(\d+)/([a-z]+)/sentence[ _-]?(\d)/[^/]+", re.IGNORECASE)
EMOTIONS = {
    "anger": "angry", "disgust": "disgust", "fear": "fear", "happiness": "happy", "sadness": "sad",
    "surprise": "surprise",
}  # fmt: skip
ANY_NAME = re.compile(r".*")


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``subject 1/anger/sentence 1/s1_an_1.avi``.

    ``id`` has the form of the published names, but is made from the folders; ``text`` is the code of the sentence,
    ``an_1`` … ``su_5``.
    """
    for file, _ in named_audio(folder, ANY_NAME, (*AUDIO_SUFFIXES, ".avi")):
        place = PLACE.fullmatch(str(file))
        if place is None:
            continue
        subject, word, sentence = place.groups()
        emotion = decoded(file, "emotion", word.lower(), EMOTIONS)
        text = f"{word[:2].lower()}_{sentence}"
        yield {
            "id": f"s{subject}_{text}",
            "audio": str(file),
            "speaker": f"enterface_{subject}",
            "emotion": emotion,
            "style": "scripted",
            "text": text,
        }


# 44 folders of subjects, without subject 6; three sentences of happiness are missing from subject 23. Other toolkits
# count 1,293 (with the six long recordings of subject 6) and 1,263 (where subjects 11 and 12 fall together). The paper
# has 1,166, which was never released.
RELEASED = {emotion: 212 if emotion == "happy" else 215 for emotion in EMOTIONS.values()}

ENTERFACE = Published(
    name="enterface",
    title="eNTERFACE'05",
    language="en",
    licence="free for use under the terms of the MIT licence (enterface.net/enterface05)",
    citation="Martin, Kotsia, Macq, Pitas (2006), The eNTERFACE'05 Audio-Visual Emotion Database, ICDE Workshops",
    layout="subject 1/anger/sentence 1/s1_an_1.avi and 1,286 more, .avi, .wav or .flac",
    editions={
        "released": RELEASED,
        "the 42 complete subjects": dict.fromkeys(EMOTIONS.values(), 210),
    },
    utterances=utterances,
)
