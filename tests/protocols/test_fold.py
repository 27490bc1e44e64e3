import numpy as np
import pandas as pd
import pytest

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols import PROTOCOLS, get_protocol, usage
from unheard.protocols.fold import DEV_TRAIN, PAIRS, TEST_DEV, TEST_TRAIN, Fold, Protocol


def corpus_of(**columns):
    table = pd.DataFrame(columns)
    return Corpus.from_table(
        table.assign(audio=[f"{row}.wav" for row in range(len(table))]), folder=".", source="m.csv"
    )


def test_a_protocol_is_named_as_the_user_wrote_it():
    protocol = get_protocol("speaker-folds:05")
    assert protocol.name == "speaker-folds:05"
    assert protocol.speaker_independent
    assert protocol.apart == {"speaker": PAIRS}


def test_random_folds_promise_nothing_and_say_so():
    protocol = get_protocol("random-folds:5")
    assert not protocol.speaker_independent
    assert protocol.apart == {}
    assert "SPEAKER-DEPENDENT" in protocol.description


@pytest.mark.parametrize(
    ("pairs", "independent"),
    [(PAIRS, True), ((TEST_TRAIN, TEST_DEV), True), ((TEST_TRAIN, DEV_TRAIN), False), ((), False)],
)
def test_speaker_independent_is_no_test_speaker_in_train_or_dev(pairs, independent):
    assert Protocol("some", {"speaker": pairs}, "", lambda corpus, seed: []).speaker_independent == independent


@pytest.mark.parametrize(
    ("name", "like_train"),
    [
        ("speaker-folds:5", True), ("leave-one-speaker-out", True), ("random-folds:5", True), ("session-folds", True),
        ("dev-session:5", True), ("cross-corpus:other", False), ("cross-corpus-disjoint:other", False),
        ("session-pairs", False), ("leave-one-speaker-out:partner", False),
    ],
)  # fmt: skip
def test_dev_is_learned_from_only_where_the_promise_holds_then(name, like_train):
    assert get_protocol(name).dev_like_train is like_train


@pytest.mark.parametrize("name", ["random-folds:3", "random-splits", "speaker-dependent-folds"])
def test_who_hears_test_speakers_on_purpose_says_so_in_capitals(name):
    assert get_protocol(name).apart == {}
    assert "SPEAKER-DEPENDENT" in get_protocol(name).description
    assert "SPEAKER-DEPENDENT" in PROTOCOLS[name.partition(":")[0]].__doc__.splitlines()[0]


def test_selection_that_saw_target_speakers_says_so_in_capitals():
    assert "SELECTION SAW TARGET SPEAKERS" in get_protocol("cross-corpus:emodb").description
    assert "SELECTION SAW TARGET SPEAKERS" not in get_protocol("cross-corpus-disjoint:emodb").description


