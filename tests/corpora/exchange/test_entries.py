"""From entries to a corpus: each utterance once, folds as the files have them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from unheard.corpora.exchange.entries import Entries, imported, natural, table_of
from unheard.corpora.exchange.imported import Imported
from unheard.errors import InputError


def entries(part: str | None = None, fold: str = "given", **columns: list[object]) -> Entries:
    return Entries(pd.DataFrame(columns), f"{part or 'all'}.csv", part, fold)


def read(*each: Entries) -> Imported:
    return imported(each, Path("corpus"), Path("files"))


def test_an_utterance_in_two_parts_and_twice_in_one_stays_so_in_the_folds() -> None:
    found = read(
        entries("train", id=["a", "b", "a"], wav=["a.wav", "b.wav", "a.wav"], emo=["ang", "sad", "ang"]),
        entries("test", id=["a", "c"], wav=["a.wav", "c.wav"], emo=["ang", "hap"]),
    )
    assert found.folds == {"given": {"train": ("a", "b", "a"), "test": ("a", "c")}}
    assert found.corpus.table["id"].tolist() == ["a", "b", "c"]
    assert found.corpus.table["emotion"].tolist() == ["angry", "sad", "happy"]
    assert found.lost == ()


def test_labels_that_differ_are_told_and_the_first_is_kept() -> None:
    found = read(
        entries("train", wav=["a.wav", "b.wav"], emo=["ang", None], speaker=["s", "s"]),
        entries("test", wav=["./a.wav", "b.wav"], emo=["sad", "sad"], speaker=["s", "s"]),
    )
    assert found.corpus.table["emotion"].tolist() == ["angry", "sad"]
    assert [sentence for sentence in found.lost if sentence.startswith("the emotion")] == [
        'the emotion of 1 utterances differs between entries (first "a.wav": "angry" in train.csv, "sad" in test.csv); '
        "the first is kept"
    ]


def test_a_recording_under_two_ids_is_one_utterance() -> None:
    found = read(entries("train", id=["a"], audio=["x.wav"]), entries("test", id=["b"], audio=["x.wav"]))
    assert found.folds == {"given": {"train": ("a",), "test": ("a",)}}
    assert found.lost == (
        '1 recordings stand there under a second id (first "x.wav", as "a" and "b"); the second id is left out',
    )


def test_an_id_of_two_recordings_is_one_sentence() -> None:
    sentence = (
        'test.csv, "1": this id stands for two recordings, "a.wav" and "b.wav" 1 s 2 s; give each an id of its own'
    )
    with pytest.raises(InputError, match=re.escape(sentence)):
        read(
            entries("train", id=["1"], audio=["a.wav"]), entries("test", id=["1"], audio=["b.wav"], start=[1], end=[2])
        )


def test_an_id_that_only_some_files_give() -> None:
    found = read(entries(id=["a", "b"], audio=["1.wav", "2.wav"]), entries("test", audio=["2.wav"]))
    assert found.folds == {"given": {"test": ("b",)}}


def test_several_test_sets_are_folds_of_their_own() -> None:
    found = read(
        entries("train-clean", audio=["a"]), entries("train-other", audio=["b"]), entries("test1", audio=["c"]),
        entries("test2", audio=["d"]), entries("dev", audio=["e"]),
    )  # fmt: skip
    others = {"train": ("a", "b"), "dev": ("e",)}
    assert found.folds == {"test1": others | {"test": ("c",)}, "test2": others | {"test": ("d",)}}
    found = read(*(entries(part, "1", audio=[part]) for part in ("train", "test", "test1")))
    assert {fold: parts["test"] for fold, parts in found.folds.items()} == {"1": ("test",), "1 test1": ("test1",)}


def test_numbers_for_names_stay_whole() -> None:
    found = read(
        entries("train", audio=["a", "b"], speaker=[3, None], emo=[0, 1]),
        entries("dev", audio=["c"]),
        entries("test", audio=["d"], speaker=["3"], emo=["sad"]),
    )
    assert found.corpus.table["speaker"].fillna("-").tolist() == ["3", "-", "-", "3"]
    assert found.corpus.table["label"].fillna("-").tolist() == ["0", "1", "-", "-"]


def test_training_alone_is_no_split() -> None:
    assert read(entries("train", audio=["a", "b"])).folds == {}


def test_folds_are_in_their_order() -> None:
    found = read(*(entries("test", str(fold), audio=[f"{fold}"]) for fold in (10, 2, 1)))
    assert list(found.folds) == ["1", "2", "10"]
    assert sorted(["f²", "f10", "f9"], key=natural) == ["f9", "f10", "f²"]


def test_values_that_a_table_cannot_hold_become_json() -> None:
    table = table_of([{"a": [1, 2], "b": {"x": "ü"}, "c": 1, "d": "t"}, {"c": 2}])
    assert table.loc[0].tolist() == ["[1, 2]", '{"x": "ü"}', 1, "t"]
    assert table.loc[1].isna().tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"audio": ["a"], "start": ["early"]}, 'all.csv, "a": the start "early" is not a number'),
        ({"audio": ["a"], "valence": ["inf"]}, 'the valence "inf" is not a number'),
        ({"audio": ["a"], "start": [2.0], "end": [1.0]}, 'all.csv, "a": the utterance ends before it starts'),
        ({"audio": ["a", ""]}, "all.csv, entry 2: the utterance has no audio"),
        ({"speaker": ["a"]}, "all.csv: no column names the recordings"),
        ({"audio": []}, "files: there is no utterance in it"),
    ],
)
def test_what_is_wrong_gets_one_sentence(columns: dict[str, list[object]], sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        read(entries(**columns))
