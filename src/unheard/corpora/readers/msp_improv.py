"""MSP-IMPROV: twelve actors in six sessions, a woman and a man each, improvise scenes around twenty target sentences.

Labels stand in one file, ``Evalution.txt`` (so in the release; some write ``Evaluation.txt``), for each clip a line
with its consensus and means of all ratings, the lines of its raters, and a blank one::

    UTD-IMPROV-S01A-F01-S-MF02.avi; N; A:3.200000; V:3.000000; D:3.100000 ; N:4.000000;

which is the recording ``session1/S01A/S/MSP-IMPROV-S01A-F01-S-MF02.wav``, at any depth or in folders of one's own: its
name is what counts. The parts of a name are

- ``S01A``: target sentence 01 to 20, and the emotion intended with it: angry, happy, sad or neutral;
- ``F01``: the actor who has the target sentence in the scene, a woman or man, and the session, 01 to 06;
- ``S``: R the target sentence read, T improvised, S other turns of the improvised scene, P natural talk in breaks;
- ``MF02``: who speaks to whom (``FF`` and ``MM`` where somebody reads alone), and a running number.

So the speaker is told by the *last* part: about half of the turns of a scene (S) and of the talk (P) are the partner's.
Seen in the labels: in angry scenes of F01 to F06 it is the turns ``FM`` that are angry, in those of M01 to M06 ``MF``;
and the target sentence, which only that actor says, is ``FM`` in scenes of women and ``MF`` in those of men. Public
parsers take the actor of the target sentence for the speaker of all.

``A`` is activation on a scale from 1 active to 5 calm, against the order of all other corpora, ``V`` valence, ``D``
dominance, ``N`` naturalness; any may be ``NaN``. Session 4 has no read sentences.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from unheard.corpora.editions import TOTAL
from unheard.corpora.published import Flaw, Published, Row, named_audio, paired
from unheard.errors import InputError

LABEL_FILES = ("Evalution.txt", "Evaluation.txt")
NAME = re.compile(r"(?:MSP|UTD)-(IMPROV-S(\d\d)([AHSN])-([FM]0([1-6]))-([RTSP])-([FM])([FM])\d+)")
NUMBER = r"(\d+(?:\.\d+)?|NaN)\s*"
SUMMARY = re.compile(
    rf"(\S+)\.avi\s*;\s*([A-Z])\s*;\s*A:\s*{NUMBER};\s*V:\s*{NUMBER};\s*D:\s*{NUMBER};?(?:\s*N:\s*{NUMBER};?)?"
)
SESSION_FOLDER = re.compile(r"session0?([1-6])", re.IGNORECASE)
EMOTIONS = {"A": "angry", "H": "happy", "S": "sad", "N": "neutral", "O": "other"}
NO_AGREEMENT = "X"
GENDERS = {"F": "female", "M": "male"}
SCALES = {"A": "activation", "V": "valence", "D": "dominance", "N": "naturalness"}
#: Scenario to style: the target sentence is read (R) or improvised (T), as the other turns of its scene are (S).
STYLES = {"R": "scripted", "T": "improvised", "S": "improvised", "P": "natural"}


def utterances(folder: Path) -> Iterator[Row | Flaw]:
    """One row for each clip that has a line in the label file and a recording, in the order of the lines.

    Clips without agreement have no ``emotion``. ``activation`` is 6 − ``A``, so that 5 is active. Whether a label file
    still has the scale of the release is told from its own labels: it has, unless ``A`` is higher in angry than in sad
    clips. Further columns:

    - ``activation_raw``: ``A`` as it stands in the file;
    - ``naturalness``: 1 to 5;
    - ``scenario`` (R, T, S, P), ``sentence`` (01 … 20) and ``intended``, the emotion intended with that sentence;
    - ``target_speaker``: the actor who has the target sentence in the scene;
    - ``partner``: the gender of whom the speaker talks to; missing where somebody reads;
    - ``raters``: what every rater said, as JSON: a list of objects with ``rater``, ``emotions`` (one), ``secondary``
      (any number), and ``activation`` (as in the column), ``valence``, ``dominance`` and ``naturalness`` where they are
      numbers; a line of another form is kept whole, as ``line``.

    Raises:
        InputError: there is no label file, or more than one, or a recording twice.
    """
    label_file = _label_file(folder)
    labels: dict[str, Row] = {}
    for clip in _clips(folder, label_file):
        if isinstance(clip, Flaw):
            yield clip
        elif clip["id"] in labels:
            yield Flaw(label_file, f"the clip {clip['id']} has two lines")
        else:
            labels[clip.pop("id")] = clip
    if _reversed(labels):
        for row in labels.values():
            _turn(row)
    for row in labels.values():
        row["raters"] = json.dumps(row["raters"], ensure_ascii=False) if row["raters"] else None
    recordings = _recordings(folder)
    yield from _misplaced(recordings)
    yield from paired(labels, recordings, lambda _: label_file)


def _label_file(folder: Path) -> str:
    """The label file, in the folder or one level below it."""
    places = [folder, *sorted(place for place in folder.iterdir() if place.is_dir())]
    found = [place / name for place in places for name in LABEL_FILES if (place / name).is_file()]
    names = [file.relative_to(folder).as_posix() for file in found]
    if not names:
        raise InputError(
            f"{folder}: neither {' nor '.join(LABEL_FILES)} of MSP-IMPROV is in it or one level below; "
            "point at the folder with the label file and the recordings"
        )
    if len(names) > 1:
        raise InputError(f"{folder}: {' and '.join(names)} both are label files of MSP-IMPROV; leave only one of them")
    return names[0]


def _clips(folder: Path, label_file: str) -> Iterator[Row | Flaw]:
    """The blocks of the label file, with ``raters`` as a list and all activations as they are written."""
    row: Row | None = None
    text = (folder / label_file).read_text(encoding="utf-8-sig", errors="replace")
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        if line.partition(";")[0].rstrip().endswith(".avi") or line.startswith("UTD-"):
            if row:
                yield row
            read = _summary(line)
            row = read if isinstance(read, dict) else None
            if isinstance(read, str):
                yield Flaw(f"{label_file}, line {number}", read)
        elif line and row:
            row["raters"].append(_rater(line))
    if row:
        yield row


def _summary(line: str) -> Row | str:
    """The row of a clip from its line, or what is wrong with the line."""
    match = SUMMARY.fullmatch(line)
    if not match:
        return "this is not clip.avi; label; A:activation; V:valence; D:dominance; N:naturalness;"
    clip, label, *means = match.groups()
    name = NAME.fullmatch(clip)
    if not name:
        return f'"{clip}" is not the name of a clip of MSP-IMPROV'
    if label != NO_AGREEMENT and label not in EMOTIONS:
        return f'there is no label "{label}" (it is one of {", ".join(EMOTIONS)}, {NO_AGREEMENT})'
    key, sentence, intended, target, session, scenario, speaker, partner = name.groups()
    row: Row = {
        "id": f"MSP-{key}",
        "speaker": f"msp-improv_{speaker}0{session}",
        "gender": GENDERS[speaker],
        "session": f"msp-improv_{session}",
        "style": STYLES[scenario],
        "scenario": scenario,
        "sentence": sentence,
        "intended": EMOTIONS[intended],
        "target_speaker": f"msp-improv_{target}",
        "partner": GENDERS[partner] if partner != speaker else None,
        "raters": [],
    }
    if label in EMOTIONS:
        row["emotion"] = EMOTIONS[label]
    values = {scale: _number(mean) for scale, mean in zip(SCALES.values(), means, strict=True)}
    row |= {scale: value for scale, value in values.items() if value is not None}
    return row | ({"activation_raw": row["activation"]} if "activation" in row else {})


def _rater(line: str) -> dict[str, Any]:
    """What a rater's line says.

    >>> _rater("W7-p2; Sad; Sad,Concerned; A:4.000000; V:2.000000; D:NaN ; N:3.000000;")
    {'rater': 'W7-p2', 'emotions': ['sad'], 'secondary': ['sad', 'concerned'],
     'activation': 4, 'valence': 2, 'naturalness': 3}
    """
    rater, *said = (part.strip() for part in line.removesuffix(";").split(";"))
    ratings = {}
    while said and (match := re.fullmatch(rf"([AVDN]):\s*{NUMBER}", said[-1])):
        ratings[SCALES[match[1]]] = _number(match[2])
        said.pop()
    if len(said) != 2 or not ratings:
        return {"line": line}
    named, secondary = said
    rating: dict[str, Any] = {"rater": rater, "emotions": [named.lower()]}
    if secondary:
        rating["secondary"] = [word.strip().lower() for word in secondary.split(",") if word.strip()]
    for scale in SCALES.values():
        if (value := ratings.get(scale)) is not None:
            rating[scale] = int(value) if value.is_integer() else value
    return rating


def _number(written: str | None) -> float | None:
    """A rating; None for ``NaN`` and where none was written."""
    return None if written in (None, "NaN") else float(written)


def _reversed(labels: Mapping[str, Row]) -> bool:
    """Whether low activation is active, as in the release: unless angry clips have more of it than sad ones."""
    means = []
    for emotion in ("angry", "sad"):
        values = [row["activation"] for row in labels.values() if row.get("emotion") == emotion and "activation" in row]
        means.append(sum(values) / len(values) if values else math.nan)
    return not means[0] > means[1]


def _turn(row: Row) -> None:
    """Write all activations of a row on the scale from 1 calm to 5 active."""
    for ratings in (row, *row["raters"]):
        if "activation" in ratings:
            ratings["activation"] = round(6 - ratings["activation"], 6)


def _recordings(folder: Path) -> dict[str, PurePosixPath]:
    """The recording of each clip, by the clip's id."""
    recordings: dict[str, PurePosixPath] = {}
    for file, name in named_audio(folder, NAME):
        other = recordings.setdefault(f"MSP-{name[1]}", file)
        if other != file:
            raise InputError(
                f'{folder}: the utterance MSP-{name[1]} is there twice, as "{other}" and "{file}"; '
                "point at the folder of one copy"
            )
    return recordings


