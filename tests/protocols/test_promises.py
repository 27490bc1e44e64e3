"""What every protocol promises, for any manifest hypothesis can invent and for the real corpora at hand."""

import contextlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold

from unheard.audit.audit import audit
from unheard.audit.rendering import audit_text
from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols import PROTOCOLS, get_protocol
from unheard.protocols.fold import DEV_TRAIN, PAIRS, TEST_DEV, TEST_TRAIN

#: Every protocol, with arguments of every kind.
ARGUMENTS = {
    "leave-one-speaker-out": ("", ":next", ":partner", ":none"),
    "speaker-folds": (":3", ":5"),
    "speaker-holdout": ("", ":0.4", ":1", ":2"),
    "session-pairs": ("", ":female", ":both"),
    "session-folds": ("", ":0.9"),
    "dev-session": ("", ":x", ":s_y"),
    "cross-corpus": (":one", ":two:0.9"),
    "cross-corpus-disjoint": (":one", ":two:0.1"),
    "low-resource": (":1", ":2:3", ":1:2:speaker-folds:3", ":3:1:cross-corpus:two", ":2:1:random-splits"),
    "given-split": ("", ":part"),
    "given-folds": ("", ":session", ":speaker"),
    "random-folds": (":3", ":5"),
    "random-splits": ("", ":2:0.4", ":1:0.2:0.3"),
    "speaker-dependent-folds": (":3", ":4"),
}
RULES = {name + arguments: get_protocol(name + arguments) for name in ARGUMENTS for arguments in ARGUMENTS[name]}
ALL = list(RULES)
#: Where every utterance with an emotion and a speaker is in every fold, and where each is tested once.
EVERY_UTTERANCE = [
    protocol
    for protocol in ALL
    if protocol.partition(":")[0]
    in ("leave-one-speaker-out", "speaker-folds", "speaker-holdout", "random-folds", "random-splits",
        "speaker-dependent-folds")
    and not protocol.endswith(":partner")
]  # fmt: skip
TESTED_ONCE = [protocol for protocol in EVERY_UTTERANCE if "holdout" not in protocol and "splits" not in protocol]
SELECTED_BY_ONCE = [protocol for protocol in TESTED_ONCE if not protocol.endswith(":none")]

PROFILE = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EMOTIONS = ("angry", "happy", "sad")
#: The two parts of each pair.
PARTS = {TEST_TRAIN: ("test", "train"), TEST_DEV: ("test", "dev"), DEV_TRAIN: ("dev", "train")}


def maybe(values, often=4):
    """A value, and now and then none."""
    return st.one_of(st.none(), *[values] * often)


names = st.text("abé01_/:", min_size=1, max_size=4)
anything = st.fixed_dictionaries(
    {
        "speaker": maybe(names),
        "emotion": maybe(st.sampled_from(EMOTIONS)),
        "gender": maybe(st.sampled_from(["female", "male"])),
        "session": maybe(st.sampled_from(["s_x", "s_y", "x", "z"])),
        "corpus": maybe(st.sampled_from(["one", "two", "three"])),
        "split": maybe(st.sampled_from(["train", "Validation", "test"])),
        "part": maybe(st.sampled_from(["train", "dev", "test", "extra"])),
        "fold": maybe(st.sampled_from(["1", "2", "10", "a"])),
    }
)


def make_corpus(rows):
    table = pd.DataFrame(rows, columns=list(rows[0]), dtype="str")
    return Corpus.from_table(table.assign(audio=[f"{row}.wav" for row in range(len(table))]), folder=".")


