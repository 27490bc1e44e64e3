"""MSP-IMPROV as published, with every count that is known of it: the labels as a table, and the whole tree on disk.

The clips are invented, the counts are not: by class and scenario, by session (1 to 4 together, 5, 6) with and without
the classes ``other`` and no agreement, who reads, and how many clips are low, middle and high in activation (on the
scale of the release and on that of all other corpora) and in valence, of those that have ratings (8,385). How each
session divides by class, and sessions 1 to 4 among themselves, is our own guess. The mean activation of each class and
the centres of k-means clusters are not those of the release; the order of the classes is.
"""

from __future__ import annotations

import functools
import io
import json
import math
import wave
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from unheard.seeds import generator

LETTERS = {"angry": "A", "happy": "H", "sad": "S", "neutral": "N", "other": "O", None: "X"}
FOUR = ("angry", "happy", "sad", "neutral")
GENDERS = {"F": "female", "M": "male"}
STYLES = {"R": "scripted", "T": "improvised", "S": "improvised", "P": "natural"}
#: By scenario: angry, happy, sad, neutral, other, no agreement.
CLASSES = {
    "R": (169, 88, 80, 241, 3, 39), "T": (115, 136, 106, 283, 1, 11),
    "S": (470, 1048, 633, 1789, 70, 371), "P": (38, 1372, 66, 1164, 11, 134),
}  # fmt: skip
#: Clips by session, from 1 to 6, and how many of them are other or without agreement.
SCENARIOS = {
    "R": (100, 160, 180, 0, 100, 80), "T": (109, 109, 109, 109, 108, 108),
    "S": (655, 595, 575, 754, 833, 969), "P": (464, 464, 464, 464, 464, 465),
}  # fmt: skip
OUTSIDE_FOUR = {
    "R": (7, 11, 12, 0, 7, 5), "T": (2, 2, 2, 2, 2, 2), "S": (65, 61, 60, 73, 86, 96), "P": (24, 24, 24, 24, 24, 25),
}  # fmt: skip
#: Who reads: the emotions for which there is a second take of every sentence.
READERS = {"M01": "N", "F02": "", "M02": "", "F03": "S", "M03": "", "F05": "N", "F06": ""}
#: Clips without ratings.
UNRATED = {"R": 0, "T": 2, "S": 34, "P": 17}
#: Clips up to 2.5, up to 3.5 and above; and how many of these are exactly 2.5 and 3.5.
LEVELS = {"activation": (4507, 3035, 843), "valence": (2214, 3531, 2640)}
EDGES = {"activation": (161, 62), "valence": (0, 0)}
#: By class, in the order of LETTERS: what the ratings are ordered by.
MEANS = {"activation": (3.2, 2.9, 2.3, 2.1, 2.6, 2.6), "valence": (1.8, 4.1, 2.1, 3.0, 2.9, 2.9)}


def manifest() -> pd.DataFrame:
    """All 8,438 clips, in the columns of the reader and in its order, with ``corpus`` and ``language``."""
    return pd.DataFrame(_rows()).assign(corpus="msp-improv", language="en")


