"""IEMOCAP: ten actors in five sessions, a woman and a man each, improvise and act scripts; 151 dialogues, 10,039 turns.

For the dialogue ``Ses01F_impro01``, whose prefix only says which actor wore the markers, there are

- ``Session1/dialog/EmoEvaluation/Ses01F_impro01.txt``, a block for each turn: a line with its times in the dialogue
  (s), name, consensus label and [valence, activation, dominance], then a line for each rater;
- ``Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav``, a recording of each turn. Who speaks is the letter
  of the *last* part of its name: in half of the turns it is not the actor of the prefix;
- ``Session1/dialog/transcriptions/Ses01F_impro01.txt``, the words, where they were fetched too.

Some dialogues have a letter after their number (``Ses03M_impro05a``, ``Ses05M_script01_1b``). The sub-folders of
EmoEvaluation repeat the raters' lines in other forms and are not read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from unheard.corpora.editions import TOTAL
from unheard.corpora.published import AUDIO_SUFFIXES, Flaw, Published, Row, paired
from unheard.errors import InputError

SESSIONS = ("Session1", "Session2", "Session3", "Session4", "Session5")
EVALUATIONS, RECORDINGS, TRANSCRIPTIONS = "dialog/EmoEvaluation", "sentences/wav", "dialog/transcriptions"
DIALOGUE = re.compile(r"Ses0([1-5])[FM]_(?:impro\d\d[ab]?|script\d\d_\db?)")
EMOTIONS = {
    "ang": "angry", "hap": "happy", "neu": "neutral", "sad": "sad", "exc": "excited", "fru": "frustrated",
    "dis": "disgust", "fea": "fear", "sur": "surprise", "oth": "other",
}  # fmt: skip
NO_AGREEMENT = "xxx"
GENDERS = {"F": "female", "M": "male"}
#: What the raters wrote; a word that is not here is kept as it is, in lower case.
WORDS = {
    "anger": "angry", "happiness": "happy", "neutral": "neutral", "neutral state": "neutral", "sadness": "sad",
    "excited": "excited", "frustration": "frustrated", "disgust": "disgust", "fear": "fear", "surprise": "surprise",
    "other": "other",
}  # fmt: skip
SCALES = {"val": "valence", "act": "activation", "dom": "dominance"}

NUMBER = r"(\d+(?:\.\d+)?)"
# [6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]
SUMMARY = re.compile(rf"\[{NUMBER}\s*-\s*{NUMBER}\]\s+(\S+)\s+(\S+)\s+\[{NUMBER},\s*{NUMBER},\s*{NUMBER}\]")
# val 3; act 2; dom  2;
RATING = re.compile(r"(val|act|dom)\s+(\d+(?:\.\d+)?)")
# Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.
SPOKEN = re.compile(r"^\s*(\w+)\s+\[[\d.]+\s*-\s*[\d.]+\]:[ \t]*(.*\S)", re.MULTILINE)


def utterances(folder: Path) -> Iterator[Row | Flaw]:
    """One row for each turn that has a line in EmoEvaluation and a recording, in the order of the lines.

    ``folder`` holds the sessions, or is the folder above it. Turns without agreement have no ``emotion``. Further
    columns:

    - ``dialogue``, and ``turn_start`` and ``turn_end`` in it (s);
    - ``raters``: what every rater said, as JSON: a list of objects with ``rater`` (E1, E2, … are evaluators, F1 and M1
      the actors on themselves), either ``emotions`` or any of ``valence``, ``activation``, ``dominance``, and
      ``comment`` where there is one;
    - ``agreement``: the share of the evaluators that named the consensus label.

    Raises:
        InputError: the folder is one session only, or more than one folder in it holds the sessions.
    """
    root = _root(folder)
    for session in SESSIONS:
        if (folder / root / session).is_dir():
            yield from _session(folder, root / session)
        else:
            yield Flaw(str(root / session), f"the folder is missing{_renamed(folder / root, session)}")


def _root(folder: Path) -> PurePosixPath:
    """Where the sessions are, from ``folder``."""
    if (folder / EVALUATIONS).is_dir():
        raise InputError(
            f"{folder}: this is one session of IEMOCAP; point at the folder that holds Session1 to Session5"
        )
    if any((folder / session).is_dir() for session in SESSIONS):
        return PurePosixPath()
    within = [name for name in _names(folder) if any((folder / name / session).is_dir() for session in SESSIONS)]
    if len(within) > 1:
        raise InputError(f"{folder}: {' and '.join(within)} in it hold sessions of IEMOCAP; point at one of them")
    return PurePosixPath(*within)


def _renamed(root: Path, session: str) -> str:
    """A hint at a folder that holds a session and has its number in another name."""
    for name in _names(root):
        if name not in SESSIONS and session[-1] in name and (root / name / EVALUATIONS).is_dir():
            return f', and "{name}" may be it'
    return ""


def _session(folder: Path, session: PurePosixPath) -> Iterator[Row | Flaw]:
    missing = [part for part in (EVALUATIONS, RECORDINGS) if not (folder / session / part).is_dir()]
    if missing:
        yield from (Flaw(str(session / part), "the folder is missing") for part in missing)
        return
    labelled = {name[:-4] for name in _names(folder / session / EVALUATIONS) if name.endswith(".txt")}
    for dialogue in sorted(labelled | set(_names(folder / session / RECORDINGS))):
        name = DIALOGUE.fullmatch(dialogue)
        recordings = session / RECORDINGS / dialogue
        label_file = session / EVALUATIONS / f"{dialogue}.txt"
        if name and name[1] == session.name[-1]:
            yield from _dialogue(folder, session, dialogue)
        elif dialogue.startswith("Ses"):
            file = label_file if dialogue in labelled else recordings
            yield Flaw(str(file), f"this is not the name of a dialogue of {session.name}")


def _dialogue(folder: Path, session: PurePosixPath, dialogue: str) -> Iterator[Row | Flaw]:
    label_file = session / EVALUATIONS / f"{dialogue}.txt"
    recordings = {
        name[: name.rindex(".")]: session / RECORDINGS / dialogue / name
        for name in _names(folder / session / RECORDINGS / dialogue)
        if name.lower().endswith(AUDIO_SUFFIXES)
    }
    if not (folder / label_file).is_file():
        yield Flaw(
            str(label_file), f"the file is missing, and {len(recordings):,} recordings of the dialogue are there"
        )
        return
    rows: dict[str, Row] = {}
    for found in _labels(folder, label_file, dialogue):
        if isinstance(found, Flaw):
            yield found
        elif found["id"] in rows:
            yield Flaw(str(label_file), f"the turn {found['id']} has two lines")
        else:
            rows[found["id"]] = found
    if not recordings:
        what = f"the folder is missing or empty, and {len(rows):,} turns of the dialogue are labelled"
        yield Flaw(str(session / RECORDINGS / dialogue), what)
        return
    words = _words(folder / session / TRANSCRIPTIONS / f"{dialogue}.txt")
    labels = {name: row | ({"text": words[name]} if name in words else {}) for name, row in rows.items()}
    yield from paired(labels, recordings, lambda _: str(label_file))


def _labels(folder: Path, label_file: PurePosixPath, dialogue: str) -> Iterator[Row | Flaw]:
    """The blocks of an EmoEvaluation file, one row each."""
    row: Row | None = None
    raters: list[dict[str, Any]] = []
    for number, line in enumerate(_text(folder / label_file).split("\n"), start=1):
        line = line.strip()
        if line.startswith("["):
            if row:
                yield row | _rated(row, raters)
            raters = []
            read = _summary(line, dialogue)
            row = read if isinstance(read, dict) else None
            if isinstance(read, str):
                yield Flaw(f"{label_file}, line {number}", read)
        elif line.startswith(("C-", "A-")):
            raters.append(_rater(line))
    if row:
        yield row | _rated(row, raters)


def _summary(line: str, dialogue: str) -> Row | str:
    """The row of a turn from its first line, or what is wrong with the line."""
    match = SUMMARY.fullmatch(line)
    if not match:
        return "this is not [start - end] turn label [valence, activation, dominance]"
    start, end, turn, label, valence, activation, dominance = match.groups()
    speaker, digits = turn[-4:-3], turn[-3:]
    if turn[:-4] != f"{dialogue}_" or speaker not in GENDERS or not digits.isdecimal():
        return f'"{turn}" is not the name of a turn of {dialogue}'
    if label != NO_AGREEMENT and label not in EMOTIONS:
        return f'there is no label "{label}" (it is one of {", ".join(EMOTIONS)}, {NO_AGREEMENT})'
    return {
        "id": turn,
        "speaker": f"iemocap_{turn[:5]}{speaker}",
        "gender": GENDERS[speaker],
        "session": f"iemocap_{turn[4]}",
        "style": "improvised" if "_impro" in dialogue else "scripted",
        "valence": float(valence),
        "activation": float(activation),
        "dominance": float(dominance),
        "dialogue": dialogue,
        "turn_start": float(start),
        "turn_end": float(end),
    } | ({"emotion": EMOTIONS[label]} if label in EMOTIONS else {})


def _rater(line: str) -> dict[str, Any]:
    """What a rater's line says.

    >>> _rater("C-F1:\\tNeutral; Anger;\\t(curious)")
    {'rater': 'F1', 'emotions': ['neutral', 'angry'], 'comment': 'curious'}
    >>> _rater("A-E3:\\tval 3; act 2; dom  2;\\t()")
    {'rater': 'E3', 'valence': 3, 'activation': 2, 'dominance': 2}
    """
    head, _, rest = line.partition(":")
    said, _, comment = rest.partition("(")
    rating: dict[str, Any] = {"rater": head[2:].strip()}
    if head.startswith("C-"):
        words = [word.strip().lower() for word in said.split(";")]
        rating["emotions"] = [WORDS.get(word, word) for word in words if word]
    else:
        values = ((SCALES[scale], float(value)) for scale, value in RATING.findall(said))
        rating |= {scale: int(value) if value.is_integer() else value for scale, value in values}
    comment = comment.strip().removesuffix(")").strip()
    return rating | ({"comment": comment} if comment else {})


def _rated(row: Row, raters: list[dict[str, Any]]) -> Row:
    """The columns of a turn that come from the lines of its raters."""
    if not raters:
        return {}
    rated: Row = {"raters": json.dumps(raters, ensure_ascii=False)}
    named = [rater["emotions"] for rater in raters if "emotions" in rater and rater["rater"].startswith("E")]
    if named and "emotion" in row:
        rated["agreement"] = round(sum(row["emotion"] in emotions for emotions in named) / len(named), 4)
    return rated


def _words(transcription: Path) -> dict[str, str]:
    """The words of each turn; there are none where the file is not."""
    return dict(SPOKEN.findall(_text(transcription))) if transcription.is_file() else {}


def _text(path: Path) -> str:
    """The text of a file, in UTF-8 with or without a mark at its beginning, or else in Latin-1."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return path.read_text(encoding="latin-1")


