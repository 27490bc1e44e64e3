"""What every protocol promises, for any manifest hypothesis can invent and for the real corpora at hand."""

import contextlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols import get_protocol
from unheard.protocols.audit import audit
from unheard.protocols.audit_rendering import audit_text

SPEAKER_INDEPENDENT = ("leave-one-speaker-out", "speaker-folds:3", "speaker-folds:5", "speaker-holdout")
EVERY_UTTERANCE_ONCE = ("leave-one-speaker-out", "speaker-folds:3", "speaker-folds:5", "random-folds:3")
ALL = (*SPEAKER_INDEPENDENT, "speaker-holdout:0.4", "random-folds:3", "random-folds:5")

PROFILE = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def make_corpus(speakers, emotions):
    table = pd.DataFrame({"speaker": speakers, "emotion": emotions}, dtype="str")
    return Corpus.from_table(table.assign(audio=[f"{row}.wav" for row in range(len(table))]), folder=".")


names = st.text("abé01_/:", min_size=1, max_size=4)
utterances = st.tuples(
    st.one_of(st.none(), *[names] * 4),
    st.one_of(st.none(), *[st.sampled_from(("angry", "happy", "sad"))] * 4),
)


@st.composite
def corpora(draw):
    """Any manifest that has enough for every protocol here: five speakers or more, in any order and proportion.

    Some utterances lack the speaker, some the emotion, some both.
    """
    speakers = draw(st.lists(names, min_size=5, max_size=9, unique=True))
    others = st.tuples(st.one_of(st.none(), *[st.sampled_from(speakers)] * 6), utterances.map(lambda pair: pair[1]))
    rows = [*((speaker, "angry") for speaker in speakers), (speakers[0], "sad"), *draw(st.lists(others, max_size=40))]
    return make_corpus(*zip(*draw(st.permutations(rows)), strict=True))


def cut(corpus, protocol, seed=0):
    return get_protocol(protocol).folds(corpus, seed)


def rows_labelled(corpus):
    return set(np.flatnonzero(corpus.table["emotion"].notna() & corpus.table["speaker"].notna()))


@pytest.mark.parametrize("protocol", SPEAKER_INDEPENDENT)
@given(corpus=corpora(), seed=st.integers(0, 3))
@settings(PROFILE, max_examples=15)
def test_no_speaker_is_in_two_parts(protocol, corpus, seed):
    for fold in cut(corpus, protocol, seed):
        train, dev, test = (set(corpus.table["speaker"].iloc[part]) for part in (fold.train, fold.dev, fold.test))
        assert not train & test
        assert not train & dev
        assert not dev & test
        assert train
        assert dev
        assert test


@pytest.mark.parametrize("protocol", ALL)
@given(corpus=corpora(), seed=st.integers(0, 3))
@settings(PROFILE, max_examples=15)
def test_parts_share_out_the_labelled_utterances(protocol, corpus, seed):
    for fold in cut(corpus, protocol, seed):
        rows = [*fold.train, *fold.dev, *fold.test]
        assert len(rows) == len(set(rows))
        assert set(rows) == rows_labelled(corpus)


@pytest.mark.parametrize("protocol", EVERY_UTTERANCE_ONCE)
@given(corpus=corpora())
@settings(PROFILE, max_examples=15)
def test_every_labelled_utterance_is_tested_and_selected_by_once(protocol, corpus):
    folds = cut(corpus, protocol)
    for part in ("test", "dev"):
        rows = np.concatenate([getattr(fold, part) for fold in folds])
        assert sorted(rows) == sorted(rows_labelled(corpus))


@pytest.mark.parametrize("protocol", ALL)
@given(corpus=corpora(), seed=st.integers(0, 3))
@settings(PROFILE, max_examples=12)
def test_the_same_seed_gives_the_same_folds(protocol, corpus, seed):
    for one, other in zip(cut(corpus, protocol, seed), cut(corpus, protocol, seed), strict=True):
        assert one.name == other.name
        for part in ("train", "dev", "test"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))


@given(corpus=corpora(), k=st.integers(3, 5))
@settings(PROFILE, max_examples=40)
def test_speaker_folds_are_those_of_group_k_fold(corpus, k):
    folds = cut(corpus, f"speaker-folds:{k}")
    table = corpus.table[corpus.table["emotion"].notna() & corpus.table["speaker"].notna()]
    expected = [
        table.index[test].tolist()
        for _, test in GroupKFold(n_splits=k).split(table, groups=table["speaker"].to_numpy())
    ]
    assert [fold.test.tolist() for fold in folds] == expected
    assert [fold.dev.tolist() for fold in folds] == expected[1:] + expected[:1]


@pytest.mark.parametrize("protocol", ALL)
@given(corpus=corpora(), seed=st.integers(0, 3))
@settings(PROFILE, max_examples=12)
def test_the_audit_agrees_with_the_folds(protocol, corpus, seed):
    folds = cut(corpus, protocol, seed)
    found = audit(corpus, get_protocol(protocol), folds, seed=seed)
    speaker = corpus.table["speaker"]
    heard = {who for fold in folds for who in set(speaker.iloc[fold.test]) & set(speaker.iloc[fold.train])}
    assert found.ok
    assert found.overlaps["speaker"].test_in_train == len(heard)
    assert found.verdict.startswith("SPEAKER-DEPENDENT" if heard else "speaker-independent")
    assert found.left_out == len(corpus) - len(rows_labelled(corpus))
    for fold, part in zip(folds, found.folds, strict=True):
        emotion = corpus.table["emotion"]
        assert set(part.untrained) == set(emotion.iloc[fold.test]) - set(emotion.iloc[fold.train])


@pytest.mark.parametrize("protocol", ALL)
@given(rows=st.lists(utterances, min_size=1, max_size=12))
@settings(PROFILE, max_examples=15)
def test_any_manifest_is_cut_or_refused_in_a_sentence(protocol, rows):
    corpus = make_corpus(*zip(*rows, strict=True))
    with contextlib.suppress(InputError):
        assert cut(corpus, protocol)


def real_corpora():
    """Every corpus at hand that has emotion labels."""
    folder = os.environ.get("UNHEARD_CORPORA")
    if not folder:
        return [pytest.param(None, marks=pytest.mark.skip(reason="UNHEARD_CORPORA is not set"))]
    manifests = sorted(Path(folder).glob("*/manifest.csv"))
    has_emotion = [path for path in manifests if "emotion" in (table := pd.read_csv(path)) and table["emotion"].any()]
    return [pytest.param(path, id=path.parent.name) for path in has_emotion]


@pytest.mark.parametrize("protocol", ALL)
@pytest.mark.parametrize("manifest", real_corpora())
def test_real_corpora(manifest, protocol):
    corpus = Corpus.read(manifest, check_audio=False)
    rule = get_protocol(protocol)
    found = audit(corpus, rule)
    assert found.ok
    assert (found.overlaps["speaker"].test_in_train == 0) == rule.speaker_independent
    if protocol in EVERY_UTTERANCE_ONCE:
        assert sum(fold.test for fold in found.folds) == len(rows_labelled(corpus))
    assert all(len(line) <= 100 for line in audit_text(found).splitlines())
