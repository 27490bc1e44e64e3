from pathlib import Path

import pandas as pd
import pytest

from unheard.corpora.corpus import Corpus
from unheard.corpora.joined import join
from unheard.errors import InputError


def make(folder: Path, name: str | None, speakers: list[str], **columns: list[object]) -> Corpus:
    table = pd.DataFrame({"audio": [f"{index}.wav" for index in range(len(speakers))], "speaker": speakers} | columns)
    return Corpus.from_table(table.assign(corpus=name) if name else table, folder, str(folder / "manifest.csv"))


def test_one_corpus_stays_as_it_is(tmp_path: Path):
    corpus = make(tmp_path, "one", ["a"])
    assert join([corpus]) is corpus


def test_audio_is_found_from_the_folder_of_all(tmp_path: Path, make_tiny_corpus):
    for name in ("one", "two"):
        (tmp_path / "deep" / name).mkdir(parents=True)
    corpora = [
        make_tiny_corpus(tmp_path / "deep" / "one", corpus="one"),
        make_tiny_corpus(tmp_path / "deep" / "two", corpus="two"),
    ]
    joined = join(corpora)
    assert joined.folder == tmp_path / "deep"
    assert all(joined.audio_path(row).is_file() for row in range(len(joined)))
    assert len(joined) == len(corpora[0]) + len(corpora[1])
    assert joined.name == "one + two"


def test_one_inside_the_other(tmp_path: Path):
    joined = join([make(tmp_path, "one", ["a"]), make(tmp_path / "inner", "two", ["b"])])
    assert joined.folder == tmp_path
    assert joined.table["audio"].tolist() == ["0.wav", "inner/0.wav"]


def test_relative_folders_stay_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    joined = join([make(Path("one"), "one", ["a"]), make(Path("two"), "two", ["b"])])
    assert not joined.folder.is_absolute()
    assert [joined.audio_path(row).as_posix() for row in range(2)] == ["one/0.wav", "two/0.wav"]


def test_speakers_of_two_corpora_are_different_people(tmp_path: Path):
    table = join([make(tmp_path / "one", "one", ["001", "002"]), make(tmp_path / "two", "two", ["001", "003"])]).table
    assert table["speaker"].tolist() == ["one_001", "002", "two_001", "003"]
    assert table["id"].tolist() == ["one_0.wav", "one_1.wav", "two_0.wav", "two_1.wav"]


def test_a_manifest_without_a_name_takes_its_folders(tmp_path: Path):
    table = join([make(tmp_path / "calls", None, ["001"]), make(tmp_path / "two", "two", ["001"])]).table
    assert table["corpus"].tolist() == ["calls", "two"]
    assert table["speaker"].tolist() == ["calls_001", "two_001"]


def test_missing_speakers_and_columns_of_one_stay_missing(tmp_path: Path):
    one = make(tmp_path / "one", "one", ["001", None], valence=[1.5, 2.0])
    table = join([one, make(tmp_path / "two", "two", ["001", None])]).table
    assert table["speaker"].isna().tolist() == [False, True, False, True]
    assert table["valence"].isna().tolist() == [False, False, True, True]


def test_the_same_corpus_twice(tmp_path: Path):
    halves = [make(tmp_path / "a", "one", ["001"]), make(tmp_path / "b", "one", ["001"])]
    with pytest.raises(InputError, match=r'the utterance "0\.wav" is in two of them; name each corpus once'):
        join(halves)
    halves[1] = make(tmp_path / "b", "one", ["001"], id=["other"])
    assert join(halves).table["speaker"].tolist() == ["001", "001"]
