import numpy as np
import pandas as pd
import pytest

from unheard.audit.audit import audit
from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols import get_protocol
from unheard.protocols.fold import DEV_TRAIN, PAIRS, TEST_TRAIN


def corpus_of(**corpora):
    """For each corpus its emotions; each is said ten times by each of four speakers."""
    rows = [
        {"corpus": name, "speaker": f"{name}{speaker}", "emotion": emotion}
        for name, emotions in corpora.items()
        for speaker in range(4)
        for emotion in emotions
        for _ in range(10)
    ]
    table = pd.DataFrame(rows)
    return Corpus.from_table(table.assign(audio=[f"{row}.wav" for row in range(len(table))]), ".", "m.csv")


BOTH = {"one": ["sad", "angry", "fear"], "two": ["sad", "angry", "calm"], "three": ["sad", "disgust"]}


def test_a_share_of_the_target_selects_and_only_shared_emotions_take_part():
    corpus = corpus_of(**BOTH)
    protocol = get_protocol("cross-corpus:two")
    assert protocol.apart == {"speaker": (TEST_TRAIN, DEV_TRAIN), "corpus": (TEST_TRAIN, DEV_TRAIN)}
    assert not protocol.speaker_independent
    (fold,) = protocol.folds(corpus)
    assert fold.name == "two"
    table = corpus.table
    assert table.iloc[fold.train].groupby(["corpus", "emotion"]).size().to_dict() == {
        ("one", "angry"): 40, ("one", "sad"): 40, ("three", "sad"): 40,
    }  # fmt: skip
    assert set(table["corpus"].iloc[[*fold.dev, *fold.test]]) == {"two"}
    assert table["emotion"].iloc[fold.dev].value_counts().to_dict() == {"sad": 12, "angry": 12}
    assert table["emotion"].iloc[fold.test].value_counts().to_dict() == {"sad": 28, "angry": 28}
    assert "selection saw target speakers" in audit(corpus, protocol).verdict
    assert protocol.folds(corpus, seed=1)[0].dev.tolist() != fold.dev.tolist()


def test_the_disjoint_sibling_selects_by_other_speakers():
    corpus = corpus_of(**BOTH)
    protocol = get_protocol("cross-corpus-disjoint:two:0.5")
    assert protocol.apart == {"speaker": PAIRS, "corpus": (TEST_TRAIN, DEV_TRAIN)}
    (fold,) = protocol.folds(corpus)
    dev, test = (set(corpus.table["speaker"].iloc[part]) for part in (fold.dev, fold.test))
    assert (len(dev), len(test)) == (2, 2)
    assert not dev & test
    assert fold.dev.size == fold.test.size == 40


@pytest.mark.parametrize(("share", "speakers"), [("0.01", 1), ("0.99", 3)])
def test_at_least_one_speaker_selects_and_one_is_tested(share, speakers):
    corpus = corpus_of(**BOTH)
    (fold,) = get_protocol(f"cross-corpus-disjoint:two:{share}").folds(corpus)
    assert corpus.table["speaker"].iloc[fold.dev].nunique() == speakers


@pytest.mark.parametrize(
    ("protocol", "corpus", "sentence"),
    [
        ("cross-corpus:tow", corpus_of(**BOTH), 'm.csv: cross-corpus:tow:0.3: there is no corpus "tow"; did you mean'),
        ("cross-corpus:one", corpus_of(one=["sad", "angry"]), 'needs a corpus beside "one" to train on'),
        (
            "cross-corpus:one",
            corpus_of(one=["sad", "angry"], two=["sad", "calm"]),
            'needs at least 2 emotions that "one" and the other corpora have in common, and they have 1; map',
        ),
        (
            "cross-corpus:one",
            Corpus.from_table(corpus_of(**BOTH).table.assign(speaker=np.arange(320) % 7), ".", "m.csv"),
            'the speaker "0" is in "one" and in another corpus; where they are two persons write the corpus\'s name '
            "before them, as in one_0",
        ),
        (
            "cross-corpus-disjoint:one",
            corpus_of(**BOTH).take([*range(30), *range(120, 240)]),
            'm.csv: cross-corpus-disjoint:one:0.3 needs at least 2 speakers in "one"',
        ),
        (
            "cross-corpus:one",
            Corpus.from_table(corpus_of(**BOTH).table.drop(columns="corpus"), ".", "m.csv"),
            'm.csv: cross-corpus:one:0.3 cuts by the column "corpus", which is missing',
        ),
    ],
)
def test_corpora_that_do_not_fit_get_one_sentence(protocol, corpus, sentence):
    with pytest.raises(InputError) as problem:
        get_protocol(protocol).folds(corpus)
    assert sentence in str(problem.value)
