"""given-split and given-folds: what is written in a column of the manifest."""

import numpy as np
import pandas as pd
import pytest

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols import get_protocol


def corpus_of(**columns):
    table = pd.DataFrame({name: list(values) for name, values in columns.items()})
    table = table.assign(audio=[f"{row}.wav" for row in range(len(table))])
    emotions = {} if "emotion" in table else {"emotion": ["sad", "angry"] * (len(table) // 2)}
    return Corpus.from_table(table.assign(**emotions), ".", "m.csv")


def test_a_split_is_taken_as_written():
    corpus = corpus_of(
        speaker="aabbccdd", split=["train", "Train", "validation", "dev", "valid", "test", None, " test "]
    )
    protocol = get_protocol("given-split")
    assert protocol.apart == {}
    (fold,) = protocol.folds(corpus)
    assert fold.name == "split"
    assert (fold.train.tolist(), fold.dev.tolist(), fold.test.tolist()) == ([0, 1], [2, 3, 4], [5, 7])


def test_any_column_can_hold_the_split_and_there_need_be_no_dev():
    corpus = corpus_of(**{"speaker": "aabb", "part:1": ["train", "train", "test", "test"]})
    (fold,) = get_protocol("given-split:part:1").folds(corpus)
    assert (fold.name, fold.train.tolist(), fold.dev.tolist(), fold.test.tolist()) == ("part:1", [0, 1], [], [2, 3])


def test_a_split_of_a_corpus_without_emotions_needs_speakers_only():
    corpus = corpus_of(speaker=["a", "b", "a", None], emotion=[None] * 4, split=["train", "train", "test", "test"])
    (fold,) = get_protocol("given-split").folds(corpus)
    assert (fold.train.tolist(), fold.test.tolist()) == ([0, 1], [2])


@pytest.mark.parametrize(
    ("column", "dtype"), [(["1", "10", "2", "2", None, "1"], "object"), ([1, 10, 2, 2, np.nan, 1], "float64")]
)
def test_given_folds_are_tested_once_in_the_order_of_their_numbers(column, dtype):
    corpus = corpus_of(speaker="abcabc", fold=pd.Series(column, dtype=dtype))
    folds = get_protocol("given-folds").folds(corpus)
    assert [fold.name for fold in folds] == ["1", "2", "10"]
    assert [fold.test.tolist() for fold in folds] == [[0, 5], [2, 3], [1]]
    assert [fold.dev.tolist() for fold in folds] == [[2, 3], [1], [0, 5]]
    assert [fold.train.tolist() for fold in folds] == [[1], [0, 5], [2, 3]]


def test_a_session_at_a_time():
    corpus = corpus_of(speaker="abcabc", session="xyzxyz")
    folds = get_protocol("given-folds:session").folds(corpus)
    assert [fold.test.tolist() for fold in folds] == [[0, 3], [1, 4], [2, 5]]


@pytest.mark.parametrize(
    ("protocol", "values", "sentence"),
    [
        (
            "given-split",
            ["train", "tset", "test", "dev"],
            'm.csv: given-split:split: there is no part "tset" (column "split"); did you mean "test"?',
        ),
        (
            "given-split",
            ["train", "train", "dev", "dev"],
            'm.csv: given-split:split: no utterance with an emotion and a speaker is in test (column "split")',
        ),
        ("given-split", [None, "", " ", ""], "no utterance with an emotion and a speaker has a value in the column"),
        ("given-split:splits", ["train"] * 4, 'm.csv: the column "splits" is missing; did you mean "split"?'),
        (
            "given-folds:split",
            ["1", "2", "1", "2"],
            "needs from 3 to 1,000 folds (one to test, one to select by, the rest to train), and the column "
            '"split" has 2 values',
        ),
    ],
)
def test_a_column_that_does_not_fit_gets_one_sentence(protocol, values, sentence):
    with pytest.raises(InputError) as problem:
        get_protocol(protocol).folds(corpus_of(speaker="abcd", split=values))
    assert sentence in str(problem.value)


def test_a_name_for_each_utterance_is_no_column_of_folds():
    count = 1200
    corpus = corpus_of(speaker=["a", "b"] * (count // 2), emotion=["sad", "angry"] * (count // 2))
    with pytest.raises(InputError, match='the column "id" has 1,200 values'):
        get_protocol("given-folds:id").folds(corpus)
