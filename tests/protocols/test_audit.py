import json
import time

import numpy as np
import pandas as pd
import pytest

from unheard.corpora.corpus import Corpus
from unheard.protocols import get_protocol
from unheard.protocols.audit import audit
from unheard.protocols.audit_rendering import audit_text
from unheard.protocols.fold import Fold, Protocol

EMOTIONS = ("angry", "happy", "neutral", "sad")


def make_corpus(speakers=10, utterances=8, **columns):
    """Balanced: every speaker says every emotion equally often."""
    count = speakers * utterances
    table = pd.DataFrame(
        {
            "audio": [f"{row}.wav" for row in range(count)],
            "speaker": np.repeat([f"s{index}" for index in range(speakers)], utterances),
            "gender": np.repeat([("female", "male")[index % 2] for index in range(speakers)], utterances),
            "emotion": [EMOTIONS[row % 4] for row in range(count)],
        }
    )
    return Corpus.from_table(table.assign(**columns), folder=".", source="m.csv")


def planted(folds, index, **parts):
    """The folds with some parts of one of them replaced."""
    fold = folds[index]
    kept = {part: getattr(fold, part) for part in ("train", "dev", "test")}
    return [*folds[:index], Fold(fold.name, **(kept | parts)), *folds[index + 1 :]]


def test_speaker_folds_are_what_they_claim():
    found = audit(make_corpus(), get_protocol("speaker-folds:5"))
    assert found.ok
    assert found.verdict == "speaker-independent: no test speaker is heard in training (5 folds, 10 test speakers)"
    assert (found.utterances, found.speakers, found.left_out) == (80, 10, 0)
    assert found.emotions == {"angry": 20, "happy": 20, "neutral": 20, "sad": 20}
    assert [(fold.train, fold.dev, fold.test) for fold in found.folds] == [(48, 16, 16)] * 5


def test_random_folds_are_told_apart_though_they_break_no_promise():
    found = audit(make_corpus(), get_protocol("random-folds:4"))
    assert found.ok
    assert found.verdict == (
        "SPEAKER-DEPENDENT: 10 of 10 test speakers are heard in training; these numbers say nothing about new speakers"
    )


@pytest.mark.parametrize(
    ("part", "other", "verdict"),
    [
        ("train", "test", "SPEAKER-DEPENDENT: 1 of 10 test speakers is heard in training"),
        ("train", "dev", "speaker-independent, but 1 of 10 dev speakers is heard in training"),
        ("dev", "test", "speaker-independent in training, but selection saw target speakers: 1 of 10 test speakers"),
    ],
)
def test_a_planted_speaker_is_caught(part, other, verdict):
    corpus = make_corpus()
    protocol = get_protocol("speaker-folds:5")
    folds = protocol.folds(corpus)
    # One utterance of the other part goes over: no utterance is in two parts, but its speaker is.
    row, rest = getattr(folds[2], other)[:1], getattr(folds[2], other)[1:]
    leaking = planted(folds, 2, **{part: np.append(getattr(folds[2], part), row), other: rest})
    found = audit(corpus, protocol, leaking)
    assert not found.ok
    assert found.verdict.startswith(verdict)
    assert found.broken == (
        f"1 speaker of {other} in {part} of the same fold, but speaker-folds:5 promises unheard speakers",
    )
    assert [fold.name for fold in found.folds if any(vars(fold.overlaps["speaker"])[key] for key in PAIRS)] == ["3"]


PAIRS = ("test_in_train", "test_in_dev", "dev_in_train")


def test_an_utterance_in_two_parts_is_caught_whatever_is_promised():
    corpus = make_corpus(digest=[f"{row:064x}" for row in range(80)])
    folds = get_protocol("random-folds:4").folds(corpus)
    leaking = planted(folds, 0, train=np.append(folds[0].train, folds[0].test[:2]))
    for protocol in (None, get_protocol("random-folds:4")):
        found = audit(corpus, protocol, leaking)
        assert not found.ok
        assert found.broken == (
            "2 utterances of test in train of the same fold, but the parts of a fold must be disjoint",
        )


def test_identical_recordings_are_caught():
    digests = [f"{row:064x}" for row in range(80)]
    digests[70] = digests[3]  # two speakers, so only the audio gives it away
    corpus = make_corpus(digest=digests)
    found = audit(corpus, get_protocol("leave-one-speaker-out"))
    assert not found.ok
    assert found.verdict.startswith("LEAKING: training has 1 test recording as well")
    assert found.overlaps["recording"].test_in_train == 1
    # Where start and end differ they are parts of one long recording, not the same audio.
    parts = make_corpus(digest=digests, start=np.arange(80) * 1.0, end=np.arange(80) + 1.0)
    assert audit(parts, get_protocol("leave-one-speaker-out")).ok


def test_missing_digests_are_not_identical():
    digests = [None if row % 2 else f"{row:064x}" for row in range(80)]
    assert audit(make_corpus(digest=digests), get_protocol("speaker-folds:5")).ok


