from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from unheard.corpora import Corpus
from unheard.corpora.corpus import COLUMNS
from unheard.corpora.synthetic import SENTENCES, synthesize
from unheard.errors import InputError


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return synthesize(tmp_path_factory.mktemp("corpus"), speakers=4, utterances=4, languages=("en", "de"))


def test_the_manifest_is_what_was_returned(corpus: Corpus) -> None:
    read = Corpus.read(corpus.folder)
    assert read.table.to_csv() == corpus.table.to_csv()
    assert read.synthetic
    assert set(read.table["corpus"]) == {"synthetic"}
    assert set(COLUMNS) - set(read.table.columns) == {"start", "end"}
    assert not read.table.isna().any(axis=None)


def test_recordings_are_16_khz_mono_speech_of_the_stated_length(corpus: Corpus) -> None:
    for row in range(len(corpus)):
        path = corpus.audio_path(row)
        table = corpus.table.iloc[row]
        assert path.relative_to(corpus.folder).parts == ("audio", table["speaker"], f"{table['id']}.flac")
        information = soundfile.info(path)
        assert (information.samplerate, information.channels, information.subtype) == (16000, 1, "PCM_16")
        wave, _ = soundfile.read(path)
        assert wave.size / 16000 == table["duration"]
        assert 0.8 < table["duration"] < 5
        assert 20 * np.log10(np.abs(wave).max()) < -2.9
        assert -40 < 10 * np.log10(np.square(wave).mean()) < -10


def test_no_two_recordings_are_the_same(corpus: Corpus) -> None:
    assert corpus.with_digests().table["digest"].is_unique


def test_sessions_have_a_female_and_a_male_speaker(corpus: Corpus) -> None:
    for _, session in corpus.table.groupby("session"):
        people = session[["speaker", "gender"]].drop_duplicates()
        assert sorted(people["gender"]) == ["female", "male"]
        assert session["language"].nunique() == 1


def test_scripted_turns_share_their_sentences_and_improvised_ones_have_others(corpus: Corpus) -> None:
    for _, speaker in corpus.table.groupby("speaker"):
        sentences = SENTENCES[speaker["language"].iat[0]]
        assert speaker["style"].tolist() == ["scripted", "improvised"] * 2
        assert tuple(speaker["text"][speaker["style"] == "scripted"]) == sentences.scripted[:2]
        assert set(speaker["text"][speaker["style"] == "improvised"]) <= set(sentences.improvised)


def test_the_same_arguments_give_the_same_bytes_with_any_number_of_workers(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "again", "two")]
    for folder, workers in zip(folders, (1, 1, 2), strict=True):
        synthesize(folder, speakers=4, utterances=2, seed=5, workers=workers)
    one, again, two = map(contents, folders)
    assert len(one) == 9
    assert one == again
    assert one == two


def test_a_larger_corpus_begins_with_the_speakers_of_a_smaller(tmp_path: Path) -> None:
    small = synthesize(tmp_path / "small", speakers=2, utterances=2, bias=0, emotions=["happy"])
    large = synthesize(tmp_path / "large", speakers=4, utterances=2, bias=0, emotions=["happy"])
    assert contents(small.folder / "audio").items() <= contents(large.folder / "audio").items()


def test_another_seed_gives_other_speakers(corpus: Corpus, tmp_path: Path) -> None:
    other = synthesize(tmp_path, speakers=2, utterances=1, seed=1)
    assert not set(other.table["speaker"]) & set(corpus.table["speaker"])
    assert not set(other.table["session"]) & set(corpus.table["session"])


def test_bias_goes_into_the_table(tmp_path: Path) -> None:
    biased = synthesize(tmp_path, speakers=4, utterances=3, emotions=["angry", "sad"], bias=1.0).table
    assert (biased.groupby("speaker")["emotion"].nunique() == 1).all()
    assert (biased.groupby("gender")["emotion"].nunique() == 2).all()


def test_a_corpus_is_not_overwritten_unless_asked(corpus: Corpus) -> None:
    before = contents(corpus.folder)
    with pytest.raises(InputError, match=r"manifest\.csv: there is a corpus already.*--force"):
        synthesize(corpus.folder)
    synthesize(corpus.folder, speakers=4, utterances=4, languages=("en", "de"), force=True)
    assert contents(corpus.folder) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"speakers": 3}, "speakers=3: .*even"),
        ({"speakers": 0}, "speakers=0"),
        ({"utterances": 0}, "utterances=0"),
        ({"workers": 0}, "workers=0"),
        ({"bias": 1.5}, "bias=1.5: .*from 0"),
        ({"emotions": ["hapy"]}, 'no emotion "hapy"; did you mean "happy"'),
        ({"emotions": []}, "emotions=: name each emotion once"),
        ({"emotions": ["sad", "sad"]}, "emotions=sad,sad"),
        ({"languages": ["xx"]}, 'no language "xx"; it is one of en'),
    ],
)
def test_wrong_arguments_get_one_sentence(tmp_path: Path, arguments: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        synthesize(tmp_path, **arguments)
    assert not list(tmp_path.iterdir())


def test_without_the_engine_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(InputError, match=r"pip install 'unheard\[demo\]'"):
        synthesize(tmp_path / "corpus")
    assert not list(tmp_path.iterdir())
