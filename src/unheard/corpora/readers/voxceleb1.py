"""VoxCeleb1: celebrities in interviews on YouTube; speakers for auxiliary tasks and verification, without any emotion.

``wav/id10001/{video}/00001.wav``, all together or with the verification sets ``dev`` and ``test`` (or
``vox1_dev_wav`` and ``vox1_test_wav``) above ``wav``. Above them lie two lists. ``vox1_meta.csv`` has a row per
speaker, separated by tabs despite its name and by commas in some copies, whose headers differ: columns are known by
their position. ``iden_split.txt``, which may be left out, has the part of the identification task of each utterance.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.editions import NO_LABEL
from unheard.corpora.published import Flaw, Published, Row, audio_files, file_above

FILE = re.compile(r"(?:.*/)?(?P<utterance>(?P<speaker>id1\d{4})/(?P<video>[\w-]{11})/\d{5})\.\w+")
GENDERS = {"f": "female", "m": "male"}
#: The identification task tests new videos of the same speakers; the verification set ``test`` has speakers of its own.
SPLITS = {"1": "train", "2": "dev", "3": "test"}
SETS = ("dev", "test")
META, SPLIT = "vox1_meta.csv", "iden_split.txt"


def utterances(folder: Path) -> Iterator[Row | Flaw]:
    """One row for each ``wav/id10001/1zcIwhmdeo4/00001.wav``. The session is the video: one channel, one day.

    There are three more columns: ``nationality``, ``set`` (of the verification task, ``dev`` or ``test``) and, where
    ``iden_split.txt`` is there, ``split`` (of the identification task, ``train``, ``dev`` or ``test``).
    """
    found = [(file, match) for file in audio_files(folder) if (match := FILE.fullmatch(file))]
    if not found:
        return
    here = {match["speaker"] for _, match in found}
    meta, split = (file_above(folder / found[0][0], name) for name in (META, SPLIT))
    speakers = _speakers(meta) if meta else {}
    splits = _splits(split) if split else {}
    if not meta:
        yield Flaw(META, "it does not lie above the recordings, so that no gender, nationality and set is known")
    else:
        for speaker in sorted(here - speakers.keys()):
            yield Flaw(META, f"speaker {speaker} is not in it with a gender, m or f, and a set, dev or test")
    for file, match in found:
        utterance, speaker, video = match.groups()
        row = {"id": utterance, "audio": file, "speaker": f"voxceleb1_{speaker}", "session": f"voxceleb1_{video}"}
        if utterance in splits:
            row["split"] = splits.pop(utterance)
        elif split:
            yield Flaw(SPLIT, f"the recording {file} is not in it with one of {', '.join(SPLITS)}")
        yield row | speakers.get(speaker, {})
    for utterance in splits:
        if utterance.partition("/")[0] in here:  # the counts tell of absent speakers
            yield Flaw(SPLIT, f"{utterance} is in it, but there is no recording of it")


def _speakers(meta: Path) -> dict[str, Row]:
    """What is known of each speaker: rows of identity, name, gender, nationality and set, below a header."""
    lines = meta.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = csv.reader(lines, delimiter="\t" if lines and "\t" in lines[0] else ",")
    speakers = {}
    for row in ([part.strip() for part in row] for row in rows):
        if len(row) >= 5 and row[2] in GENDERS and row[4] in SETS:
            speakers[row[0]] = {"gender": GENDERS[row[2]], "nationality": row[3] or None, "set": row[4]}
    return speakers


def _splits(split: Path) -> dict[str, str]:
    """The part of each utterance: lines ``1 id10001/1zcIwhmdeo4/00001.wav``."""
    lines = (line.split() for line in split.read_text(encoding="utf-8", errors="replace").splitlines())
    return {line[1].rpartition(".")[0]: SPLITS[line[0]] for line in lines if len(line) == 2 and line[0] in SPLITS}


VOXCELEB1 = Published(
    name="voxceleb1",
    title="VoxCeleb1",
    language="und",  # the interviews are in several languages, most of them in English; none says which
    licence="CC BY 4.0; the videos remain their owners'",
    citation="Nagrani, Chung & Zisserman (2017), VoxCeleb: a large-scale speaker identification dataset, Interspeech, "
    "2616-2620",
    layout="wav/id10001/1zcIwhmdeo4/00001.wav and so on, vox1_meta.csv, and iden_split.txt if wanted",
    editions={
        # Of the identification task 145,265 for development and 8,251 to test; of the verification task 148,642 and
        # 4,874: either way 153,516. Where there is no iden_split.txt no utterance has a part.
        "published": {"train": 138_361, "dev": 6_904, "test": 8_251},
        "without its identification split": {NO_LABEL: 153_516},
        "development set of the verification task": {NO_LABEL: 148_642},
        "test set of the verification task": {NO_LABEL: 4_874},
    },
    utterances=utterances,
    counted="split",
    sample_rate=16_000,
)
