"""Plain CSV files with splits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unheard.corpora import Corpus
from unheard.corpora.exchange import import_corpus
from unheard.errors import InputError


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("column", ["split", "Set", "partition", "Split_Set"])
def test_a_column_of_parts(column: str, delimiter: str, tmp_path: Path) -> None:
    rows = [
        ",FileName,EmoClass,SpkrID," + column,
        "0,a.wav,hap,1,Train",
        "1,b.wav,neu,2,Validation",
        "2,c.wav,,1,Test1",
        "3,d.wav,ang,,",
    ]
    found = import_corpus(write(tmp_path / "labels.csv", "\n".join(rows).replace(",", delimiter)))
    assert found.folds == {"given": {"train": ("a.wav",), "dev": ("b.wav",), "test": ("c.wav",)}}
    assert found.corpus.table["emotion"].fillna("-").tolist() == ["happy", "neutral", "-", "angry"]
    assert found.corpus.table["speaker"].fillna("-").tolist() == ["1", "2", "1", "-"]
    assert set(found.corpus.table) == {"id", "audio", "speaker", "emotion", "label", column}


def test_a_column_of_folds(tmp_path: Path) -> None:
    rows = ["path,fold", "a,1", "b,1", "c,10", "d,10", "e,2", "f,2", "g,"]
    found = import_corpus(write(tmp_path / "folds.csv", "\n".join(rows)))
    assert list(found.folds) == ["1", "2", "10"]
    assert found.folds["2"] == {"train": ("a", "b", "c", "d"), "test": ("e", "f")}


def test_files_of_parts(tmp_path: Path) -> None:
    for part, name in (("train", "a"), ("dev", "b"), ("test", "c")):
        write(tmp_path / f"mine_{part}.csv", f'ID,wav,emo,text\n{name},x/{name}.wav,sad,"one, two\nthree"\n')
    write(tmp_path / "notes.csv", "x\n1\n")
    found = import_corpus(tmp_path)
    assert found.folds == {"given": {"train": ("a",), "dev": ("b",), "test": ("c",)}}
    assert found.corpus.table["text"].tolist() == ["one, two\nthree"] * 3


def test_folders_of_such_files_are_folds(tmp_path: Path) -> None:
    for fold in ("fold1", "fold2"):
        for part in ("train", "test"):
            write(tmp_path / fold / f"{part}.tsv", f"path\temotion\n{fold}{part}\tsad\n")
    assert list(import_corpus(tmp_path).folds) == ["1", "2"]


def test_an_utterance_in_two_parts_and_a_column_for_each_fold(tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", "audio,split:1,split:b\na,train+test,test\nb,test,train+train\n")
    assert import_corpus(file).folds == {
        "1": {"train": ("a",), "test": ("a", "b")},
        "b": {"train": ("b", "b"), "test": ("a",)},
    }


def test_ids_alone(tmp_path: Path) -> None:
    found = import_corpus(write(tmp_path / "x.csv", "utt_id,split\na,train\nb,test\n"), "splits-csv")
    assert found.corpus.table["audio"].tolist() == ["a", "b"]
    assert found.lost == ("no column names the recordings: the ids stand for their paths",)


def test_a_manifest_is_read_as_it_is(tiny_corpus: Corpus) -> None:
    found = import_corpus(tiny_corpus.folder / "manifest.csv")
    assert found.corpus.table.equals(tiny_corpus.table)
    assert (found.folds, found.lost) == ({}, ())
    assert found.corpus.audio_path(0).is_file()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("path,split\na,train\nb,holdout\n", 'x.csv, column "split": "holdout" is no part of a split known here'),
        ("path,set\na,x\nb,y\n", 'the column "set" has neither parts (train, dev, test) nor folds in it but "x"'),
        ("split,emotion\ntrain,sad\n", "no column names the recordings"),
        ("path,split\n", "there is no utterance in it"),
        ("", "the file is empty"),
        ("path,mood,mood\na,b,c\n", 'two columns are called "mood"'),
        (f"path,split\n{'a' * 200_000},train\n", "this is no readable CSV (field larger than field limit"),
    ],
)  # fmt: skip
def test_what_is_wrong_gets_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        import_corpus(write(tmp_path / "x.csv", text), "splits-csv")
