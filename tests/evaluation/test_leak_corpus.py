"""Speakers on whom the leak is measured too: nobody whom a study has heard."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.evaluation.leak_corpus import unheard_speakers


def corpus(name: str, speakers: dict[str, int]) -> Corpus:
    names = np.repeat(list(speakers), list(speakers.values()))
    table = pd.DataFrame(
        {
            "audio": [f"{index}.wav" for index in range(len(names))],
            "speaker": names,
            "digest": [f"{name}-{index}" for index in range(len(names))],
        }
    )
    return Corpus.from_table(table, name, source=f"{name}.csv")


STUDIED = corpus("studied", {"a": 3, "b": 3})


def test_who_can_be_told_apart_is_kept():
    kept = unheard_speakers(corpus("fixed", {"x": 5, "once": 1, "y": 7}), STUDIED)
    assert kept.table["speaker"].value_counts().to_dict() == {"y": 7, "x": 5}
    again = unheard_speakers(kept, STUDIED)
    pd.testing.assert_frame_equal(again.table, kept.table)


def test_a_speaker_of_the_study_is_refused():
    sentence = (
        r'fixed\.csv: the leak is measured on speakers that no run has heard, but 1 of its speakers, "b" for one, are '
        r"in studied\.csv too; leave them out"
    )
    with pytest.raises(InputError, match=sentence):
        unheard_speakers(corpus("fixed", {"x": 5, "y": 5, "b": 5}), STUDIED)


def test_a_recording_of_the_study_is_refused():
    fixed = corpus("fixed", {"x": 5, "y": 5})
    digests = fixed.table["digest"].to_list()
    digests[7] = "studied-2"
    with pytest.raises(InputError, match=r'1 of its recordings, "7\.wav" for one, are in studied\.csv too'):
        unheard_speakers(fixed.with_columns(digest=digests), STUDIED)


@pytest.mark.parametrize("speakers", [{"x": 5}, {"x": 9, "y": 4}])
def test_speakers_that_cannot_be_told_apart_are_refused(speakers):
    with pytest.raises(InputError, match="fewer than two of its speakers have 5 utterances"):
        unheard_speakers(corpus("fixed", speakers), STUDIED)


def test_a_corpus_without_speakers_is_refused():
    fixed = corpus("fixed", {"x": 5, "y": 5})
    nameless = Corpus.from_table(fixed.table.drop(columns="speaker"), "fixed", source="fixed.csv")
    with pytest.raises(InputError, match='the column "speaker" is missing'):
        unheard_speakers(nameless, STUDIED)
