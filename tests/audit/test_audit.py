import json
import time

import numpy as np
import pandas as pd
import pytest

from unheard.audit.audit import audit
from unheard.audit.rendering import audit_text
from unheard.corpora.corpus import Corpus
from unheard.corpora.editions import Nearest
from unheard.protocols import get_protocol
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
    assert found.verdict == "LEAKING: 1 of 79 test recordings is in training too; these numbers are too good"
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
    assert found.warnings == ("2 of 2 test sessions are in training too", "8 of 8 test texts are in training too")


def test_a_column_that_is_promised_apart_is_checked():
    corpus = make_corpus(session=["x", "y"] * 40)
    cut = get_protocol("speaker-folds:5").cut
    sessions = audit(corpus, Protocol("session-folds", {"session": ("test-train", "dev-train")}, "", cut))
    assert sessions.broken == (
        "2 sessions of test in train of the same fold, but session-folds promises to keep each session apart",
        "2 sessions of dev in train of the same fold, but session-folds promises to keep each session apart",
    )
    assert sessions.warnings == ()  # broken, so it is not noted as well
    absent = audit(corpus, Protocol("text-folds", {"text": ("test-train",)}, "", cut))
    assert absent.broken == ('the corpus has no column "text", but text-folds promises to keep each text apart',)


def test_what_a_protocol_does_not_promise_by_design_is_said_but_not_broken():
    corpus = make_corpus()
    folds = get_protocol("speaker-folds:5").folds(corpus)
    shared = [Fold("1", folds[0].train, folds[0].test[:8], folds[0].test[8:])]
    seen = Protocol("cross-corpus", {"speaker": ("test-train",)}, "", lambda corpus, seed: shared)
    corpus.table.loc[shared[0].dev, "speaker"] = "s8"
    corpus.table.loc[shared[0].test, "speaker"] = "s8"
    corpus.table.loc[shared[0].train, "speaker"] = "s1"
    found = audit(corpus, seen)
    assert found.ok
    assert found.verdict.startswith("speaker-independent in training, but selection saw target speakers: 1 of 1 test")


def test_a_claim_about_folds_from_elsewhere_is_checked():
    corpus = make_corpus(session=["x", "y"] * 40)
    folds = get_protocol("random-folds:4").folds(corpus)
    assert audit(corpus, None, folds).ok
    found = audit(corpus, None, folds, apart={"speaker": ("test-train",), "session": ("test-dev",)})
    assert not found.ok
    assert found.broken == (
        "10 speakers of test in train of the same fold, but the claim is unheard speakers",
        "2 sessions of test in dev of the same fold, but the claim is to keep each session apart",
    )


def test_an_utterance_that_stands_twice_in_one_part_is_caught():
    corpus = make_corpus()
    folds = get_protocol("speaker-folds:5").folds(corpus)
    found = audit(corpus, None, planted(folds, 1, train=np.append(folds[1].train, folds[1].train[:3])))
    assert found.broken == ("3 utterances stand twice in one part (1 fold), but once is enough",)
    assert [fold.repeated for fold in found.folds] == [0, 3, 0, 0, 0]


def test_empty_parts_are_noted():
    corpus = make_corpus()
    folds = [Fold("1", np.arange(40), [], np.arange(40, 80)), Fold("2", [], [], np.arange(40))]
    assert audit(corpus, None, folds).warnings[:2] == (
        "train is empty in 1 of 2 folds: nothing is learned",
        "dev is empty in every fold: nothing is left to select by",
    )


def test_near_identical_recordings_are_caught_and_named():
    likeness = pd.array(range(80), dtype="Int64")
    likeness[[70, 41]] = [3, 3]
    likeness[50] = pd.NA
    corpus = make_corpus(likeness=likeness)
    found = audit(corpus, get_protocol("leave-one-speaker-out"))
    assert found.verdict.startswith("LEAKING: 1 of 77 test recordings is nearly the same as one in training")
    assert found.broken[0].startswith("1 near-identical recording of test in train of the same fold")
    assert "nearly the same recording in test and in train: 3.wav and 41.wav" in found.warnings
    assert (found.alike, found.heard, found.unread) == ((("3.wav", "41.wav", "70.wav"),), True, 1)
    inside = audit(corpus, None, [Fold("1", [0, 1, 2], [4], [3, 41, 70])])
    assert inside.ok  # within one part it gives nothing away


def test_an_identical_recording_is_not_said_to_be_near_identical_as_well():
    digests = [f"{row:064x}" for row in range(80)]
    digests[70] = digests[3]
    likeness = np.arange(80)
    likeness[70] = 3
    found = audit(make_corpus(digest=digests, likeness=likeness), get_protocol("leave-one-speaker-out"))
    assert all(sentence.startswith("1 recording of") for sentence in found.broken)
    likeness[60] = 5
    found = audit(make_corpus(digest=digests, likeness=likeness), get_protocol("leave-one-speaker-out"))
    assert "2 near-identical recordings of test in train" in " ".join(found.broken)