def test_every_protocol_says_in_a_line_what_it_is():
    for name in PROTOCOLS:
        line = PROTOCOLS[name].__doc__.splitlines()[0]
        assert line.endswith((".", "SPEAKERS."))
        assert len(line) < 120
        assert usage(name).startswith(name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("speaker-fold:5", 'there is no protocol "speaker-fold"; did you mean "speaker-folds"?'),
        ("speaker-folds", "write speaker-folds:k"),
        ("speaker-folds:5:6", "write speaker-folds:k"),
        ("leave-one-speaker-out:5", 'there is no rule "5" for dev; it is one of next, partner, none'),
        ("leave-one-speaker-out:partners", 'did you mean "partner"?'),
        ("leave-one-speaker-out:next:1", "write leave-one-speaker-out[:dev]"),
        ("speaker-holdout:1:2", "write speaker-holdout[:share_or_number]"),
        ("speaker-folds:five", 'the number of folds "five" is not a whole number from 3 up'),
        ("speaker-folds:2", 'the number of folds "2" is not a whole number from 3 up'),
        ("random-folds:", 'the number of folds "" is not a whole number from 3 up'),
        ("speaker-holdout:0.5", 'the share "0.5" is not a number between 0 and 0.5'),
        ("speaker-holdout:nan", 'the share "nan" is not a number between 0 and 0.5'),
        ("speaker-holdout:a", 'the share "a" is not a number between 0 and 0.5'),
        ("speaker-holdout:0", 'the share "0" is not a number between 0 and 0.5'),
        ("speaker-holdout:1.5", "nor a whole number of speakers"),
        ("session-pairs:women", 'there is no speaker "women" to test'),
        (
            "session-folds:1",
            'the share of dev "1" is not a number between 0 and 1; write for example session-folds:0.2',
        ),
        ("random-splits:0", 'the number of repeats "0" is not a whole number from 1 up'),
        ("random-splits:5:0.2:x", 'the share of dev "x" is not a number between 0 and 1'),
        ("speaker-dependent-folds:2", 'the number of folds "2" is not a whole number from 3 up'),
        ("cross-corpus", "write cross-corpus:target[:share]"),
        ("cross-corpus-disjoint:emodb:2", 'the share of dev "2" is not a number between 0 and 1'),
        ("low-resource", "write low-resource:n[:draws[:base...]]"),
        ("low-resource:-1", 'the number of utterances per emotion "-1" is not a whole number from 1 up'),
        ("low-resource:5:x", 'the number of draws "x" is not a whole number from 1 up'),
        ("low-resource:5:5:speaker-fold:5", 'there is no protocol "speaker-fold"'),
    ],
)
def test_a_wrong_name_gets_one_sentence(name, sentence):
    with pytest.raises(InputError) as problem:
        get_protocol(name)
    assert sentence in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("protocol", "columns", "sentence"),
    [
        (
            "speaker-folds:5",
            {"speaker": [*"abcd"], "emotion": ["sad", "angry"] * 2},
            "m.csv: speaker-folds:5 needs at least 5 speakers, and 4 speakers have utterances with an emotion; "
            "take fewer, for example speaker-folds:4, or add speakers",
        ),
        (
            "leave-one-speaker-out",
            {"speaker": ["a", "b", "c"], "emotion": ["sad", "angry", None]},
            "m.csv: leave-one-speaker-out needs at least 3 speakers, and 2 speakers have utterances with an emotion; "
            "add speakers",
        ),
        (
            "speaker-holdout:2",
            {"speaker": [*"abcd"], "emotion": ["sad", "angry"] * 2},
            "m.csv: speaker-holdout:2 needs at least 5 speakers, and 4 speakers have",
        ),
        ("speaker-holdout", {"speaker": ["a"] * 2, "emotion": ["sad", "angry"]}, "and 1 speaker has utterances"),
        (
            "random-folds:5",
            {"speaker": ["a"] * 4, "emotion": ["sad", "angry"] * 2},
            "m.csv: random-folds:5 needs an emotion with at least 5 utterances, and the most frequent has 2",
        ),
        (
            "random-folds:3",
            {"speaker": [*"abc"], "emotion": ["sad"] * 3},
            'm.csv: every utterance is labelled "sad"; there is nothing to tell apart, add utterances of a second',
        ),
        ("random-folds:3", {"emotion": ["sad", "angry"]}, 'm.csv: the column "speaker" is missing'),
        ("speaker-holdout", {"speaker": ["a", "b"]}, 'm.csv: the column "emotion" is missing'),
        (
            "speaker-folds:3",
            {"speaker": ["a", None], "emotion": [None, "sad"]},
            "m.csv: no utterance has both an emotion and a speaker",
        ),
    ],
)
def test_a_corpus_that_is_too_small_gets_one_sentence(protocol, columns, sentence):
    with pytest.raises(InputError) as problem:
        get_protocol(protocol).folds(corpus_of(**columns))
    assert sentence in str(problem.value)


def test_a_fold_tests_something():
    with pytest.raises(InputError, match='the fold "1" has no test utterance'):
        Fold("1", np.arange(3), np.arange(0), np.arange(0))


def test_a_protocol_that_uses_an_utterance_twice_is_a_fault():
    twice = Protocol("twice", {}, "", lambda corpus, seed: [Fold("1", [0, 1], [], [1])])
    with pytest.raises(ValueError, match='put an utterance twice into the fold "1"'):
        twice.folds(corpus_of(speaker=["a", "b"], emotion=["sad", "angry"]))


def test_a_protocol_that_leaves_nothing_to_train_on_is_refused():
    with pytest.raises(InputError, match='random-splits leaves nothing to train on in its fold "1"; add utt'):
        get_protocol("random-splits").folds(corpus_of(speaker=["a", "b"], emotion=["sad", "angry"]))
