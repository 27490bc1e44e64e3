"""ESD, the Emotional Speech Database: ten Mandarin and ten English speakers say 350 sentences in five emotions.

Names are speaker and number, as in ``0011_000351``; the emotion is that of the folder. Below it there may be folders
``train``, ``evaluation`` and ``test``. Beside a speaker's folders lies a transcript, ``0011/0011.txt``: a line for
each utterance with its name, text and emotion, mostly between tabs, in the encoding of whoever saved it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from unheard.corpora.published import Flaw, Published, Row, decoded, named_audio

NAME = re.compile(r"(\d{4})_(\d{6})")
EMOTIONS = {"Angry": "angry", "Happy": "happy", "Neutral": "neutral", "Sad": "sad", "Surprise": "surprise"}
#: Folders of its parts; "evaluation" is what one selects by.
PARTS = {"train": "train", "evaluation": "dev", "test": "test"}
#: From ReadMe.txt of the database.
GENDERS = {
    "0001": "female", "0002": "female", "0003": "female", "0004": "male", "0005": "male",
    "0006": "male", "0007": "female", "0008": "male", "0009": "female", "0010": "male",
    "0011": "male", "0012": "male", "0013": "male", "0014": "male", "0015": "female",
    "0016": "female", "0017": "female", "0018": "female", "0019": "female", "0020": "male",
}  # fmt: skip
LAST_OF_MANDARIN = "0010"

LINE = re.compile(r"(\d{4}_\d{6})\s+(.+?)(?:\s+(?:Angry|Happy|Neutral|Sad|Surprise|生气|快乐|中立|伤心|惊喜))?")


def utterances(folder: Path) -> Iterator[Row | Flaw]:
    """One row for each ``0011/Angry/0011_000351.wav`` or ``0011/Angry/train/0011_000351.wav``.

    ``language`` is ``zh`` or ``en``, ``text`` is missing where the transcript has none. There is one more column where
    the files lie in such folders, ``split``: ``train``, ``dev`` or ``test``, which share all their speakers.
    """
    texts = _texts(folder)
    for file, name in named_audio(folder, NAME):
        speaker = name[1]
        emotion = next((EMOTIONS[part] for part in file.parts if part in EMOTIONS), None)
        if emotion is None:
            yield Flaw(str(file), f"it is in no folder of an emotion ({', '.join(EMOTIONS)})")
            continue
        row = {
            "id": file.stem,
            "audio": str(file),
            "speaker": f"esd_{speaker}",
            "gender": decoded(file, "speaker", speaker, GENDERS),
            "emotion": emotion,
            "style": "scripted",
            "language": _language(speaker),
        }
        if file.stem in texts:
            row["text"] = texts[file.stem]
        yield row | _split(file)


def _split(file: PurePosixPath) -> dict[str, str]:
    return {"split": PARTS[file.parent.name]} if file.parent.name in PARTS else {}


def _language(speaker: str) -> str:
    return "zh" if speaker <= LAST_OF_MANDARIN else "en"


def _texts(folder: Path) -> dict[str, str]:
    """What is said, by utterance, from every ``0011.txt``; lines of another form are passed over."""
    texts = {}
    for file in folder.rglob("[0-9][0-9][0-9][0-9].txt"):
        for line in _decode(file.read_bytes(), _language(file.stem)).splitlines():
            if match := LINE.fullmatch(line.strip()):
                texts[match[1]] = " ".join(match[2].split())
    return texts


def _decode(transcript: bytes, language: str) -> str:
    """The transcripts are in ASCII, UTF-8, UTF-16, GB 2312 and Windows-1252, without a word about which."""
    if b"\0" in transcript:
        return transcript.decode("utf-16", errors="replace")
    try:
        return transcript.decode("utf-8-sig")
    except UnicodeDecodeError:
        return transcript.decode("gb18030" if language == "zh" else "cp1252", errors="replace")


ESD = Published(
    name="esd",
    title="ESD (Emotional Speech Database)",
    language="en",
    licence="for research only (ReadMe.txt)",
    citation="Zhou, Sisman, Liu, Li (2021), Seen and Unseen Emotional Style Transfer for Voice Conversion with a New "
    "Emotional Speech Dataset, ICASSP; (2022), Emotional Voice Conversion: Theory, Databases and ESD, Speech "
    "Communication 137: 1-18",
    layout="0001/Angry/0001_000351.wav and 34,999 more, with or without folders train, evaluation and test, "
    ".wav or .flac",
    editions={
        # 20 speakers and 350 sentences for each emotion.
        "published": dict.fromkeys(EMOTIONS.values(), 7000),
        "ten speakers, Mandarin or English": dict.fromkeys(EMOTIONS.values(), 3500),
    },
    utterances=utterances,
)
