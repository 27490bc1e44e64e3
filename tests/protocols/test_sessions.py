"""Protocols that cut by session: session-pairs, session-folds, dev-session."""

import numpy as np
import pandas as pd
import pytest

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols import get_protocol


def corpus_of_sessions(sessions, utterances=10, **columns):
    """A woman (``x-f``) and a man (``x-m``) in each session, in mixed order."""
    people = [(session, gender) for session in sessions for gender in ("female", "male")]
    table = pd.DataFrame(people * utterances, columns=["session", "gender"])
    table["speaker"] = table["session"] + "-" + table["gender"].str[0]
    table["emotion"] = np.where(np.arange(len(table)) % 3 == 0, "sad", "angry")
    table["audio"] = [f"{row}.wav" for row in range(len(table))]
    return Corpus.from_table(table.assign(**columns), ".", "m.csv")


def changed(corpus, row, **values):
    table = corpus.table.copy()
    for column, value in values.items():
        table.loc[row, column] = value
    return Corpus.from_table(table, ".", "m.csv")


def speakers(corpus, rows):
    return sorted(corpus.table["speaker"].iloc[rows].unique())


@pytest.mark.parametrize(("test", "tested", "dev"), [("", "m", "f"), (":male", "m", "f"), (":female", "f", "m")])
def test_session_pairs_test_one_and_select_by_the_other(test, tested, dev):
    corpus = corpus_of_sessions(["a", "b", "c"])
    folds = get_protocol(f"session-pairs{test}").folds(corpus)
    assert [fold.name for fold in folds] == ["a", "b", "c"]
    assert [speakers(corpus, fold.test) for fold in folds] == [[f"{name}-{tested}"] for name in "abc"]
    assert [speakers(corpus, fold.dev) for fold in folds] == [[f"{name}-{dev}"] for name in "abc"]
    assert speakers(corpus, folds[1].train) == ["a-f", "a-m", "c-f", "c-m"]


def test_session_pairs_both_tests_everyone_and_needs_no_gender():
    corpus = corpus_of_sessions(["a", "b"])
    corpus = Corpus.from_table(corpus.table.drop(columns="gender"), ".")
    folds = get_protocol("session-pairs:both").folds(corpus)
    assert [fold.name for fold in folds] == ["a, a-f", "a, a-m", "b, b-f", "b, b-m"]
    assert [speakers(corpus, fold.test) for fold in folds] == [["a-f"], ["a-m"], ["b-f"], ["b-m"]]
    assert [speakers(corpus, fold.dev) for fold in folds] == [["a-m"], ["a-f"], ["b-m"], ["b-f"]]


def test_utterances_without_a_session_take_no_part():
    corpus = changed(corpus_of_sessions(["a", "b"]), 0, session=None)
    folds = get_protocol("session-pairs").folds(corpus)
    assert all(0 not in [*fold.train, *fold.dev, *fold.test] for fold in folds)
    assert sum(fold.test.size + fold.dev.size for fold in folds) == len(corpus) - 1


def test_session_folds_draw_dev_from_all_training_speakers():
    corpus = corpus_of_sessions(["a", "b", "c"])
    folds = get_protocol("session-folds").folds(corpus)
    assert [(fold.train.size, fold.dev.size, fold.test.size) for fold in folds] == [(32, 8, 20)] * 3
    assert [speakers(corpus, fold.test) for fold in folds] == [[f"{name}-f", f"{name}-m"] for name in "abc"]
    assert set(speakers(corpus, folds[0].dev)) & set(speakers(corpus, folds[0].train))
    other = get_protocol("session-folds").folds(corpus, seed=1)
    assert folds[0].test.tolist() == other[0].test.tolist()
    assert folds[0].dev.tolist() != other[0].dev.tolist()


@pytest.mark.parametrize("protocol", ["dev-session", "dev-session:3", "dev-session:of_3"])
def test_the_dev_session_is_named_in_full_by_its_ending_or_is_the_last(protocol):
    corpus = corpus_of_sessions(["of_1", "of_2", "of_3"])
    folds = get_protocol(protocol).folds(corpus)
    assert [fold.name for fold in folds] == ["of_1-f", "of_1-m", "of_2-f", "of_2-m"]
    assert all(speakers(corpus, fold.dev) == ["of_3-f", "of_3-m"] for fold in folds)
    assert speakers(corpus, folds[0].train) == ["of_1-m", "of_2-f", "of_2-m"]


@pytest.mark.parametrize(
    ("protocol", "corpus", "sentence"),
    [
        (
            "session-folds",
            changed(corpus_of_sessions(["a", "b"]), 0, session="b"),
            'm.csv: session-folds:0.2 needs every speaker in one session only, and "a-f" is in "b" and "a"; name '
            "sessions by who is in them, or take speaker-folds:5",
        ),
        (
            "session-folds",
            Corpus.from_table(corpus_of_sessions(["a"]).table.drop(columns="session"), ".", "m.csv"),
            'm.csv: session-folds:0.2 cuts by the column "session", which is missing; fill it in, or take another '
            "protocol (`unheard protocols` lists them)",
        ),
        ("dev-session", corpus_of_sessions(["a"]), "m.csv: dev-session needs at least 2 sessions, and all utterances"),
        ("dev-session:4", corpus_of_sessions(["1", "2"]), 'there is no session "4"; it is one of 1, 2'),
        (
            "dev-session:1",
            corpus_of_sessions(["a_1", "b_1"]),
            'the sessions a_1 and b_1 both end in "1"; write one in full',
        ),
        (
            "dev-session",
            corpus_of_sessions(["a", "b"]).take([0, 4, 1 + 1, 3]),
            'm.csv: dev-session needs at least 2 speakers outside the dev session "b", and there is 1',
        ),
        (
            "session-pairs",
            changed(corpus_of_sessions(["a", "b"]), 0, speaker="x"),
            'm.csv: session-pairs:male needs two speakers in every session, and "a" has 3; take session-folds',
        ),
        (
            "session-pairs",
            changed(corpus_of_sessions(["a", "b"]), slice(None), gender="male"),
            'needs a woman and a man in every session, and "a" has not one of each; write session-pairs:both',
        ),
        (
            "session-pairs:female",
            Corpus.from_table(corpus_of_sessions(["a", "b"]).table.drop(columns="gender"), ".", "m.csv"),
            'm.csv: session-pairs:female cuts by the column "gender", which is missing',
        ),
        (
            "session-pairs",
            changed(corpus_of_sessions(["a", "b"]), 0, gender="male"),
            'm.csv: the speaker "a-f" is female in some rows and male in others; correct the column gender',
        ),
    ],
)
def test_a_corpus_that_does_not_fit_gets_one_sentence(protocol, corpus, sentence):
    with pytest.raises(InputError) as problem:
        get_protocol(protocol).folds(corpus)
    assert sentence in str(problem.value)
