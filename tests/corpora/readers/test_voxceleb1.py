"""VoxCeleb1 from trees in its published layout: its two lists in their dialects, its editions, and what goes wrong."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from unheard.corpora.published import Flaw, prepare
from unheard.corpora.readers.voxceleb1 import VOXCELEB1, utterances
from unheard.errors import InputError

PEOPLE = [f"id1{number:04d}" for number in range(1, 1252)]
TESTED = set(PEOPLE[269:309])  # id10270 to id10309
VIDEOS = ("1zcIwhmdeo4", "-_dEO4a1zcI")


def tiny_wav(rate: int = 16_000) -> bytes:
    sound = io.BytesIO()
    soundfile.write(sound, np.zeros(160, dtype=np.int16), rate, format="WAV")
    return sound.getvalue()


def write_recordings(folder: Path, people: Iterable[str]) -> None:
    """Two recordings of a first video and one of a second, of everyone."""
    wav = tiny_wav()
    for person in people:
        for video, count in zip(VIDEOS, (2, 1), strict=True):
            place = folder / "wav" / person / video
            place.mkdir(parents=True)
            for number in range(1, count + 1):
                (place / f"{number:05d}.wav").write_bytes(wav)


def write_meta(folder: Path, people: Iterable[str] = PEOPLE, separator: str = "\t") -> None:
    """Men have odd numbers; everyone's third is from New Zealand."""
    header = ["VoxCeleb1 ID", "VGGFace1 ID", "Gender", "Nationality", "Set"]
    if separator == ",":
        header = ["ID", "Class_name", "Gender", "Nationality", "Set"]
    rows = [
        [
            person,
            f"A.J._Name_{person}",
            "fm"[int(person[2:]) % 2],
            "USA" if int(person[2:]) % 3 else "New Zealand",
            "test" if person in TESTED else "dev",
        ]
        for person in people
    ]
    (folder / "vox1_meta.csv").write_text("".join(separator.join(row) + "\n" for row in [header, *rows]))


def write_split(folder: Path, people: Iterable[str] = PEOPLE) -> None:
    """The first video is to train (its first recording) and to develop, the second to test."""
    parts = ((1, VIDEOS[0], 1), (2, VIDEOS[0], 2), (3, VIDEOS[1], 1))
    lines = [
        f"{part} {person}/{video}/{number:05d}.wav\n" for person in sorted(people) for part, video, number in parts
    ]
    (folder / "iden_split.txt").write_text("".join(lines))