def _misplaced(recordings: Mapping[str, PurePosixPath]) -> Iterator[Flaw]:
    """A flaw for each folder that stands where a session should and is not the session its recordings say.

    There is none where the recordings lie in folders of another order.
    """
    places = Counter(
        (file.parents[2], clip.split("-")[3][-1]) for clip, file in recordings.items() if len(file.parents) > 3
    )
    if not any(SESSION_FOLDER.fullmatch(place.name) for place, _ in places):
        return
    for (place, session), count in places.items():
        match = SESSION_FOLDER.fullmatch(place.name)
        if not match or match[1] != session:
            yield Flaw(str(place), f"{count:,} recordings of session{session} are in it; name it as published")


MSP_IMPROV = Published(
    name="msp-improv",
    title="MSP-IMPROV",
    language="en",
    licence="academic licence, on request from the University of Texas at Dallas",
    citation="Busso, Parthasarathy, Burmania, AbdelWahab, Sadoughi, Mower Provost (2017), MSP-IMPROV: an acted corpus "
    "of dyadic interactions to study emotion perception, IEEE Transactions on Affective Computing 8(1), 67-80",
    layout="Evalution.txt and session1 to session6 with recordings like "
    "session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav (8,438)",
    editions={
        # Table 4 of the citation, which counts by scenario; 555 clips beyond these have no agreement. The four classes
        # are 7,798, as latif2022 and the logs of other toolkits have it.
        "published": {"angry": 792, "happy": 2644, "neutral": 3477, "sad": 885, "other": 85, TOTAL: 8438},
    },
    utterances=utterances,
    # No sample rate: the sessions were recorded at 48 kHz, and no source says at which rate they are released.
)
