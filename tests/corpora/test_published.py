import os
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from unheard.corpora import CORPORA, Corpus
from unheard.corpora.published import Published, prepare
from unheard.errors import InputError


def published_corpora() -> list[Path]:
    """Every corpus at hand for which there is a reader."""
    root = os.environ.get("UNHEARD_CORPORA")
    return sorted(folder for folder in Path(root).iterdir() if folder.name in CORPORA) if root else []


def record(*paths: Path, seconds: float = 0.5) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.zeros(int(seconds * 16000), dtype=np.float32), 16000)


def ravdess_tree(folder: Path) -> list[Path]:
    """The names of the whole published corpus (1,440 files), each a few samples long."""
    names = [
        f"03-01-{emotion:02d}-{intensity:02d}-{statement:02d}-{repetition:02d}-{actor:02d}"
        for actor in range(1, 25)
        for emotion in range(1, 9)
        for intensity in ((1,) if emotion == 1 else (1, 2))
        for statement in (1, 2)
        for repetition in (1, 2)
    ]
    files = [folder / f"Actor_{name[-2:]}" / f"{name}.wav" for name in names]
    record(*files, seconds=0.01)
    return files


@pytest.mark.skipif("UNHEARD_CORPORA" not in os.environ, reason="UNHEARD_CORPORA is not set")
@pytest.mark.parametrize("folder", published_corpora(), ids=lambda folder: folder.name)
def test_a_published_folder_gives_what_its_manifest_says(folder: Path):
    start = time.perf_counter()
    corpus = prepare(CORPORA[folder.name], folder / "audio").corpus
    assert time.perf_counter() - start < 10  # headers only; well below 2 s on a free machine

    manifest = Corpus.read(folder).table.set_index("id").sort_index()
    read = corpus.table.set_index("id").sort_index()
    columns = ["speaker", "gender", "emotion", "language", "corpus"]
    pd.testing.assert_frame_equal(read[columns], manifest[columns])
    np.testing.assert_allclose(read["duration"], manifest["duration"], atol=6e-4)
    assert all((folder / "audio" / audio).is_file() for audio in read["audio"])
    assert CORPORA[folder.name].edition(corpus.table["emotion"]) is not None


@pytest.mark.parametrize("name", list(CORPORA))
def test_every_reader_states_what_it_is(name: str):
    published = CORPORA[name]
    assert isinstance(published, Published)
    assert published.name == name
    stated = (published.title, published.language, published.licence, published.citation, published.layout)
    assert all(stated)


def test_the_published_ravdess_and_the_one_without_its_duplicate(tmp_path: Path):
    files = ravdess_tree(tmp_path)
    whole = prepare(CORPORA["ravdess"], tmp_path).corpus
    assert Counter(whole.table["emotion"]) == CORPORA["ravdess"].editions["published"]
    assert (len(whole), whole.table["text"].nunique(), whole.table["speaker"].nunique()) == (1440, 2, 24)
    assert Counter(whole.table["intensity"]) == {"normal": 768, "strong": 672}

    (tmp_path / "Actor_07" / "03-01-03-01-02-02-07.wav").unlink()
    assert len(prepare(CORPORA["ravdess"], tmp_path).corpus) == 1439

    files[0].unlink()
    with pytest.raises(InputError, match=r"neutral 95 instead of 96; .*--partial"):
        prepare(CORPORA["ravdess"], tmp_path)


def test_songs_videos_hidden_and_foreign_files_are_passed_over(tmp_path: Path):
    record(tmp_path / "a" / "03-01-05-02-02-01-12.wav")
    record(tmp_path / "a" / "03-02-05-02-02-01-12.wav", tmp_path / "a" / "01-01-05-02-02-01-12.wav")
    record(tmp_path / "noise.wav")
    for name in ("._03-01-05-02-02-01-12.wav", "03-01-05-02-02-01-12.txt"):
        (tmp_path / "a" / name).write_bytes(b"not audio")
    table = prepare(CORPORA["ravdess"], tmp_path, partial=True).corpus.table
    assert table.to_dict("records") == [
        {
            "id": "03-01-05-02-02-01-12",
            "audio": "a/03-01-05-02-02-01-12.wav",
            "speaker": "ravdess_12",
            "gender": "female",
            "emotion": "angry",
            "style": "scripted",
            "text": "Dogs are sitting by the door",
            "language": "en",
            "corpus": "ravdess",
            "duration": 0.5,
            "intensity": "strong",
        }
    ]


