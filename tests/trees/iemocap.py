"""IEMOCAP as published, with every count that is known of it: the labels as a table, and the whole tree on disk.

The turns are invented, the counts are not: by class, speaker, session, style and level of valence and activation, and
how many turns are spoken by the actor that the dialogue's name does not say.
"""

from __future__ import annotations

import functools
import io
import json
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from unheard.seeds import generator

FIVE = ("angry", "happy", "excited", "sad", "neutral")
CODES = {
    "angry": "ang", "happy": "hap", "excited": "exc", "sad": "sad", "neutral": "neu", "frustrated": "fru",
    "surprise": "sur", "fear": "fea", "disgust": "dis", "other": "oth", None: "xxx",
}  # fmt: skip
WRITTEN = {
    "angry": "Anger", "happy": "Happiness", "excited": "Excited", "sad": "Sadness", "neutral": "Neutral",
    "frustrated": "Frustration", "surprise": "Surprise", "fear": "Fear", "disgust": "Disgust", "other": "Other",
}  # fmt: skip
#: Of all turns and of the improvised ones, in the order of FIVE.
ALL = {
    "Ses01F": (147, 69, 63, 78, 171), "Ses01M": (82, 66, 80, 116, 213),
    "Ses02F": (67, 70, 96, 113, 135), "Ses02M": (70, 47, 114, 84, 227),
    "Ses03F": (92, 80, 48, 172, 130), "Ses03M": (148, 55, 103, 133, 190),
    "Ses04F": (205, 31, 154, 62, 76), "Ses04M": (122, 34, 84, 81, 182),
    "Ses05F": (78, 77, 82, 132, 221), "Ses05M": (92, 66, 217, 113, 163),
}  # fmt: skip
IMPROVISED = {
    "Ses01F": (37, 18, 54, 43, 119), "Ses01M": (25, 15, 45, 61, 104),
    "Ses02F": (7, 25, 88, 63, 90), "Ses02M": (15, 29, 49, 37, 127),
    "Ses03F": (22, 39, 41, 108, 95), "Ses03M": (68, 21, 48, 82, 103),
    "Ses04F": (47, 10, 119, 41, 51), "Ses04M": (37, 21, 45, 40, 123),
    "Ses05F": (18, 56, 68, 73, 151), "Ses05M": (13, 50, 106, 60, 136),
}  # fmt: skip
#: Turns of the five classes whose speaker is not the actor in the dialogue's name.
OTHER_THAN_PREFIX = 2750
#: Turns of the five classes in dialogues with a letter after the number: 174, of which 65 female. By speaker it is our
#: own guess.
IN_SUFFIXED = {"Ses03F": 52, "Ses03M": 84, "Ses05F": 13, "Ses05M": 25}
#: Of all other classes and of the turns without agreement.
REST = {"frustrated": 1849, None: 2507, "surprise": 107, "fear": 40, "disgust": 2, "other": 3}
TURNS = {1: 1819, 2: 1811, 3: 2136, 4: 2103, 5: 2170}
IMPROVISED_TURNS = 4784
#: How many turns are low (up to 2), middle (up to 3.5) and high: of the five classes, and of all others.
LEVELS = {
    "valence": ((1526, 2511, 1494), (3120 - 1526, 4791 - 2511, 2128 - 1494)),
    "activation": ((637, 3681, 1213), (986 - 637, 7029 - 3681, 2024 - 1213)),
}
#: Where a class lies on the scales, so that the levels go with the emotions.
PLACE = {
    "angry": (1.9, 3.7), "happy": (3.9, 3.1), "excited": (3.9, 3.6), "sad": (2.2, 2.4), "neutral": (2.9, 2.7),
    "frustrated": (2.2, 3.1), None: (2.6, 3.0), "surprise": (3.0, 3.2), "fear": (2.3, 3.2), "disgust": (2.3, 3.0),
    "other": (2.7, 2.9),
}  # fmt: skip
#: What two or three raters give for a mean of each level.
RATINGS = {
    2: (((1, 1), (1, 2), (2, 2), (3, 1)), ((2, 3), (3, 3), (4, 2), (3, 4)), ((4, 4), (3, 5), (5, 4), (5, 5))),
    3: (
        ((1, 1, 1), (1, 2, 1), (2, 1, 2), (2, 2, 2)),
        ((2, 3, 2), (3, 2, 3), (3, 3, 3), (4, 3, 3)),
        ((4, 3, 4), (4, 4, 4), (5, 4, 4), (5, 5, 5)),
    ),
}
COMMENTS = (
    "",
    "",
    "",
    "curious",
    "mildly aggravated but staying polite, attitude",
    "threatening (almost); belligerent",
)
SENTENCES = (
    "Excuse me.", "Do you have your forms?", "Let me see them.", "Is there a problem?", "Who told you to stand here?",
    "I don't know.", "What do you want me to say?", "[LAUGHTER]", "It's: over.", "Okay, but I am not going back there.",
    "You did?", "That's amazing.", "I miss him so much.", "Why would you say that to me?", "Well, we'll see.",
)  # fmt: skip