def test_auxiliary_data_must_not_hold_test_speakers_or_recordings():
    corpus = make_corpus(digest=[f"{row:064x}" for row in range(80)], likeness=np.arange(80))
    table = pd.DataFrame({"audio": ["x.wav", "y.wav"], "speaker": ["s3", "z"], "digest": [f"{7:064x}", "f"]})
    auxiliary = Corpus.from_table(table.assign(likeness=[7, 500], corpus="more"), ".")
    found = audit(corpus, get_protocol("speaker-folds:5"), auxiliary=auxiliary)
    assert found.auxiliary is not None
    assert (found.auxiliary.test_speakers, found.auxiliary.test_recordings, found.auxiliary.alike_recordings) == (
        1,
        1,
        1,
    )
    assert found.verdict.startswith("SPEAKER-DEPENDENT: 1 of 10 test speakers is heard in the auxiliary data")
    assert found.broken == (
        "1 recording of test in the auxiliary data (more), but nothing tested may be trained on",
        "1 test speaker speaks in the auxiliary data (more), but speaker-folds:5 promises unheard speakers",
    )
    unpromised = audit(corpus, get_protocol("random-folds:4"), auxiliary=auxiliary.take([1]))
    assert unpromised.ok
    others = audit(corpus, get_protocol("speaker-folds:5"), auxiliary=auxiliary.take([1]))
    assert others.ok
    assert others.verdict.startswith("speaker-independent:")
    nameless = Corpus.from_table(table[["audio"]], ".")
    assert audit(corpus, get_protocol("speaker-folds:5"), auxiliary=nameless).warnings == (
        "2 utterances of the auxiliary data have no speaker: test speakers may be among them",
    )


def test_copies_of_test_recordings_in_the_auxiliary_data_leak():
    corpus = make_corpus(likeness=np.arange(80))
    auxiliary = Corpus.from_table(pd.DataFrame({"audio": ["x.wav"], "speaker": ["z"], "likeness": [7]}), ".")
    found = audit(corpus, get_protocol("speaker-folds:5"), auxiliary=auxiliary)
    assert found.verdict.startswith("LEAKING: 1 of 80 test recordings is nearly the same as one in the auxiliary data")
    assert found.broken[0].startswith("1 near-identical recording of test in the auxiliary data")


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
    assert confounded.associations["speaker"].accuracy == 1
    assert confounded.associations["speaker"].accuracy_chance < 0.7
    assert confounded.associations["speaker"].p_value < 0.01


def test_every_column_that_has_several_values_is_asked():
    emotion = np.arange(80) % 4
    corpus = make_corpus(
        session=["x", "y"] * 40,
        text=["always the same"] * 80,
        corpus=["one", "other"] * 40,
        duration=emotion + np.linspace(0, 0.4, 80),  # 80 different durations, the emotion in them
    )
    found = audit(corpus).associations
    assert set(found) == {"speaker", "gender", "session", "corpus", "duration"}
    assert found["duration"].accuracy > 0.85
    assert found["duration"].accuracy_chance < 0.5  # of ten bins of eight, not of 80 values of one
    few = audit(make_corpus(duration=[1.0, 2.0] * 40)).associations["duration"]
    assert few.accuracy == 0.5


def test_a_column_with_missing_values_or_one_emotion_is_no_fault():
    gender = pd.Series(["female", "male"] * 40).where(np.arange(80) % 4 == 0)
    found = audit(make_corpus(gender=gender, duration=np.nan))
    assert set(found.associations) == {"speaker"}  # all that have a gender are angry
    json.dumps(found.to_dict(), allow_nan=False)


def test_published_counts_are_handed_on():
    nearest = Nearest("first", {"sad": (19, 20)})
    assert audit(make_corpus(), published={"made": nearest}).published == {"made": nearest}


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
    found = audit(
        make_corpus(), get_protocol("speaker-folds:5"), published={"made": Nearest("first", {"sad": (20, 21)})}
    )
    back = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert back["ok"] is True
    assert back["verdict"] == found.verdict
    assert back["folds"][0]["overlaps"]["speaker"]["test_in_train"] == 0
    assert back["associations"]["speaker"]["rows"] == 80
    assert back["published"]["made"]["differences"] == {"sad": [20, 21]}


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
    protocol = get_protocol("leave-one-speaker-out")
    found = audit(corpus, protocol)
    audit_text(found)
    assert len(found.folds) == 500
    assert time.process_time() - start < 10
