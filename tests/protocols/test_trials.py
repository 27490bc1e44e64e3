import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols.trials import Trials, verification_trials


def corpus_of(**utterances):
    """For each speaker so many utterances, in mixed order; one has no speaker, none an emotion."""
    names = [speaker for speaker, count in utterances.items() for _ in range(count)]
    table = pd.DataFrame({"speaker": [*np.random.default_rng(0).permutation(names), None]})
    return Corpus.from_table(table.assign(audio=[f"{row}.wav" for row in range(len(table))]), ".", "m.csv")


@pytest.fixture
def corpus():
    return corpus_of(a=25, b=21, c=20, d=40, e=1)


def test_all_that_is_not_enrolled_is_tested_against_every_model(corpus):
    found = verification_trials(corpus)
    speaker = dict(zip(corpus.table["id"], corpus.table["speaker"], strict=True))
    assert found.enrolment.groupby("model").size().to_dict() == {"a": 20, "b": 20, "d": 20}
    assert all(speaker[utterance] == model for model, utterance in found.enrolment.itertuples(index=False))
    trials = found.trials
    assert len(trials) == (5 + 1 + 20) * 3
    assert trials["target"].sum() == 5 + 1 + 20
    assert not trials.duplicated(["utterance", "model"]).any()
    assert all(target == (speaker[one] == model) for one, model, target in trials.itertuples(index=False))
    tested, enrolled = set(trials["utterance"]), set(found.enrolment["utterance"])
    assert not tested & enrolled
    assert tested | enrolled == {one for one, who in speaker.items() if who in ("a", "b", "d")}
    assert found.left_out.values.tolist() == [["c", 20], ["e", 1]]


def test_the_seed_draws_and_a_speaker_does_not_depend_on_the_others(corpus):
    def enrolled(trials, model):
        return trials.enrolment.loc[trials.enrolment["model"] == model, "utterance"].tolist()

    found, other = verification_trials(corpus), verification_trials(corpus, seed=1)
    assert enrolled(found, "d") == enrolled(verification_trials(corpus), "d") != enrolled(other, "d")
    fewer = Corpus.from_table(corpus.table[corpus.table["speaker"] != "a"], ".")
    assert enrolled(verification_trials(fewer), "d") == enrolled(found, "d")


@pytest.mark.parametrize("enrol", [2, 20])
def test_what_is_written_is_read_back(corpus, tmp_path, enrol):
    found = verification_trials(corpus, enrol)
    found.write(tmp_path / "trials")
    back = Trials.read(tmp_path / "trials")
    for table in ("trials", "enrolment", "left_out"):
        assert_frame_equal(getattr(back, table).astype("object"), getattr(found, table).astype("object"))
    assert back.trials["target"].dtype == bool
    assert sorted(path.name for path in (tmp_path / "trials").iterdir()) == [
        "enrolment.csv", "left_out.csv", "trials.csv",
    ]  # fmt: skip


def test_speakers_called_like_numbers_or_missing_values_stay_texts(tmp_path):
    corpus = corpus_of(**{"001": 3, "NA": 3, "1": 1})
    verification_trials(corpus, 2).write(tmp_path)
    back = Trials.read(tmp_path)
    assert set(back.trials["model"]) == set(back.enrolment["model"]) == {"001", "NA"}
    assert back.left_out.values.tolist() == [["1", 1]]


def test_too_few_utterances_get_one_sentence(corpus, tmp_path):
    with pytest.raises(InputError, match="verification with 30 enrolled utterances needs two speakers with at "):
        verification_trials(corpus, 30)
    with pytest.raises(InputError, match="cannot be enrolled with 0 utterances; take 1 or more"):
        verification_trials(corpus, 0)
    with pytest.raises(InputError, match=r"trials.csv: this is not a readable list of trials"):
        Trials.read(tmp_path)
    verification_trials(corpus).write(tmp_path)
    (tmp_path / "enrolment.csv").write_text("speaker,utterance\n")
    with pytest.raises(InputError, match="the columns of this file must be model, utterance"):
        Trials.read(tmp_path)