def _names(folder: Path) -> list[str]:
    """What lies in a folder, sorted, without what is hidden (macOS leaves ``._name`` beside each ``name``)."""
    return sorted(name for name in os.listdir(folder) if not name.startswith(".")) if folder.is_dir() else []


IEMOCAP = Published(
    name="iemocap",
    title="IEMOCAP",
    language="en",
    licence="IEMOCAP release licence (research, on request from the University of Southern California)",
    citation="Busso et al. (2008), IEMOCAP: interactive emotional dyadic motion capture database, "
    "Language Resources and Evaluation 42(4), 335-359",
    layout="Session1 to Session5, each with dialog/EmoEvaluation/Ses01F_impro01.txt and "
    "sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav (151 dialogues, 10,039 turns)",
    editions={
        # EmoBox's data/iemocap/iemocap.jsonl has these angry, happy, excited, sad and neutral ones and the total, the
        # data card of CXianRen/AMST has all; the turns beyond these, 2,507, are without agreement.
        "published": {
            "angry": 1103, "happy": 595, "excited": 1041, "sad": 1084, "neutral": 1708, "frustrated": 1849,
            "surprise": 107, "fear": 40, "disgust": 2, "other": 3, TOTAL: 10039,
        },
    },
    utterances=utterances,
    sample_rate=16000,
)  # fmt: skip
