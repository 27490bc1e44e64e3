import numpy as np
import pandas as pd
import pytest

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols import get_protocol
from unheard.protocols.fold import DEV_TRAIN, PAIRS, TEST_TRAIN


def corpus_of_speakers(count, utterances=4):
    table = pd.DataFrame({"speaker": np.repeat([f"s{index:02d}" for index in range(count)], utterances)})
    table["emotion"] = ["sad", "angry"] * (len(table) // 2)
    return Corpus.from_table(table.assign(audio=[f"{row}.wav" for row in range(len(table))]), folder=".")


def speakers(corpus, rows):
    return sorted(corpus.table["speaker"].iloc[rows].unique())


def test_leave_one_speaker_out_takes_the_next_speaker_as_dev():
    corpus = corpus_of_speakers(4)
    corpus = corpus.take(np.random.default_rng(0).permutation(len(corpus)))
    folds = get_protocol("leave-one-speaker-out").folds(corpus)
    assert [fold.name for fold in folds] == ["s00", "s01", "s02", "s03"]
    assert [speakers(corpus, fold.test) for fold in folds] == [["s00"], ["s01"], ["s02"], ["s03"]]
    assert [speakers(corpus, fold.dev) for fold in folds] == [["s01"], ["s02"], ["s03"], ["s00"]]
    assert speakers(corpus, folds[0].train) == ["s02", "s03"]


def with_sessions(corpus, sessions):
    speaker = corpus.table["speaker"]
    return Corpus.from_table(corpus.table.assign(session=speaker.map(sessions)), ".", "m.csv")


def test_leave_one_speaker_out_with_the_session_partner_as_dev():
    corpus = with_sessions(corpus_of_speakers(5), {"s00": "x", "s03": "x", "s01": "y", "s02": "y", "s04": "y"})
    protocol = get_protocol("leave-one-speaker-out:partner")
    assert protocol.apart == {"speaker": PAIRS, "session": (TEST_TRAIN, DEV_TRAIN)}
    folds = protocol.folds(corpus)
    assert [fold.name for fold in folds] == ["s00", "s01", "s02", "s03", "s04"]
    assert [speakers(corpus, fold.dev) for fold in folds[:2]] == [["s03"], ["s02", "s04"]]
    assert [speakers(corpus, fold.train) for fold in folds[:2]] == [["s01", "s02", "s04"], ["s00", "s03"]]


def test_leave_one_speaker_out_without_dev():
    corpus = corpus_of_speakers(3)
    folds = get_protocol("leave-one-speaker-out:none").folds(corpus)
    assert [fold.dev.size for fold in folds] == [0, 0, 0]
    assert speakers(corpus, folds[1].train) == ["s00", "s02"]


@pytest.mark.parametrize(
    ("sessions", "sentence"),
    [
        ({}, 'm.csv: leave-one-speaker-out:partner cuts by the column "session", which is empty; fill it in'),
        ({"s00": "x", "s01": "x"}, 'needs at least 2 sessions, and all utterances are in "x"; fill in the sessions'),
        ({"s00": "x", "s01": "x", "s02": "y"}, 'needs two speakers in every session, and "y" has 1'),
    ],
)
def test_partners_need_sessions(sessions, sentence):
    with pytest.raises(InputError) as problem:
        get_protocol("leave-one-speaker-out:partner").folds(with_sessions(corpus_of_speakers(3), sessions))
    assert sentence in str(problem.value)


def test_speaker_folds_take_the_next_group_as_dev():
    corpus = corpus_of_speakers(10)
    folds = get_protocol("speaker-folds:5").folds(corpus)
    for fold, following in zip(folds, folds[1:] + folds[:1], strict=True):
        assert speakers(corpus, fold.dev) == speakers(corpus, following.test)
        assert len(speakers(corpus, fold.test)) == 2


def test_speaker_holdout_draws_the_share_by_the_seed():
    corpus = corpus_of_speakers(25)
    for protocol, expected in (("speaker-holdout", 5), ("speaker-holdout:0.1", 2), ("speaker-holdout:0.01", 1)):
        (fold,) = get_protocol(protocol).folds(corpus)
        assert len(speakers(corpus, fold.test)) == len(speakers(corpus, fold.dev)) == expected
    drawn = {tuple(get_protocol("speaker-holdout").folds(corpus, seed)[0].test) for seed in range(5)}
    assert len(drawn) == 5


def test_a_share_counts_whole_speakers():
    corpus = corpus_of_speakers(250, utterances=2)
    for protocol in ("speaker-holdout:0.1", "speaker-holdout:25"):
        (fold,) = get_protocol(protocol).folds(corpus)
        parts = (fold.train, fold.dev, fold.test)
        assert [len(speakers(corpus, part)) for part in parts] == [200, 25, 25]
