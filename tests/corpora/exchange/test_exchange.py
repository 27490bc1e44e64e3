"""Formats by name: what is recognized, what is refused, and that an export is there whole or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from unheard.corpora import Corpus
from unheard.corpora.exchange import FORMATS, export_corpus, import_corpus
from unheard.errors import InputError

WRITTEN = [name for name in FORMATS if FORMATS[name].write]


def test_formats_call_themselves_by_their_names() -> None:
    assert [FORMATS[name].name for name in FORMATS] == list(FORMATS)


@pytest.mark.parametrize("copy_audio", [False, True])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_corpus_with_recordings(name: str, copy_audio: bool, tiny_corpus: Corpus, tmp_path: Path) -> None:
    export_corpus(tiny_corpus, tmp_path / "out", name, copy_audio=copy_audio)
    assert [one.name for one in map(FORMATS.__getitem__, FORMATS) if one.recognizes(tmp_path / "out")] == [name]
    back = import_corpus(tmp_path / "out").corpus
    inside = copy_audio or name == "audio-folder"
    for row in range(len(back)):
        path = back.audio_path(row)
        assert path.is_file()
        assert path.absolute().is_relative_to(tmp_path) == inside
    merged = tiny_corpus.table.merge(back.table, on=["id", "speaker", "gender", "emotion"])
    assert len(merged) == len(tiny_corpus) == len(back)


@pytest.mark.parametrize("name", WRITTEN)
def test_files_are_replaced_with_force_only(name: str, tiny_corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=re.escape(f"{tmp_path}: the folder is not empty")):
        export_corpus(tiny_corpus, tmp_path, name)
    export_corpus(tiny_corpus, tmp_path, name, force=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert len(import_corpus(tmp_path, name).corpus) == len(tiny_corpus)


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    corpus = Corpus.from_table(pd.DataFrame({"audio": ["gone.wav"]}), tmp_path / "corpus", "mine.csv")
    for name in ("audio-folder", "lhotse"):
        with pytest.raises(InputError, match=r'mine.csv: the recording "gone.wav"'):
            export_corpus(corpus, tmp_path / "out", name)
    assert list(tmp_path.iterdir()) == []


def test_formats_that_are_only_read(tiny_corpus: Corpus, tmp_path: Path) -> None:
    for name in FORMATS:
        if name not in WRITTEN:
            with pytest.raises(InputError, match="only read; corpora are written as audformat, emobox"):
                export_corpus(tiny_corpus, tmp_path / "out", name)
    with pytest.raises(InputError, match='did you mean "kaldi"'):
        export_corpus(tiny_corpus, tmp_path / "out", "kaldy")


def test_a_file_in_the_way(tiny_corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="this is a file"):
        export_corpus(tiny_corpus, tmp_path / "out", "kaldi")


def test_what_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file or folder"):
        import_corpus(tmp_path / "none")
    (tmp_path / "notes.txt").write_text("hello")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(InputError, match="no format known here"):
            import_corpus(path)


def test_copies_of_recordings_outside_the_corpus(tiny_corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    moved = tiny_corpus.moved_to(tmp_path / "elsewhere")
    assert moved.table["audio"].str.startswith("..").all()
    export_corpus(moved, tmp_path / "out", "emobox", copy_audio=True)
    back = import_corpus(tmp_path / "out").corpus
    assert back.with_digests().table.groupby("id")["digest"].first().tolist() == (
        tiny_corpus.with_digests().table.groupby("id")["digest"].first().tolist()
    )
    assert all(Path(name).parts[0] == "audio" for name in back.table["audio"])


#: For each format a broken file, and what is said of it.
BROKEN = {
    "emobox": ("x.jsonl", '{"key": "a", "wav": "a"}\n{"k', "line 2: this is no JSON object"),
    "kaldi": ("wav.scp", "a cat x |\n", 'the command of "a" names no recording'),
    "speechbrain": ("train.json", '{"a": {"wav": "a.wav"', "this is no JSON"),
    "lhotse": ("supervisions.jsonl", '{"id": "a"}\n', "needs an id, a recording_id"),
    "audio-folder": ("metadata.csv", "a,b\n1,2\n", 'column "file_name" is missing'),
    "splits-csv": ("train.csv", "path,emotion\na.wav,sad,1\n", "more values than the header"),
    "audformat": ("db.yaml", "tables: 3\nschemes: 4\n", "no audformat header"),
}


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_broken_file_gets_one_sentence(name: str, tmp_path: Path) -> None:
    file, text, sentence = BROKEN[name]
    (tmp_path / file).write_text(text)
    assert FORMATS[name].recognizes(tmp_path)
    with pytest.raises(InputError, match=sentence) as error:
        import_corpus(tmp_path)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("name", list(FORMATS))
def test_an_empty_folder_gets_one_sentence(name: str, tmp_path: Path) -> None:
    assert not FORMATS[name].recognizes(tmp_path)
    with pytest.raises(InputError, match=re.escape(str(tmp_path))):
        import_corpus(tmp_path, name)


@pytest.mark.parametrize("name", list(FORMATS))
def test_bytes_that_mean_nothing_get_one_sentence(name: str, tmp_path: Path) -> None:
    for file in (
        "db.yaml",
        "x.jsonl",
        "train.json",
        "train.csv",
        "metadata.parquet",
        "wav.scp",
        "supervisions.jsonl.gz",
    ):
        (tmp_path / file).write_bytes(b"\x1f\x8b\xff\x00\xfe")
        FORMATS[name].recognizes(tmp_path / file)
    FORMATS[name].recognizes(tmp_path)
    with pytest.raises(InputError):
        import_corpus(tmp_path, name)
