"""The JL Corpus: four speakers of New Zealand English, five primary and five secondary emotions.

Names are ``female1_angry_1a_1``: speaker, emotion, sentence (1 to 15), and the letter and number that tell its four
recordings apart. Some sentences belong to one emotion only, so that the same number need not mean the same words:
beside each recording lies its text, ``female1_angry_1a_1.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import Published, Row, decoded, named_audio

NAME = re.compile(r"((female|male)\d)_([a-z]+)_\d+[ab]_\d")
PRIMARY = {"angry": "angry", "excited": "excited", "happy": "happy", "neutral": "neutral", "sad": "sad"}
SECONDARY = dict.fromkeys(("anxious", "apologetic", "assertive", "concerned", "encouraging"), "other")


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``JL(wav+txt)/female1_angry_1a_1.wav``.

    There is one more column, ``label``: the published word, which for the secondary emotions is none of ours.
    """
    for file, name in named_audio(folder, NAME):
        speaker, gender, label = name.groups()
        row = {
            "id": file.stem,
            "audio": str(file),
            "speaker": f"jl_{speaker}",
            "gender": gender,
            "emotion": decoded(file, "emotion", label, PRIMARY | SECONDARY),
            "style": "scripted",
            "label": label,
        }
        transcript = folder / file.with_suffix(".txt")
        if transcript.is_file():
            row["text"] = transcript.read_text(encoding="utf-8", errors="replace").strip()
        yield row


JL = Published(
    name="jl",
    title="JL Corpus",
    language="en",
    licence="CC0 1.0",
    citation="James, Tian, Watson (2018), An Open Source Emotional Speech Corpus for Human Robot Interaction "
    "Applications, Interspeech",
    layout="Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/female1_angry_1a_1.wav and 2,399 more, .wav or .flac",
    # 4 speakers × 15 sentences × 4 recordings of each.
    editions={
        "published": dict.fromkeys(PRIMARY | SECONDARY, 240),
        "primary emotions": dict.fromkeys(PRIMARY, 240),
    },
    counted="label",
    utterances=utterances,
)