@pytest.mark.parametrize(
    ("corpus", "name", "expected"),
    [
        ("emodb", "wav/16b10Tb.WAV", ("emodb_16", "female", "sad", "b10")),
        ("emodb", "15a04La.flac", ("emodb_15", "male", "boredom", "a04")),
        ("urdu", "Sad/SF10_F1_S1.wav", ("urdu_SF10", "female", "sad", None)),
        ("urdu", "Happy/SM7_F2_H002.wav", ("urdu_SM7", "male", "happy", None)),
    ],
)
def test_names_are_decoded(tmp_path: Path, corpus: str, name: str, expected: tuple[str | None, ...]):
    record(tmp_path / name)
    row = prepare(CORPORA[corpus], tmp_path, partial=True).corpus.table.iloc[0]
    assert (row["speaker"], row["gender"], row["emotion"], row.get("text")) == expected
    assert row["audio"] == name


@pytest.mark.parametrize(
    ("corpus", "name", "problem"),
    [
        ("emodb", "wav/04a01Fa.wav", 'wav/04a01Fa.wav: "04" in the name is no speaker'),
        ("emodb", "wav/03a01Xa.wav", '"X" in the name is no emotion of this corpus \\(W, L,'),
        ("ravdess", "03-01-09-01-01-01-01.wav", '"09" in the name is no emotion'),
        ("ravdess", "03-01-01-01-01-01-25.wav", '"25" in the name is no actor'),
        ("urdu", "Angry/SX1_F1_A1.wav", '"X" in the name is no gender'),
        ("urdu", "Angry/SM1_F1_F1.wav", '"F" in the name is no emotion'),
    ],
)
def test_a_wrong_code_in_a_name_is_one_sentence(tmp_path: Path, corpus: str, name: str, problem: str):
    record(tmp_path / name)
    with pytest.raises(InputError, match=problem):
        prepare(CORPORA[corpus], tmp_path, partial=True)


def test_an_absent_class_is_named_with_both_counts(tmp_path: Path):
    record(*(tmp_path / "Angry" / f"SM1_F{i}_A{i}.wav" for i in range(100)), seconds=0.01)
    record(*(tmp_path / "Sad" / f"SM1_F{i}_S{i}.wav" for i in range(101)), seconds=0.01)
    with pytest.raises(
        InputError, match=r"happy 0 instead of 100, neutral 0 instead of 100, sad 101 instead of 100; .*--partial"
    ):
        prepare(CORPORA["urdu"], tmp_path)
    assert len(prepare(CORPORA["urdu"], tmp_path, partial=True).corpus) == 201


@pytest.mark.parametrize("name", list(CORPORA))
def test_a_wrong_folder_says_what_was_expected(tmp_path: Path, name: str):
    with pytest.raises(InputError, match=r"it must hold|point at the folder"):
        prepare(CORPORA[name], tmp_path, partial=True)
    with pytest.raises(InputError, match=r"there is no such folder"):
        prepare(CORPORA[name], tmp_path / "nowhere")


def test_a_second_copy_of_the_corpus_is_refused(tmp_path: Path):
    record(tmp_path / "Actor_01" / "03-01-01-01-01-01-01.wav")
    record(tmp_path / "again" / "Actor_01" / "03-01-01-01-01-01-01.wav")
    with pytest.raises(InputError, match=r"03-01-01-01-01-01-01 is there twice, as .*one copy"):
        prepare(CORPORA["ravdess"], tmp_path, partial=True)


def test_an_unreadable_header_names_the_file(tmp_path: Path):
    (tmp_path / "03a01Fa.wav").write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(InputError, match=r"03a01Fa\.wav: this is no readable audio file .*angry 0 instead of 127"):
        prepare(CORPORA["emodb"], tmp_path)
    with pytest.raises(InputError, match="no recording of EmoDB in it can be read"):
        prepare(CORPORA["emodb"], tmp_path, partial=True)
