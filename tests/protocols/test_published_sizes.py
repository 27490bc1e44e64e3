"""Every fold size that the papers, or the counts of their corpora, give."""

import numpy as np
import pandas as pd
import pytest

from trees import iemocap, msp_improv
from unheard.audit.audit import audit
from unheard.corpora.corpus import Corpus
from unheard.protocols import get_protocol

FOUR = ("angry", "happy", "neutral", "sad")


def corpus_of(table):
    return Corpus.from_table(table.drop(columns="raters", errors="ignore"), folder=".")


def four(table, merge=True):
    """The four classes, excited with happy or left out."""
    table = table.assign(emotion=table["emotion"].replace("excited", "happy")) if merge else table
    return table[table["emotion"].isin(FOUR)]


@pytest.fixture(scope="module")
def all_four():
    return corpus_of(four(iemocap.manifest()))


@pytest.fixture(scope="module")
def improvised():
    table = iemocap.manifest()
    return table[table["style"] == "improvised"]


@pytest.fixture(scope="module")
def both_corpora():
    return corpus_of(pd.concat([four(iemocap.manifest()), four(msp_improv.manifest())], ignore_index=True))


def sizes(corpus, protocol, *parts):
    found = audit(corpus, rule := get_protocol(protocol), folds := rule.folds(corpus))
    assert found.ok
    return [tuple(getattr(fold, part).size for part in parts) for fold in folds]


#: tu2019: training utterances, those of the woman, those of the man, by session.
PAIRS = [(2422, 271, 250), (2413, 273, 257), (2316, 305, 322), (2409, 268, 266), (2212, 366, 365)]


def test_tu2019(improvised):
    corpus = corpus_of(four(improvised))
    assert len(corpus) == 2943
    assert sizes(corpus, "session-pairs", "train", "dev", "test") == PAIRS
    assert sizes(corpus, "session-pairs:female", "train", "test", "dev") == PAIRS
    ten = sizes(corpus, "session-pairs:both", "train", "dev", "test")
    assert ten == [fold for train, woman, man in PAIRS for fold in ((train, man, woman), (train, woman, man))]


def test_fan2020(improvised):
    corpus = corpus_of(four(improvised, merge=False))
    tested = [217, 205, 185, 208, 264, 274, 149, 221, 298, 259]
    assert sum(tested) == len(corpus) == 2280
    folds = sizes(corpus, "leave-one-speaker-out:none", "train", "dev", "test")
    assert folds == [(2280 - count, 0, count) for count in tested]
    partners = np.reshape(tested, (5, 2))[:, ::-1].ravel()
    assert sizes(corpus, "leave-one-speaker-out:partner", "dev", "test") == [*zip(partners, tested, strict=True)]


def test_latif2022_within_corpora(all_four):
    ten = sizes(all_four, "speaker-dependent-folds", "train", "dev", "test")
    assert len(ten) == 10
    assert all(abs(dev - 553.1) < 1 and abs(test - 553.1) < 1 for _, dev, test in ten)
    for fold in get_protocol("speaker-dependent-folds").folds(all_four):
        counts = all_four.table.iloc[fold.test].groupby(["speaker", "emotion"]).size()
        whole = all_four.table.groupby(["speaker", "emotion"]).size()
        assert len(counts) == 40
        assert ((counts - whole / 10).abs() < 1).all()
    assert len(sizes(all_four, "leave-one-speaker-out:partner", "test")) == 10
    msp = corpus_of(four(msp_improv.manifest()))
    assert len(sizes(msp, "leave-one-speaker-out:partner", "test")) == 12
    assert len(sizes(msp, "session-pairs:both", "test")) == 12
    by_session = dict(zip(range(1, 7), (test for (test,) in sizes(msp, "session-folds", "test")), strict=True))
    assert by_session[5] + by_session[6] == 2880
    assert sum(by_session.values()) == 7798


def test_latif2022_across_corpora(both_corpora):
    ((train, dev, test),) = sizes(both_corpora, "cross-corpus:msp-improv", "train", "dev", "test")
    assert (train, dev, test) == (5531, 2339, 5459)
    (fold,) = get_protocol("cross-corpus:msp-improv").folds(both_corpora)
    counts = both_corpora.table["emotion"].iloc[fold.dev].value_counts()
    published = {"angry": 792, "happy": 2644, "sad": 885, "neutral": 3477}
    assert all(abs(counts[emotion] - 0.3 * count) < 1 for emotion, count in published.items())
    ((train, dev, test),) = sizes(both_corpora, "cross-corpus-disjoint:msp-improv", "train", "dev", "test")
    assert (train, dev + test) == (5531, 7798)
    assert 0.2 < dev / 7798 < 0.4


def test_gat2022(all_four):
    pools = [4446, 4508, 4380, 4500, 4290]
    folds = sizes(all_four, "session-folds", "train", "dev", "test")
    assert [test for _, _, test in folds] == [1085, 1023, 1151, 1031, 1241]
    assert [(train, dev) for train, dev, _ in folds] == [(pool * 4 // 5, pool - pool * 4 // 5) for pool in pools]
    assert sizes(all_four, "random-splits", "train", "dev", "test") == [(3981, 443, 1107)] * 5
    few = sizes(all_four, "low-resource:25", "train", "dev", "test")
    assert few == [(100, dev, test) for _, dev, test in folds for _ in range(5)]


def test_xia2021(all_four):
    folds = sizes(all_four, "dev-session", "train", "dev", "test")
    assert [train for train, _, _ in folds] == [3762, 3733, 3809, 3748, 3768, 3661, 3762, 3787]
    assert [test for _, _, test in folds] == [528, 557, 481, 542, 522, 629, 528, 503]
    assert {dev for _, dev, _ in folds} == {1241}
    assert sizes(all_four, "dev-session:5", "train", "dev", "test") == folds
    assert sizes(all_four, "dev-session:iemocap_5", "train", "dev", "test") == folds


def test_turns_without_agreement_take_no_part():
    assert sum(test for (test,) in sizes(corpus_of(iemocap.manifest()), "session-folds", "test")) == 10039 - 2507
