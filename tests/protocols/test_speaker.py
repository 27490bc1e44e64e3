import numpy as np
import pandas as pd

from unheard.corpora.corpus import Corpus
from unheard.protocols import get_protocol


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
    (fold,) = get_protocol("speaker-holdout:0.1").folds(corpus)
    parts = (fold.train, fold.dev, fold.test)
    assert [len(speakers(corpus, part)) for part in parts] == [200, 25, 25]