def silence(samples: int = 160, rate: int = 16000) -> bytes:
    """The bytes of a silent wav file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setparams((1, 2, rate, samples, "NONE", ""))
        recording.writeframes(bytes(2 * samples))
    return file.getvalue()


def build(
    folder: Path,
    table: pd.DataFrame | None = None,
    *,
    label_file: str = "Evalution.txt",
    audio: str = "",
    is_reversed: bool = True,
) -> None:
    """Write the release into ``folder``, or only the clips of a ``table`` with rows of :func:`manifest`.

    Args:
        label_file: its name, from the folder.
        audio: a folder above the sessions.
        is_reversed: whether 1 is active, as in the release; the column ``activation_raw`` is of the release.
    """
    rows = (manifest() if table is None else table).to_dict("records")
    sound = silence()
    for place in {_place(row["id"]) for row in rows}:
        (folder / audio / place).mkdir(parents=True, exist_ok=True)
    for row in rows:
        (folder / audio / _place(row["id"]) / f"{row['id']}.wav").write_bytes(sound)
    for row in rows[:1]:
        (folder / audio / _place(row["id"]) / f"._{row['id']}.wav").write_bytes(b"\x00\x05\x16\x07Mac OS X\xff")
    path = folder / label_file
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(_block(row, is_reversed) for row in rows)
    path.write_text(text, encoding="utf-8", newline="\n")
    (path.parent / f"._{path.name}").write_bytes(b"\x00\x05\x16\x07Mac OS X\xff")
    (folder / "Readme.txt").write_text("About the release.\n")


def _place(clip: str) -> str:
    """The folder of a clip.

    >>> _place("MSP-IMPROV-S01A-F02-R-FF01")
    'session2/S01A/R'
    """
    _, _, sentence, actor, scenario, _ = clip.split("-")
    return f"session{actor[-1]}/{sentence}/{scenario}"


def _block(row: dict[str, Any], is_reversed: bool) -> str:
    """The lines of a clip in the label file: its own, one for each rater, and a blank one."""
    name = row["id"].replace("MSP-", "UTD-")
    letter = LETTERS[row["emotion"] if isinstance(row["emotion"], str) else None]
    activation = row["activation_raw"] if is_reversed else row["activation"]
    lines = [f"{name}.avi; {letter}; {_ratings(row | {'activation': activation})}"]
    for rater in json.loads(row["raters"]):
        if is_reversed and "activation" in rater:
            rater["activation"] = 6 - rater["activation"]
        secondary = ",".join(rater.get("secondary", ())).title()
        lines.append(f"{rater['rater']}; {rater['emotions'][0].title()}; {secondary}; {_ratings(rater)}")
    return "\n".join([*lines, "", ""])


def _ratings(row: dict[str, Any]) -> str:
    values = [row.get(scale, math.nan) for scale in ("activation", "valence", "dominance", "naturalness")]
    written = ["NaN" if math.isnan(value) else f"{value:.6f}" for value in values]
    return f"A:{written[0]}; V:{written[1]}; D:{written[2]} ; N:{written[3]};"


@functools.cache
def _rows() -> list[dict[str, Any]]:
    """Every clip, complete, in the order of the names."""
    draw = generator(0, "MSP-IMPROV tree")
    rows: list[dict[str, Any]] = []
    for scenario in CLASSES:
        names = [list(_names(session, scenario)) for session in range(1, 7)]
        emotions = draw.permutation(np.repeat(FOUR, CLASSES[scenario][:4])).tolist()
        others = draw.permutation(np.repeat(["other", ""], CLASSES[scenario][4:])).tolist()
        unrated = UNRATED[scenario]
        for in_session, outside in zip(names, OUTSIDE_FOUR[scenario], strict=True):
            places = set(draw.permutation(len(in_session))[:outside].tolist())
            for place, name in enumerate(in_session):
                emotion = (others if place in places else emotions).pop() or None
                rows.append(_columns(name, emotion) | {"rated": unrated <= 0})
                unrated -= 1
    rows.sort(key=lambda row: row["id"])
    for column in LEVELS:
        _rate([row for row in rows if row["rated"]], column, draw)
    return [_complete(row, draw) for row in rows]


def _names(session: int, scenario: str) -> Iterator[str]:
    """The names of a session's clips in a scenario, as many as are known."""
    scenes = [
        f"S{sentence:02d}{letter}-{gender}{session:02d}"
        for sentence in range(1, 21)
        for letter in "AHSN"
        for gender in "FM"
    ]
    if scenario == "R":
        for scene in scenes:
            letter, actor = scene[3], scene[5:]
            for take in range(1, 2 + (letter in READERS[actor])) if actor in READERS else ():
                yield f"{scene}-R-{actor[0] * 2}{take:02d}"
        return
    numbers: Counter[str] = Counter()
    for clip in range(SCENARIOS[scenario][session - 1]):
        scene = scenes[clip % len(scenes)]
        actor = scene[5]
        partner = "M" if actor == "F" else "F"
        # The target sentence is the actor's; of all other turns every second one is the partner's.
        takes_part = actor + partner if scenario == "T" or clip // len(scenes) % 2 == 0 else partner + actor
        turn = f"{scene}-{scenario}-{takes_part}"
        numbers[turn] += 1
        yield f"{turn}{numbers[turn]:02d}"


def _columns(name: str, emotion: str | None) -> dict[str, Any]:
    """What the name of a clip says, and its class."""
    sentence, actor, scenario, turn = name.split("-")
    speaker, partner = turn[0], turn[1]
    clip = f"MSP-IMPROV-{name}"
    intended = next(word for word, letter in LETTERS.items() if letter == sentence[3])
    return {
        "id": clip,
        "audio": f"{_place(clip)}/{clip}.wav",
        "speaker": f"msp-improv_{speaker}{actor[1:]}",
        "gender": GENDERS[speaker],
        "emotion": emotion,
        "session": f"msp-improv_{actor[-1]}",
        "style": STYLES[scenario],
        "scenario": scenario,
        "sentence": sentence[1:3],
        "intended": intended,
        "target_speaker": f"msp-improv_{actor}",
        "partner": GENDERS[partner] if partner != speaker else None,
    }


def _rate(rows: list[dict[str, Any]], column: str, draw: np.random.Generator) -> None:
    """Ratings in the order of the classes' means, so many of them low, middle and high, and on the edges, as known."""
    low, middle, high = LEVELS[column]
    to_low, to_middle = EDGES[column]
    values = [
        *np.linspace(1.2, 2.4, low - to_low), *[2.5] * to_low,
        *np.linspace(2.6, 3.4, middle - to_middle), *[3.5] * to_middle,
        *np.linspace(3.6, 4.8, high),
    ]  # fmt: skip
    means = dict(zip(LETTERS, MEANS[column], strict=True))
    wanted = [means[row["emotion"]] + 0.6 * draw.standard_normal() for row in rows]
    for place, value in zip(np.argsort(wanted, kind="stable"), values, strict=True):
        rows[place][column] = round(float(value), 6)


def _complete(row: dict[str, Any], draw: np.random.Generator) -> dict[str, Any]:
    """The row with the rest of its ratings and with what its raters say."""
    emotion = row["emotion"]
    named = {None: ["angry", "happy", "sad", "neutral", "other"]}.get(emotion, [emotion] * 3 + ["neutral", "other"])
    raters = []
    for number, word in enumerate(named):
        rating: dict[str, Any] = {"rater": f"W{number + 1}-p{draw.integers(1, 30)}", "emotions": [word]}
        if number % 2 == 0:
            rating["secondary"] = [word, "concerned"]
        scales = ("activation", "valence", "dominance", "naturalness")
        raters.append(rating | dict(zip(scales, draw.integers(1, 6, len(scales)).tolist(), strict=True)))
    if not row.pop("rated"):
        raters[0].pop("activation")  # written NaN, as the clip's own ratings are
        return row | {"raters": json.dumps(raters)}
    ratings = {scale: round(float(draw.uniform(1.5, 4.5)), 6) for scale in ("dominance", "naturalness")}
    return row | ratings | {"activation_raw": round(6 - row["activation"], 6), "raters": json.dumps(raters)}
