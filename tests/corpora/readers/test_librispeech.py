"""LibriSpeech from trees in its published layout: whole subsets, its list of speakers, and what goes wrong."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from unheard.corpora import Corpus
from unheard.corpora.published import Flaw, prepare
from unheard.corpora.readers.librispeech import LIBRISPEECH, utterances
from unheard.errors import InputError

#: Women and men of each subset, table 1 of the publication.
SPEAKERS = {
    "train-clean-100": (125, 126), "train-clean-360": (439, 482), "train-other-500": (564, 602),
    "dev-clean": (20, 20), "dev-other": (16, 17), "test-clean": (20, 20), "test-other": (17, 16),
}  # fmt: skip
HEADER = "; Some pipe(|) separated metadata\n;\n;ID  |SEX| SUBSET           |MINUTES| NAME\n"


def tiny_flac(rate: int = 16_000) -> bytes:
    sound = io.BytesIO()
    soundfile.write(sound, np.zeros(160, dtype=np.int16), rate, format="FLAC")
    return sound.getvalue()


FLAC = tiny_flac()


def write_subset(top: Path, subset: str, first: int, audio: bytes = FLAC) -> None:
    """One subset with its published numbers of speakers and utterances, two chapters each, and its speakers' rows."""
    women, men = SPEAKERS[subset]
    count, speakers = LIBRISPEECH.editions["published"][subset], women + men
    rows = []
    for index in range(speakers):
        speaker, sex = first + index, "F" if index < women else "M"
        rows.append(f"{speaker:<4} | {sex} | {subset:<16} | 25.03 | A Name{' | with a bar' * (index % 3)}\n")
        mine = count // speakers + (index < count % speakers)
        for chapter, size in ((1240, mine // 2), (211, mine - mine // 2)):
            place = top / subset / str(speaker) / str(chapter)
            place.mkdir(parents=True)
            names = [f"{speaker}-{chapter}-{number:04d}" for number in range(size)]
            for name in names:
                (place / f"{name}.flac").write_bytes(audio)
            lines = "".join(f"{name} CHAPTER ONE\n" for name in names)
            (place / f"{speaker}-{chapter}.trans.txt").write_text(lines)
    with (top / "SPEAKERS.TXT").open("a") as file:
        file.writelines([*([] if file.tell() else [HEADER]), *rows])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder above ``LibriSpeech``, which holds two whole subsets; to be read only."""
    folder = tmp_path_factory.mktemp("whole")
    write_subset(folder / "LibriSpeech", "test-other", 1000)
    write_subset(folder / "LibriSpeech", "dev-clean", 14)
    return folder


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """``LibriSpeech`` with one chapter of two utterances, of the woman 103."""
    place = tmp_path / "LibriSpeech" / "train-clean-100" / "103" / "1240"
    place.mkdir(parents=True)
    for name in ("103-1240-0000", "103-1240-0001"):
        (place / f"{name}.flac").write_bytes(FLAC)
    (place / "103-1240.trans.txt").write_text("103-1240-0000 CHAPTER ONE\n103-1240-0001 MISSUS RACHEL LYNDE\n")
    listed = HEADER + "1034 | M | train-clean-100 | 25.1 | Other\n103  | F | train-clean-100  | 25.03 | A | B\n"
    (tmp_path / "LibriSpeech" / "SPEAKERS.TXT").write_text(listed)
    return tmp_path / "LibriSpeech"


def flaws(folder: Path) -> list[str]:
    return [str(found) for found in utterances(folder) if isinstance(found, Flaw)]


def test_whole_subsets_are_found_wherever_one_points(whole: Path):
    start = time.perf_counter()
    rows = list(utterances(whole / "LibriSpeech"))
    assert time.perf_counter() - start < 3  # 5,642 utterances; about 0.1 s on a free machine
    table = pd.DataFrame(rows)
    assert Counter(table["subset"]) == {"test-other": 2_939, "dev-clean": 2_703}
    people = table.drop_duplicates("speaker").groupby("subset")["gender"].value_counts()
    assert people.to_dict() == {
        (subset, gender): count
        for subset in ("test-other", "dev-clean")
        for gender, count in zip(("female", "male"), SPEAKERS[subset], strict=True)
    }
    assert table["id"].is_unique
    assert table.notna().all(axis=None)

    columns = ["id", "speaker", "gender", "subset", "chapter", "text"]
    above = pd.DataFrame(utterances(whole))
    assert above[columns].equals(table[columns])
    assert above["audio"].tolist() == ("LibriSpeech/" + table["audio"]).tolist()
    below = pd.DataFrame(utterances(whole / "LibriSpeech" / "dev-clean"))
    assert below[columns].equals(table.loc[table["subset"] == "dev-clean", columns].reset_index(drop=True))


def test_one_whole_subset_is_enough_and_one_utterance_less_is_not(whole: Path, tmp_path: Path):
    folder = tmp_path / "LibriSpeech"
    shutil.copytree(whole / "LibriSpeech" / "dev-clean", folder / "dev-clean")
    shutil.copy(whole / "LibriSpeech" / "SPEAKERS.TXT", folder)
    corpus = prepare(LIBRISPEECH, folder).corpus
    assert (len(corpus), corpus.table["speaker"].nunique()) == (2_703, 40)
    assert set(corpus.table) == {
        "id", "audio", "speaker", "gender", "text", "language", "corpus", "duration", "subset", "chapter"
    }  # fmt: skip

    (folder / "dev-clean" / "14" / "1240" / "14-1240-0003.flac").unlink()
    with pytest.raises(InputError) as problem:
        prepare(LIBRISPEECH, folder)
    assert str(problem.value) == (
        f"{folder}, 14-1240.trans.txt: 14-1240-0003 is in it, but there is no recording of it (2,702 utterances found; "
        "dev-clean 2,702 instead of 2,703); complete the folder, or accept it as it is with --partial"
    )
    assert len(prepare(LIBRISPEECH, folder, partial=True).corpus) == 2_702


def test_all_subsets_together_are_the_corpus():
    published = LIBRISPEECH.editions["published"]
    assert sum(published.values()) == 292_367
    assert sum(sum(people) for people in SPEAKERS.values()) == 2_484
    assert set(published) == set(SPEAKERS)
    assert LIBRISPEECH.edition(["dev-other"] * 2_864 + ["test-other"] * 2_939) == "published"
    assert LIBRISPEECH.difference(["dev-other"] * 2_864 + ["intro"]) == "intro 1 instead of 0"


def test_a_row_says_what_is_known(one: Path):
    for name in ("._103-1240-0000.flac", "103-1240.flac", "103_1240_000001_000000.wav"):  # macOS, a chapter, LibriTTS
        (one / "train-clean-100" / "103" / "1240" / name).write_bytes(b"none of it")
    assert next(iter(utterances(one))) == {
        "id": "103-1240-0000",
        "audio": "train-clean-100/103/1240/103-1240-0000.flac",
        "speaker": "librispeech_103",
        "gender": "female",
        "text": "CHAPTER ONE",
        "subset": "train-clean-100",
        "chapter": "1240",
    }
    assert len(list(utterances(one))) == 2


def test_a_single_folder_knows_its_names_from_those_above(one: Path, monkeypatch: pytest.MonkeyPatch):
    whole = [row | {"audio": Path(row["audio"]).name} for row in utterances(one)]
    monkeypatch.chdir(one / "train-clean-100" / "103" / "1240")
    assert list(utterances(Path())) == whole


def test_transcripts_may_be_left_out(one: Path):
    (one / "train-clean-100" / "103" / "1240" / "103-1240.trans.txt").unlink()
    rows = list(utterances(one))
    assert len(rows) == 2
    assert all("text" not in row for row in rows)


@pytest.mark.parametrize(
    ("file", "content", "flaw"),
    [
        ("SPEAKERS.TXT", None, "SPEAKERS.TXT: it does not lie above the recordings, so that no gender is known"),
        ("SPEAKERS.TXT", HEADER, "SPEAKERS.TXT: speaker 103 is not in it with a gender, F or M"),
        ("SPEAKERS.TXT", "103 | X | train-clean-100 | 25 | N\n", "SPEAKERS.TXT: speaker 103 is not in it with a"),
        (
            "train-clean-100/103/1240/103-1240.trans.txt",
            "103-1240-0001 MISSUS RACHEL LYNDE\n",
            "103-1240.trans.txt: the recording train-clean-100/103/1240/103-1240-0000.flac is not in it",
        ),
        (
            "train-clean-100/103/1240/84-121123-0000.flac",
            "",
            "train-clean-100/103/1240/84-121123-0000.flac: it lies in the folder of 103-1240, another speaker or",
        ),
    ],
)
def test_what_is_not_as_published_is_one_flaw(one: Path, file: str, content: str | None, flaw: str):
    path = one / file
    path.unlink() if content is None else path.write_text(content)
    found = flaws(one)
    assert len(found) == 1
    assert found[0].startswith(flaw)
    kept = prepare(LIBRISPEECH, one, partial=True).corpus.table
    assert kept["id"].tolist() == ["103-1240-0000", "103-1240-0001"]
    with pytest.raises(InputError, match=r"\(2 utterances found; train-clean-100 2 instead of 28,539\); complete"):
        prepare(LIBRISPEECH, one)


def test_another_sample_rate_and_an_unreadable_file_are_named(one: Path):
    place = one / "train-clean-100" / "103" / "1240"
    (place / "103-1240-0000.flac").write_bytes(tiny_flac(22_050))
    (place / "103-1240-0001.flac").write_bytes(b"not audio")
    found = prepare(LIBRISPEECH, one, partial=True)
    assert [str(flaw).rpartition("/")[2] for flaw in found.flaws] == [
        "103-1240-0000.flac: its sample rate is 22,050 Hz instead of 16,000 Hz",
        "103-1240-0001.flac: this is no readable audio file",
    ]
    assert len(found.corpus) == 1


@pytest.mark.skipif("UNHEARD_CORPORA" not in os.environ, reason="UNHEARD_CORPORA is not set")
def test_the_real_excerpt_put_into_the_published_layout(tmp_path: Path):
    folder = Path(os.environ["UNHEARD_CORPORA"]) / "librispeech_excerpt"
    if not folder.is_dir():
        pytest.skip("there is no librispeech_excerpt in UNHEARD_CORPORA")
    excerpt = Corpus.read(folder).table.set_index("id").sort_index()
    lines = set()
    for name, row in excerpt.iterrows():
        (_, _, subset), (speaker, chapter, _) = Path(row["audio"]).parent.name.partition("_"), str(name).split("-")
        place = tmp_path / subset / speaker / chapter
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / row["audio"], place)
        lines.add(f"{speaker} | {row['gender'][0].upper()} | {subset} | 25.0 | Name\n")
    (tmp_path / "SPEAKERS.TXT").write_text(HEADER + "".join(sorted(lines)))

    table = prepare(LIBRISPEECH, tmp_path, partial=True).corpus.table.set_index("id").sort_index()
    assert table["gender"].tolist() == excerpt["gender"].tolist()
    assert table["speaker"].str.partition("_")[2].tolist() == excerpt["speaker"].str.partition("_")[2].tolist()
    np.testing.assert_allclose(table["duration"], excerpt["duration"], atol=6e-4)
    people = table[table["subset"] == "train-clean-100"].drop_duplicates("speaker")["gender"].value_counts()
    assert people[["female", "male"]].tolist() == list(SPEAKERS["train-clean-100"])  # all of them, as published