def test_shared_sessions_and_texts_are_stated_but_no_failure():
    corpus = make_corpus(session=["x", "y"] * 40, text=[f"text {row % 8}" for row in range(80)])
    found = audit(corpus, get_protocol("speaker-folds:5"))
    assert found.ok
    assert found.warnings == ("2 of 2 test sessions in training too", "8 of 8 test texts in training too")


def test_a_column_that_is_promised_apart_is_checked():
    corpus = make_corpus(session=["x", "y"] * 40)
    cut = get_protocol("speaker-folds:5").cut
    sessions = audit(corpus, Protocol("session-folds", True, "session", "", cut))
    assert sessions.broken == (
        "2 sessions of test in train of the same fold, but session-folds promises to keep each session out of train "
        "that dev or test has",
        "2 sessions of dev in train of the same fold, but session-folds promises to keep each session out of train "
        "that dev or test has",
    )
    absent = audit(corpus, Protocol("text-folds", True, "text", "", cut))
    assert absent.broken[0].startswith('the corpus has no column "text"')


def test_utterances_without_a_speaker_prove_nothing():
    corpus = make_corpus()
    unnamed = Corpus.from_table(corpus.table.assign(speaker=corpus.table["speaker"].where(corpus.table.index > 2)), ".")
    protocol = get_protocol("speaker-folds:5")
    some = audit(unnamed, protocol, protocol.folds(corpus))
    assert some.verdict.startswith("UNPROVEN: 3 utterances without a speaker")
    assert not some.ok
    nobody = Corpus.from_table(corpus.table.drop(columns="speaker"), ".")
    assert audit(nobody, protocol, protocol.folds(corpus)).verdict.startswith("UNPROVEN: 80 utterances")
    assert audit(nobody, None, protocol.folds(corpus)).ok


def test_an_emotion_that_is_tested_but_not_trained_is_a_warning():
    corpus = make_corpus()
    emotion = corpus.table["emotion"].mask(corpus.table["speaker"] == "s0", "disgust")
    found = audit(Corpus.from_table(corpus.table.assign(emotion=emotion), "."), get_protocol("leave-one-speaker-out"))
    assert found.ok
    assert [fold.untrained for fold in found.folds] == [("disgust",)] + [()] * 9
    assert found.warnings == ('fold "s0" tests disgust, of which its training part has no utterance',)


def test_how_far_the_speaker_predicts_the_emotion():
    balanced = audit(make_corpus(), get_protocol("speaker-folds:5"))
    assert set(balanced.associations) == {"speaker", "gender"}
    assert balanced.associations["speaker"].p_value > 0.5
    corpus = make_corpus()
    one_each = [EMOTIONS[int(speaker[1:]) % 4] for speaker in corpus.table["speaker"]]
    confounded = audit(Corpus.from_table(corpus.table.assign(emotion=one_each), "."), get_protocol("speaker-folds:5"))
    assert confounded.associations["speaker"].accuracy_left_out == 1
    assert confounded.associations["speaker"].p_value < 0.01


def test_published_counts():
    editions = {"first": dict.fromkeys(EMOTIONS, 20), "second": dict.fromkeys(EMOTIONS, 30)}
    same = audit(make_corpus(), published=editions)
    assert same.published is not None
    assert (same.published.edition, same.published.differences) == ("first", {})
    fewer = audit(make_corpus().take(range(79)), published=editions | {"third": {"angry": 79}})
    assert fewer.published is not None
    assert (fewer.published.edition, fewer.published.differences) == ("first", {"sad": -1})


def test_without_folds_nothing_is_claimed():
    found = audit(make_corpus())
    assert found.ok
    assert found.folds == ()
    assert found.verdict.startswith("no folds were audited")
    assert "speaker" in found.associations


def test_a_corpus_without_emotions_can_be_audited():
    corpus = Corpus.from_table(make_corpus().table.drop(columns="emotion"), ".")
    folds = get_protocol("speaker-folds:5").folds(make_corpus())
    found = audit(corpus, None, folds)
    assert found.emotions == {}
    assert found.associations == {}
    assert found.verdict.startswith("speaker-independent")


def test_the_dictionary_is_json():
    found = audit(make_corpus(), get_protocol("speaker-folds:5"), published={"all": {"angry": 20}})
    back = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert back["ok"] is True
    assert back["verdict"] == found.verdict
    assert back["folds"][0]["overlaps"]["speaker"]["test_in_train"] == 0
    assert back["associations"]["speaker"]["rows"] == 80


def test_a_hundred_thousand_utterances_take_seconds():
    random = np.random.default_rng(0)
    count = 100_000
    corpus = make_corpus(
        speakers=500,
        utterances=200,
        session=[f"x{index}" for index in random.integers(0, 50, count)],
        text=[f"text {row}" for row in range(count)],
        digest=[f"{row:064x}" for row in range(count)],
    )
    start = time.process_time()
    found = audit(corpus, get_protocol("speaker-folds:10"))
    audit_text(found)
    assert time.process_time() - start < 10