@st.composite
def corpora(draw):
    """Any manifest that has enough for every protocol here, in any order and proportion.

    Four sessions or more of a woman and a man each, two corpora; some utterances lack a value in some columns.
    """
    count = draw(st.integers(4, 6))
    sessions = ["s_x", "s_y", *draw(st.lists(names, min_size=4, max_size=4, unique=True))][:count]
    sessions = [f"t{session}" if index > 1 else session for index, session in enumerate(sessions)]
    speakers = draw(st.lists(names, min_size=2 * count, max_size=2 * count, unique=True))
    people = [
        {
            "speaker": speaker,
            "gender": ("female", "male")[index % 2],
            "session": sessions[index // 2],
            "corpus": ("one", "two")[index // 2 % 2],
        }
        for index, speaker in enumerate(speakers)
    ]
    written = [
        {"split": split, "part": split, "fold": fold} for split, fold in (("train", "1"), ("dev", "2"), ("test", "3"))
    ]
    rows = [
        person | {"emotion": emotion} | written[(index + place) % 3]
        for index, person in enumerate(people)
        for place, emotion in enumerate(("angry", "sad"))
    ]
    rows += [people[0] | {"emotion": "angry"} | written[index % 3] for index in range(4)]
    for _ in range(draw(st.integers(0, 25))):
        other = draw(anything)
        row = draw(st.sampled_from(people)) | {"emotion": other["emotion"]} | draw(st.sampled_from(written))
        missing = draw(st.lists(st.sampled_from(list(row)), max_size=2))
        rows.append(row | dict.fromkeys(missing))
    return make_corpus(draw(st.permutations(rows)))


@st.composite
def wild(draw):
    """Any manifest at all, or one that had enough and was then spoiled: values moved or lost, columns dropped."""
    if draw(st.booleans()):
        table = make_corpus(draw(st.lists(anything, min_size=1, max_size=12))).table
    else:
        table = draw(corpora()).table.copy()
        columns = st.sampled_from(["speaker", "session", "gender", "corpus", "emotion", "split", "part", "fold"])
        rows = st.integers(0, len(table) - 1)
        for column, row, source in draw(st.lists(st.tuples(columns, rows, maybe(rows)), max_size=5)):
            table.loc[row, column] = None if source is None else table.loc[source, column]
    return Corpus.from_table(table.drop(columns=draw(st.lists(st.sampled_from(list(table)[2:]), max_size=1))), ".")


def cut(corpus, protocol, seed=0):
    return RULES[protocol].folds(corpus, seed)


def rows_labelled(corpus):
    return set(np.flatnonzero(corpus.table["emotion"].notna() & corpus.table["speaker"].notna()))


def check_promises(corpus, protocol, folds):
    """Parts are disjoint and labelled, and the values of a column are apart where it is promised."""
    apart = RULES[protocol].apart
    values = {column: corpus.table[column].to_numpy(dtype=object) for column in apart}
    labelled = rows_labelled(corpus) if "emotion" in corpus.table else range(len(corpus))
    for fold in folds:
        rows = [*fold.train, *fold.dev, *fold.test]
        assert len(rows) == len(set(rows))
        assert not labelled or set(rows) <= set(labelled)
        assert fold.train.size
        assert fold.test.size
        for column, pairs in apart.items():
            for pair in pairs:
                one, other = (set(values[column][getattr(fold, part)]) for part in PARTS[pair])
                assert not one & other, (fold.name, column, pair)
    assert len({fold.name for fold in folds}) == len(folds)


def test_every_protocol_is_tried():
    assert set(ARGUMENTS) == set(PROTOCOLS)


def test_what_is_promised_about_speakers():
    heard_on_purpose = {"random-folds", "random-splits", "speaker-dependent-folds", "given-split", "given-folds"}
    promised = {name: RULES[name + ARGUMENTS[name][0]].apart.get("speaker", ()) for name in PROTOCOLS}
    assert {name for name, pairs in promised.items() if TEST_TRAIN not in pairs} == heard_on_purpose
    assert {name for name, pairs in promised.items() if TEST_DEV not in pairs} == heard_on_purpose | {"cross-corpus"}
    all_apart = {name for name, pairs in promised.items() if set(pairs) == set(PAIRS)}
    assert all_apart == set(PROTOCOLS) - heard_on_purpose - {"cross-corpus", "session-folds", "low-resource"}


@given(corpus=corpora(), seed=st.integers(0, 3))
@settings(PROFILE, max_examples=30)
def test_promises_hold_in_a_corpus_that_has_enough(corpus, seed):
    everything = rows_labelled(corpus)
    for protocol in ALL:
        note(protocol)
        folds = cut(corpus, protocol, seed)
        assert folds
        check_promises(corpus, protocol, folds)
        if not protocol.endswith(":none") and "given" not in protocol:
            assert all(fold.dev.size for fold in folds)
        if protocol in EVERY_UTTERANCE:
            assert all({*fold.train, *fold.dev, *fold.test} == everything for fold in folds)
        if protocol in TESTED_ONCE:
            assert sorted(np.concatenate([fold.test for fold in folds])) == sorted(everything)
        if protocol in SELECTED_BY_ONCE:
            assert sorted(np.concatenate([fold.dev for fold in folds])) == sorted(everything)


@given(corpus=corpora(), seed=st.integers(0, 3))
@settings(PROFILE, max_examples=8)
def test_the_same_seed_gives_the_same_folds(corpus, seed):
    for protocol in ALL:
        note(protocol)
        for one, other in zip(cut(corpus, protocol, seed), cut(corpus, protocol, seed), strict=True):
            assert one.name == other.name
            for part in ("train", "dev", "test"):
                np.testing.assert_array_equal(getattr(one, part), getattr(other, part))


@given(corpus=wild(), seed=st.integers(0, 3))
@settings(PROFILE, max_examples=100)
def test_any_manifest_is_cut_as_promised_or_refused_in_a_sentence(corpus, seed):
    for protocol in ALL:
        note(protocol)
        folds, refused = cut_or_refused(corpus, protocol, seed)
        if folds:
            check_promises(corpus, protocol, folds)
        else:
            assert refused.startswith("the table: ")
            assert ";" in refused  # the remedy
            assert "\n" not in refused
            assert len(refused) < 500


def cut_or_refused(corpus, protocol, seed):
    """The folds, or why there are none."""
    try:
        return cut(corpus, protocol, seed), ""
    except InputError as problem:
        return [], str(problem)


@given(corpus=corpora(), k=st.integers(3, 5))
@settings(PROFILE, max_examples=30)
def test_speaker_folds_are_those_of_group_k_fold(corpus, k):
    folds = get_protocol(f"speaker-folds:{k}").folds(corpus)
    table = corpus.table[corpus.table["emotion"].notna() & corpus.table["speaker"].notna()]
    expected = [
        table.index[test].tolist()
        for _, test in GroupKFold(n_splits=k).split(table, groups=table["speaker"].to_numpy())
    ]
    assert [fold.test.tolist() for fold in folds] == expected
    assert [fold.dev.tolist() for fold in folds] == expected[1:] + expected[:1]


@given(corpus=corpora(), seed=st.integers(0, 3))
@settings(PROFILE, max_examples=2)
def test_the_audit_agrees_with_the_folds(corpus, seed):
    speaker, emotion = corpus.table["speaker"], corpus.table["emotion"]
    for protocol in ALL:
        note(protocol)
        folds = cut(corpus, protocol, seed)
        found = audit(corpus, RULES[protocol], folds, seed=seed)
        heard = {who for fold in folds for who in set(speaker.iloc[fold.test]) & set(speaker.iloc[fold.train])}
        assert found.ok
        assert found.overlaps["speaker"].test_in_train == len(heard)
        assert found.verdict.startswith("SPEAKER-DEPENDENT" if heard else "speaker-independent")
        rows = {row for fold in folds for row in (*fold.train, *fold.dev, *fold.test)}
        assert found.left_out == len(corpus) - len(rows)
        for fold, part in zip(folds, found.folds, strict=True):
            assert set(part.untrained) == set(emotion.iloc[fold.test]) - set(emotion.iloc[fold.train])


def real_corpora():
    """Every corpus at hand that has emotion labels."""
    folder = os.environ.get("UNHEARD_CORPORA")
    if not folder:
        return [pytest.param(None, marks=pytest.mark.skip(reason="UNHEARD_CORPORA is not set"))]
    manifests = sorted(Path(folder).glob("*/manifest.csv"))
    has_emotion = [path for path in manifests if "emotion" in (table := pd.read_csv(path)) and table["emotion"].any()]
    return [pytest.param(path, id=path.parent.name) for path in has_emotion]


@pytest.mark.parametrize("manifest", real_corpora())
def test_real_corpora(manifest):
    corpus = Corpus.read(manifest, check_audio=False)
    for protocol in EVERY_UTTERANCE:
        rule = RULES[protocol]
        with contextlib.suppress(InputError):  # some speakers have too few utterances
            found = audit(corpus, rule)
            assert found.ok
            assert (found.overlaps["speaker"].test_in_train == 0) == rule.speaker_independent
            assert all(len(line) <= 100 for line in audit_text(found).splitlines())
            if protocol in TESTED_ONCE:
                assert sum(fold.test for fold in found.folds) == len(rows_labelled(corpus))