@dataclass
class Turn:
    """A turn on the way to its row: who speaks, what, and in which dialogue."""

    speaker: str
    style: str
    emotion: str | None
    dialogue: str = ""
    columns: dict[str, Any] = field(default_factory=dict)
    evaluations: list[str] = field(default_factory=list)


def dialogues(session: int, style: str, prefix: str) -> list[str]:
    """The dialogues of a session in which the actor ``prefix`` (F or M) wore the markers: 151 in all."""
    if style == "improvised":
        parts = [f"impro{number:02d}" for number in range(1, 8 if session == 1 else 9)]
        if (session, prefix) == (3, "M"):
            parts = ["impro01", "impro02", "impro03", "impro04", "impro05a", "impro05b", "impro06", "impro07",
                     "impro08a", "impro08b"]  # fmt: skip
    else:
        parts = [f"script{part}" for part in ("01_1", "01_2", "01_3", "02_1", "02_2", "03_1", "03_2")]
        if (session, prefix) == (5, "M"):
            parts.append("script01_1b")
    return [f"Ses{session:02d}{prefix}_{part}" for part in parts]


def manifest() -> pd.DataFrame:
    """All 10,039 turns, in the columns of the reader and in its order, with ``corpus`` and ``language``."""
    rows = [turn.columns | {"corpus": "iemocap", "language": "en"} for turn in _turns()]
    return pd.DataFrame(rows)


