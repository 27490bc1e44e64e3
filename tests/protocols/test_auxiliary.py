import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols.auxiliary import OF_EMOTIONS, apart_from, auxiliary_speakers, without_emotions


def corpus_of(women=20, men=8, unknown=4):
    """Three utterances each, no emotion; one utterance has no speaker."""
    people = [*(f"f{n}" for n in range(women)), *(f"m{n}" for n in range(men)), *(f"x{n}" for n in range(unknown))]
    table = pd.DataFrame({"speaker": [*people * 3, None]})
    table["gender"] = table["speaker"].str[0].map({"f": "female", "m": "male"})
    return Corpus.from_table(table.assign(audio=[f"{row}.wav" for row in range(len(table))]), ".", "m.csv")


def speakers(corpus):
    return set(corpus.table["speaker"])


def test_as_many_women_as_men_as_far_as_there_are():
    for n in (1, 2, 7, 16):
        drawn = auxiliary_speakers(corpus_of(), n)
        assert len(speakers(drawn)) == n
        assert len(drawn) == 3 * n
        women = sum(name[0] == "f" for name in speakers(drawn))
        assert abs(2 * women - n) <= 1
    assert {name[0] for name in speakers(auxiliary_speakers(corpus_of(), 28))} == {"f", "m"}
    assert sum(name[0] == "f" for name in speakers(auxiliary_speakers(corpus_of(), 20))) == 12
    assert len(speakers(auxiliary_speakers(corpus_of(), 32))) == 32


def test_more_speakers_keep_those_that_were_drawn():
    corpus = corpus_of()
    drawn = [speakers(auxiliary_speakers(corpus, n, seed=3)) for n in range(1, 33)]
    assert all(few < more for few, more in itertools.pairwise(drawn))
    assert speakers(auxiliary_speakers(corpus, 5, seed=4)) != drawn[4]


def test_the_draw_does_not_hang_on_the_order_of_rows():
    corpus = corpus_of()
    shuffled = corpus.take(np.random.default_rng(0).permutation(len(corpus)))
    assert speakers(auxiliary_speakers(shuffled, 9)) == speakers(auxiliary_speakers(corpus, 9))


def test_gender_is_not_needed():
    corpus = Corpus.from_table(corpus_of().table.drop(columns="gender"), ".")
    assert len(speakers(auxiliary_speakers(corpus, 10))) == 10


def test_no_label_of_an_emotion_is_left():
    corpus = corpus_of()
    labelled = corpus.with_columns(emotion="sad", valence=1.0, activation=2.0, dominance=3.0, category="sad", text="no")
    learned = without_emotions(labelled)
    assert not set(OF_EMOTIONS) & set(learned.table)
    assert {"speaker", "gender", "text"} <= set(learned.table)
    assert len(learned) == len(corpus) - 1  # nobody knows who speaks in the last one
    with pytest.raises(InputError, match=r'm\.csv: the column "speaker" is missing'):
        without_emotions(Corpus.from_table(corpus.table.drop(columns="speaker"), ".", "m.csv"))


@settings(max_examples=30)
@given(some.sets(some.sampled_from(["f0", "f7", "m1", "m2", "x3", "new"])), some.sets(some.integers(0, 95)))
def test_nobody_and_nothing_that_is_judged_by_is_left(people: set[str], recordings: set[int]):
    corpus = without_emotions(corpus_of())
    corpus = corpus.with_columns(digest=[f"digest {row}" for row in range(len(corpus))])
    table = corpus.table
    judged = pd.concat(
        [
            pd.DataFrame({"speaker": sorted(people), "digest": "another"}),
            pd.DataFrame({"speaker": "new", "digest": table["digest"].iloc[sorted(recordings)]}),
        ]
    )
    learned = apart_from(corpus, Corpus(judged, corpus.folder))
    kept = [row for row in range(len(table)) if row not in recordings and table["speaker"].iloc[row] not in people]
    assert learned.table["id"].tolist() == table["id"].iloc[kept].tolist()


@pytest.mark.parametrize("n", [0, 33])
def test_too_many_speakers_get_one_sentence(n):
    with pytest.raises(
        InputError, match=f"m.csv: {n} auxiliary speakers are asked for, and it has 32; ask for 1 to 32"
    ):
        auxiliary_speakers(corpus_of(), n)
