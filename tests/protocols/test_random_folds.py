import warnings

import numpy as np
import pandas as pd

from unheard.corpora.corpus import Corpus
from unheard.protocols import get_protocol


def corpus_of_emotions(emotions):
    table = pd.DataFrame({"emotion": emotions, "speaker": ["a", "b"] * (len(emotions) // 2)})
    return Corpus.from_table(table.assign(audio=[f"{row}.wav" for row in range(len(table))]), folder=".")


def test_folds_are_stratified_by_emotion_and_take_the_next_as_dev():
    corpus = corpus_of_emotions(["sad"] * 20 + ["angry"] * 10)
    folds = get_protocol("random-folds:5").folds(corpus)
    for fold, following in zip(folds, folds[1:] + folds[:1], strict=True):
        assert corpus.table["emotion"].iloc[fold.test].value_counts().to_dict() == {"sad": 4, "angry": 2}
        np.testing.assert_array_equal(fold.dev, following.test)


def test_another_seed_draws_other_folds():
    corpus = corpus_of_emotions(["sad", "angry"] * 20)
    first, second = (get_protocol("random-folds:4").folds(corpus, seed)[0].test.tolist() for seed in (0, 1))
    assert first != second


def test_a_rare_emotion_is_no_reason_to_warn_on_the_console():
    corpus = corpus_of_emotions(["sad"] * 9 + ["angry"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(get_protocol("random-folds:5").folds(corpus)) == 5