def silence(samples: int = 160, rate: int = 16000) -> bytes:
    """The bytes of a silent wav file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setparams((1, 2, rate, samples, "NONE", ""))
        recording.writeframes(bytes(2 * samples))
    return file.getvalue()


SILENCE = silence()


def build(folder: Path, *, sound: bytes = SILENCE, only: Sequence[str] = ()) -> None:
    """Write the release into ``folder``: all of it, or only some dialogues; ``sound`` is what every wav holds."""
    by_dialogue: dict[str, list[Turn]] = {}
    for turn in _turns():
        by_dialogue.setdefault(turn.dialogue, []).append(turn)
    for dialogue in only or by_dialogue:
        _write(folder / f"Session{dialogue[4]}", dialogue, by_dialogue[dialogue], sound)
    (folder / "README.txt").write_text("About the release.\n")


def _write(session: Path, dialogue: str, turns: list[Turn], sound: bytes) -> None:
    evaluations, wavs = session / "dialog" / "EmoEvaluation", session / "sentences" / "wav" / dialogue
    others = {"Attribute": "e3_atr", "Categorical": "e2_cat", "Self-evaluation": "f1_cat"}
    for place in (wavs, session / "dialog" / "transcriptions", *(evaluations / name for name in others)):
        place.mkdir(parents=True, exist_ok=True)
    blocks = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n"]
    spoken = []
    for turn in turns:
        row = turn.columns
        dimensions = ", ".join(f"{row[column]:.4f}" for column in ("valence", "activation", "dominance"))
        times = f"[{row['turn_start']:.4f} - {row['turn_end']:.4f}]"
        blocks.append(
            "\n".join([f"{times}\t{row['id']}\t{CODES[turn.emotion]}\t[{dimensions}]", *turn.evaluations, ""])
        )
        spoken.append(f"{row['id']} [{row['turn_start']:08.4f}-{row['turn_end']:08.4f}]: {row['text']}\n")
        (wavs / f"{row['id']}.wav").write_bytes(sound)
    _text(evaluations / f"{dialogue}.txt", "\n".join(blocks) + "\n")
    _text(session / "dialog" / "transcriptions" / f"{dialogue}.txt", "".join(spoken) + "M: [BREATHING]\n")
    for name, ending in others.items():
        _text(evaluations / name / f"{dialogue}_{ending}.txt", f"{turns[0].columns['id']} :Neutral state; :val 3;()\n")
    for hidden in (evaluations / f"._{dialogue}.txt", wavs / f"._{turns[0].columns['id']}.wav"):
        hidden.write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X\xff")


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


@functools.cache
def _turns() -> list[Turn]:
    """Every turn, complete, in the order of sessions, dialogues and time."""
    draw = generator(0, "tree of IEMOCAP")
    turns = _five(draw) + _rest(draw)
    for column, (of_five, of_rest) in LEVELS.items():
        _levels([turn for turn in turns if turn.emotion in FIVE], column, of_five, draw)
        _levels([turn for turn in turns if turn.emotion not in FIVE], column, of_rest, draw)
    order = draw.permutation(len(turns))
    turns = [turns[index] for index in order]
    turns.sort(key=lambda turn: (turn.speaker[:5], turn.dialogue))  # stable: the order in a dialogue stays drawn
    dialogue, numbers, time = "", {"F": 0, "M": 0}, 0.0
    for turn in turns:
        if turn.dialogue != dialogue:
            dialogue, numbers, time = turn.dialogue, {"F": 0, "M": 0}, 5.0
        time = _complete(turn, numbers, time, draw)
    return turns


def _five(draw: np.random.Generator) -> list[Turn]:
    """The turns of the five classes, each in a dialogue of its session and style."""
    cells = {}
    for speaker, counts in ALL.items():
        for emotion, count, improvised in zip(FIVE, counts, IMPROVISED[speaker], strict=True):
            cells[speaker, "improvised", emotion] = improvised
            cells[speaker, "scripted", emotion] = count - improvised
    crossed = dict(zip(cells, apportion(OTHER_THAN_PREFIX, list(cells.values())), strict=True))
    turns = []
    for speaker in ALL:
        own = speaker[-1]
        for style in ("improvised", "scripted"):
            for prefix in ("F", "M"):
                emotions = [
                    emotion
                    for emotion in FIVE
                    for cell in [(speaker, style, emotion)]
                    for _ in range(cells[cell] - crossed[cell] if prefix == own else crossed[cell])
                ]
                names = _places(len(emotions), speaker, style, prefix)
                order = draw.permutation(len(emotions))
                turns += [Turn(speaker, style, emotions[index], name) for index, name in zip(order, names, strict=True)]
    return turns


def _places(count: int, speaker: str, style: str, prefix: str) -> list[str]:
    """A dialogue for each of ``count`` turns of the five classes, with the right number in suffixed dialogues."""
    names = dialogues(int(speaker[4]), style, prefix)
    suffixed = [name for name in names if name[-1].isalpha()]
    plain = [name for name in names if name not in suffixed]
    in_suffixed = IN_SUFFIXED[speaker] if suffixed else 0
    places = [suffixed[index % len(suffixed)] for index in range(in_suffixed)]
    return places + [plain[index % len(plain)] for index in range(count - in_suffixed)]


def _rest(draw: np.random.Generator) -> list[Turn]:
    """The turns of the other classes and those without agreement, evenly over the dialogues."""
    emotions = [emotion for emotion, count in REST.items() for _ in range(count)]
    emotions = [emotions[index] for index in draw.permutation(len(emotions))]
    of_five = {session: sum(ALL[f"Ses0{session}F"]) + sum(ALL[f"Ses0{session}M"]) for session in TURNS}
    others = {session: count - of_five[session] for session, count in TURNS.items()}
    improvised = apportion(IMPROVISED_TURNS - sum(map(sum, IMPROVISED.values())), list(others.values()))
    turns = []
    for (session, count), spontaneous in zip(others.items(), improvised, strict=True):
        for style, number in (("improvised", spontaneous), ("scripted", count - spontaneous)):
            names = [name for prefix in ("F", "M") for name in dialogues(session, style, prefix)]
            for index in range(number):
                speaker = f"Ses0{session}{'FM'[index // len(names) % 2]}"
                turns.append(Turn(speaker, style, emotions.pop(), names[index % len(names)]))
    return turns


def _levels(turns: list[Turn], column: str, counts: Sequence[int], draw: np.random.Generator) -> None:
    """Give each turn its level of a scale, 0 to 2, so that there are as many of each as counted."""
    place = np.array([PLACE[turn.emotion][0 if column == "valence" else 1] for turn in turns])
    order = np.argsort(place + 0.7 * draw.standard_normal(len(turns)), kind="stable")
    for index, level in zip(order, np.repeat(range(3), counts), strict=True):
        turns[index].columns[column] = int(level)


def _complete(turn: Turn, numbers: dict[str, int], time: float, draw: np.random.Generator) -> float:
    """Fill in the row of a turn that has its levels; returns when it ends."""
    gender, session = turn.speaker[-1], turn.speaker[4]
    number = numbers[gender]
    numbers[gender] += 1
    name = f"{turn.dialogue}_{gender}{number:03d}"
    end = round(time + 0.6 + min(float(draw.gamma(2.0, 2.0)), 30.0), 4)
    raters = 3 if turn.style == "improvised" else 2
    levels = {"dominance": int(draw.integers(3))} | turn.columns
    ratings = {
        column: RATINGS[raters][levels[column]][int(draw.integers(4))]
        for column in ("valence", "activation", "dominance")
    }
    said, turn.evaluations = _evaluations(turn, ratings, draw)
    script = sum(map(ord, turn.dialogue[7:])) + number + (gender == "M")
    turn.columns = {
        "id": name,
        "audio": f"Session{session}/sentences/wav/{turn.dialogue}/{name}.wav",
        "speaker": f"iemocap_{turn.speaker}",
        "gender": {"F": "female", "M": "male"}[gender],
        "session": f"iemocap_{session}",
        "style": turn.style,
        **({"emotion": turn.emotion} if turn.emotion else {}),
        **{column: round(sum(values) / raters, 4) for column, values in ratings.items()},
        "dialogue": turn.dialogue,
        "turn_start": round(time, 4),
        "turn_end": end,
        **said,
        # A script has the same words in every session.
        "text": SENTENCES[(script if turn.style == "scripted" else int(draw.integers(1000))) % len(SENTENCES)],
    }
    return end


def _evaluations(
    turn: Turn, ratings: dict[str, tuple[int, ...]], draw: np.random.Generator
) -> tuple[dict[str, Any], list[str]]:
    """What each rater says, as the columns of the reader and as the lines of the file."""
    others = [emotion for emotion in WRITTEN if emotion != turn.emotion]
    first, second, third = (others[index] for index in draw.permutation(len(others))[:3])
    if turn.emotion:
        named = [[turn.emotion], [turn.emotion, first], [turn.emotion] if draw.integers(2) else [second]]
    else:
        named = [[first], [second], [third]]
    myself = f"{turn.speaker[-1]}1"
    said: list[dict[str, Any]] = []
    for rater, emotions in zip(("E2", "E3", "E4", myself), [*named, [second]], strict=True):
        comment = COMMENTS[int(draw.integers(len(COMMENTS)))]
        said.append({"rater": rater, "emotions": emotions} | ({"comment": comment} if comment else {}))
    for index, rater in enumerate(("E3", "E4", "E5")[: len(ratings["valence"])]):
        said.append({"rater": rater} | {column: values[index] for column, values in ratings.items()})
    columns: dict[str, Any] = {"raters": json.dumps(said)}
    if turn.emotion:
        columns["agreement"] = round(sum(turn.emotion in emotions for emotions in named) / 3, 4)
    return columns, [_line(rater) for rater in said]


def _line(said: dict[str, Any]) -> str:
    comment = f"({said.get('comment', '')})"
    if "emotions" in said:
        return f"C-{said['rater']}:\t{'; '.join(WRITTEN[emotion] for emotion in said['emotions'])};\t{comment}"
    return f"A-{said['rater']}:\tval {said['valence']}; act {said['activation']}; dom  {said['dominance']};\t{comment}"


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Whole numbers that sum to ``total``, in proportion to the weights, by largest remainder.

    >>> apportion(10, [1, 1, 1])
    [4, 3, 3]
    """
    exact = np.array(weights) * total / sum(weights)
    parts = np.floor(exact).astype(int)
    for index in np.argsort(parts - exact, kind="stable")[: total - parts.sum()]:
        parts[index] += 1
    return parts.tolist()
