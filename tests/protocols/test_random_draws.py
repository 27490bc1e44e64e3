"""low-resource, random-splits and speaker-dependent-folds: what is drawn, and that more of it keeps what was drawn."""

import numpy as np
import pandas as pd
import pytest

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols import get_protocol
from unheard.protocols.draws import random_part, stratified_part


@pytest.fixture(scope="module")
def corpus():
    """Three sessions of two speakers, 40 utterances each, a quarter of them sad."""
    table = pd.DataFrame({"speaker": np.tile([*"abcdef"], 40)})
    table["session"] = table["speaker"].map(dict(zip("abcdef", "xxyyzz", strict=True)))
    table["emotion"] = np.where(np.random.default_rng(0).random(240) < 0.25, "sad", "angry")
    return Corpus.from_table(table.assign(audio=[f"{row}.wav" for row in range(240)]), ".", "m.csv")


def test_low_resource_draws_so_many_of_each_emotion(corpus):
    protocol = get_protocol("low-resource:7:2")
    base = get_protocol("session-folds")
    assert protocol.apart == base.apart
    folds = protocol.folds(corpus)
    assert [fold.name for fold in folds] == [f"{session}, draw {draw}" for session in "xyz" for draw in (1, 2)]
    for fold, whole in zip(folds, np.repeat(base.folds(corpus), 2), strict=True):
        assert corpus.table["emotion"].iloc[fold.train].value_counts().to_dict() == {"sad": 7, "angry": 7}
        assert set(fold.train) < set(whole.train)
        np.testing.assert_array_equal(fold.dev, whole.dev)
        np.testing.assert_array_equal(fold.test, whole.test)
    assert folds[0].train.tolist() != folds[1].train.tolist()


def test_more_of_each_emotion_keep_those_that_were_drawn(corpus):
    few, more, draws = (get_protocol(f"low-resource:{what}").folds(corpus) for what in ("5", "12", "5:7"))
    for one, other in zip(few, more, strict=True):
        assert set(one.train) < set(other.train)
    by_name = {fold.name: fold.train.tolist() for fold in draws}
    assert all(by_name[fold.name] == fold.train.tolist() for fold in few)


def test_a_curve_is_the_folds_of_its_numbers_one_after_the_other(corpus):
    curve = get_protocol("low-resource:12,5:2").folds(corpus)
    few, more = (get_protocol(f"low-resource:{number}:2").folds(corpus) for number in (5, 12))
    assert [fold.of_each for fold in curve] == [5] * 6 + [12] * 6
    for one, other in zip(curve, few + more, strict=True):
        assert (one.train.tolist(), one.of_each) == (other.train.tolist(), other.of_each)
    assert [fold.name for fold in curve][5:7] == ["z, 5 of each, draw 2", "x, 12 of each, draw 1"]
    assert get_protocol("session-folds").folds(corpus)[0].of_each is None


def test_a_rare_emotion_gives_all_it_has(corpus):
    folds = get_protocol("low-resource:10000:1").folds(corpus)
    for fold, whole in zip(folds, get_protocol("session-folds").folds(corpus), strict=True):
        np.testing.assert_array_equal(fold.train, whole.train)


def test_the_base_is_named_behind_the_second_colon(corpus):
    protocol = get_protocol("low-resource:3:2:speaker-folds:4")
    assert protocol.name == "low-resource:3:2:speaker-folds:4"
    assert protocol.apart == get_protocol("speaker-folds:4").apart
    assert len(protocol.folds(corpus)) == 8


def test_random_splits_are_draws_of_their_own(corpus):
    folds = get_protocol("random-splits").folds(corpus)
    assert [fold.name for fold in folds] == ["1", "2", "3", "4", "5"]
    assert [(fold.train.size, fold.dev.size, fold.test.size) for fold in folds] == [(172, 20, 48)] * 5
    assert len({tuple(fold.test) for fold in folds}) == 5
    first = get_protocol("random-splits:2").folds(corpus)
    assert [fold.test.tolist() for fold in first] == [fold.test.tolist() for fold in folds[:2]]
    (fold,) = get_protocol("random-splits:1:0.5:0.25").folds(corpus)
    assert (fold.train.size, fold.dev.size, fold.test.size) == (90, 30, 120)


def test_speaker_dependent_folds_hold_every_speaker(corpus):
    folds = get_protocol("speaker-dependent-folds:8").folds(corpus)
    for fold, following in zip(folds, folds[1:] + folds[:1], strict=True):
        np.testing.assert_array_equal(fold.dev, following.test)
        tested = corpus.table.iloc[fold.test]
        assert tested["speaker"].value_counts().to_dict() == dict.fromkeys("abcdef", 5)
        whole = corpus.table.groupby(["speaker", "emotion"]).size() / 8
        counts = tested.groupby(["speaker", "emotion"]).size().reindex(whole.index, fill_value=0)
        assert ((counts - whole).abs() < 1).all()
    other = get_protocol("speaker-dependent-folds:8").folds(corpus, seed=1)
    assert other[0].test.tolist() != folds[0].test.tolist()


def test_speaker_dependent_folds_need_a_speaker_with_enough(corpus):
    with pytest.raises(InputError, match="needs a speaker with at least 41 utterances, and nobody has more than 40"):
        get_protocol("speaker-dependent-folds:41").folds(corpus)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.3, 0.999])
def test_parts_are_neither_empty_nor_everything_where_there_are_two(share):
    for count in (2, 3, 10, 101):
        strata = np.array(["a", "b"] * count)[:count]
        drawn = stratified_part(strata, share, np.random.default_rng(0)).sum()
        assert 1 <= drawn <= count - 1
        assert abs(drawn - share * count) <= 1
        assert 1 <= random_part(count, share, np.random.default_rng(0)).sum() <= count