def flaws(folder: Path) -> list[str]:
    return [str(found) for found in utterances(folder) if isinstance(found, Flaw)]


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A tree of two speakers, one of each verification set."""
    people = ["id10006", "id10270"]
    write_recordings(tmp_path, people)
    write_meta(tmp_path, people)
    write_split(tmp_path, people)
    return tmp_path


def test_every_speaker_of_both_sets_is_read(tmp_path: Path):
    write_recordings(tmp_path / "vox1_dev_wav", sorted(set(PEOPLE) - TESTED))
    write_recordings(tmp_path / "vox1_test_wav", sorted(TESTED))
    write_meta(tmp_path)
    write_split(tmp_path)
    assert flaws(tmp_path) == []
    table = pd.DataFrame(utterances(tmp_path))
    assert len(table) == 3 * 1_251
    assert table.notna().all(axis=None)
    assert Counter(table["split"]) == {"train": 1_251, "dev": 1_251, "test": 1_251}
    assert table.groupby("set")["speaker"].nunique().to_dict() == {"dev": 1_211, "test": 40}
    assert set(table["speaker"]) == {f"voxceleb1_{person}" for person in PEOPLE}
    assert table.groupby(["speaker", "session"])["split"].apply("-".join).unique().tolist() == ["test", "train-dev"]
    assert Counter(table["nationality"]) == {"USA": 3 * 834, "New Zealand": 3 * 417}

    # The lists are found from below, too, and those who are not there are no flaws.
    below = pd.DataFrame(utterances(tmp_path / "vox1_test_wav" / "wav"))
    same = table[table["set"] == "test"].reset_index(drop=True)
    assert below.drop(columns="audio").equals(same.drop(columns="audio"))


def test_a_row_says_what_is_known(two: Path):
    place = two / "wav" / "id10006" / VIDEOS[0]
    for name in ("._00001.wav", "00001.txt", "00001-aug.wav"):
        (place / name).write_bytes(b"none of it")
    (two / "wav" / "id00012" / VIDEOS[0]).mkdir(parents=True)  # of VoxCeleb2
    (two / "wav" / "id00012" / VIDEOS[0] / "00001.wav").write_bytes(tiny_wav())
    rows = list(utterances(two))
    assert len(rows) == 6
    assert rows[1] == {
        "id": "id10006/1zcIwhmdeo4/00001",
        "audio": "wav/id10006/1zcIwhmdeo4/00001.wav",
        "speaker": "voxceleb1_id10006",
        "session": "voxceleb1_1zcIwhmdeo4",
        "gender": "female",
        "nationality": "USA",
        "set": "dev",
        "split": "train",
    }
    table = prepare(VOXCELEB1, two, partial=True).corpus.table
    assert "emotion" not in table
    assert table["language"].unique().tolist() == ["und"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_list_of_speakers_may_be_separated_by_commas(two: Path, ending: str):
    expected = list(utterances(two))
    write_meta(two, ["id10006", "id10270"], separator=",")
    meta = two / "vox1_meta.csv"
    meta.write_bytes(meta.read_text().replace("\n", ending).encode())
    assert list(utterances(two)) == expected


def test_the_known_editions():
    parts = ["train"] * 138_361 + ["dev"] * 6_904 + ["test"] * 8_251
    assert len(parts) == 153_516 == 148_642 + 4_874
    assert VOXCELEB1.edition(parts) == "published"
    assert VOXCELEB1.difference(parts[1:]) == "train 138,360 instead of 138,361"
    for count, edition in (
        (153_516, "without its identification split"),
        (148_642, "development set of the verification task"),
        (4_874, "test set of the verification task"),
    ):
        assert VOXCELEB1.edition([None] * count) == edition
    assert VOXCELEB1.difference([None] * 153_515) == "no label 153,515 instead of 153,516"
    assert VOXCELEB1.edition([*parts[1:], None]) is None


def test_the_test_set_alone_is_an_edition(tmp_path: Path):
    """All 4,874 recordings, and one less."""
    wav, people = tiny_wav(), sorted(TESTED)
    for index, person in enumerate(people):
        place = tmp_path / "wav" / person / VIDEOS[0]
        place.mkdir(parents=True)
        for number in range(1, 4_874 // 40 + (index < 4_874 % 40) + 1):
            (place / f"{number:05d}.wav").write_bytes(wav)
    write_meta(tmp_path)
    corpus = prepare(VOXCELEB1, tmp_path).corpus
    assert (len(corpus), corpus.table["speaker"].nunique(), "split" in corpus.table) == (4_874, 40, False)
    (tmp_path / "wav" / people[0] / VIDEOS[0] / "00001.wav").unlink()
    with pytest.raises(InputError, match=r"no label 4,873 instead of 4,874; complete the folder, or .* --partial"):
        prepare(VOXCELEB1, tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "flaw"),
    [
        ("vox1_meta.csv", None, "vox1_meta.csv: it does not lie above the recordings, so that no gender, nationality"),
        (
            "vox1_meta.csv",
            "ID\tName\tGender\tNationality\tSet\nid10270\tN\tf\tUSA\ttest\n",
            "vox1_meta.csv: speaker id1",
        ),
        ("vox1_meta.csv", "", "vox1_meta.csv: speaker id10006 is not in it with a gender, m or f, and a set"),
        ("iden_split.txt", "4 id10006/x/1.wav\n", "iden_split.txt: the recording wav/id10006/-_dEO4a1zcI/00001.wav is"),
        (f"wav/id10006/{VIDEOS[0]}/00001.wav", None, f"iden_split.txt: id10006/{VIDEOS[0]}/00001 is in it, but there"),
    ],
)
def test_what_is_not_as_published_is_a_flaw(two: Path, file: str, content: str | None, flaw: str):
    path = two / file
    path.unlink() if content is None else path.write_text(content)
    assert flaws(two)[0].startswith(flaw)
    found = prepare(VOXCELEB1, two, partial=True)
    assert len(found.corpus) == (5 if file.endswith(".wav") else 6)
    with pytest.raises(InputError) as problem:
        prepare(VOXCELEB1, two)
    assert f"{flaw.partition(':')[0]}: " in str(problem.value)
    assert f"({len(found.corpus)} utterances found; " in str(problem.value)


def test_another_sample_rate_is_named(two: Path):
    (two / "wav" / "id10006" / VIDEOS[1] / "00001.wav").write_bytes(tiny_wav(8_000))
    assert [str(flaw) for flaw in prepare(VOXCELEB1, two, partial=True).flaws] == [
        f"wav/id10006/{VIDEOS[1]}/00001.wav: its sample rate is 8,000 Hz instead of 16,000 Hz"
    ]


def test_the_same_recordings_twice_are_refused(two: Path):
    write_recordings(two / "dev", ["id10006"])
    with pytest.raises(InputError, match=r"id10006/.* is there twice"):
        prepare(VOXCELEB1, two, partial=True)
