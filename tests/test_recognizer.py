"""The trained thing on recordings as they come: every awkward format there is, arrays, bytes, and broken ones."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soxr
import torch

from unheard.audio import SAMPLE_RATE, read_audio
from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.frontends.store import FeatureStore
from unheard.recipe import Recipe
from unheard.recognizer import AUDIO_ENDINGS, SHIPPED, Recognizer, audio_files
from unheard.seeds import generator
from unheard.studies.study import train_one
from unheard.training.calibration import Calibration
from unheard.training.fitted import FittedNetwork

FOLDER = Path(os.environ["UNHEARD_FORMATS"]) if os.environ.get("UNHEARD_FORMATS") else None
TABLE = pd.read_csv(FOLDER / "manifest.csv") if FOLDER else pd.DataFrame({"path": [], "content": [], "codec": []})
BROKEN = TABLE["content"] == "deliberately broken"
READABLE = {row.path: row for row in TABLE[~BROKEN].itertuples()}
with_formats = pytest.mark.skipif(FOLDER is None, reason="UNHEARD_FORMATS is not set")

#: Codecs that keep every sample to 16 bits or more.
LOSSLESS = ("pcm_s16", "pcm_s24", "pcm_s32", "pcm_f", "flac", "alac")
#: A quarter of the bits, or a model of a voice in place of its waveform: what is left is far from the original.
COARSE = ("pcm_u8", "speex", "amr", "gsm")
#: How far a posterior may move where it moves most easily, at one half. Lossless files of another rate differ by their
#: resampling alone. What a perceptual codec or companding adds lies at the level of quiet frames, and in the bands that
#: it drops above some kHz. Another sound in place of the recording moves the posterior by more than a lossy codec may.
MOST = {"lossless": 0.02, "lossy": 0.15, "coarse": 0.42}


@pytest.fixture(scope="module")
def run(tiny_corpus: Corpus, small_overrides: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that has learned something: high tones are angry, low ones sad."""
    recipe = Recipe.load(
        "tdnn",
        [*small_overrides, "training.epochs=20", "training.select=last", "optimizer.learning_rate=0.01",
         "network.dropout=0.1", "terms.emotion.dropout=0", "front_end.normalize=global"],
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("recognizer")
    train_one(tiny_corpus, recipe, folder, FeatureStore(folder / "features"))
    return folder


@pytest.fixture(scope="module")
def recognizer(run: Path) -> Recognizer:
    return Recognizer.load(run)


def angry(recognizer: Recognizer, source: Path | np.ndarray) -> float:
    return recognizer.predict(source).probabilities["angry"]


def undecided(run: Path, recording: np.ndarray) -> Recognizer:
    """The recognizer with a bias that makes it undecided about a recording: there it shows every difference."""
    recognizer = Recognizer.load(run)
    posteriors = torch.tensor(list(recognizer.predict(recording).probabilities.values()))
    fitted = recognizer.fitted
    assert isinstance(fitted, FittedNetwork)
    with torch.no_grad():
        fitted.model.term("emotion").head.output.bias -= posteriors.log()
    return recognizer


def kind_of(row: SimpleNamespace, samples: np.ndarray) -> str:
    clipped = np.mean(np.abs(samples) > 0.99 * np.abs(samples).max()) > 0.01
    if row.codec.startswith(COARSE) or clipped:
        return "coarse"
    return "lossless" if row.codec.startswith(LOSSLESS) else "lossy"


def reference(source: str) -> np.ndarray:
    """The same recording as it was: 16 kHz, mono, lossless, unclipped."""
    assert FOLDER is not None
    for row in READABLE.values():
        if row.source == source and row.sample_rate == SAMPLE_RATE and row.channels == 1:
            samples = read_audio(FOLDER / row.path)
            if kind_of(row, samples) == "lossless":
                return samples
    pytest.skip("there is no lossless recording of it at 16 kHz to compare with")


@pytest.fixture(scope="module")
def judges(run: Path) -> dict[str, tuple[Recognizer, np.ndarray]]:
    """For every recording that there are encodings of: a recognizer that is undecided about it, and the original."""
    originals = {source: reference(source) for source in {row.source for row in READABLE.values()}}
    return {source: (undecided(run, original), original) for source, original in originals.items()}


@with_formats
@pytest.mark.parametrize("path", READABLE)
def test_a_readable_recording_gives_the_prediction_of_the_original(path: str, judges):
    assert FOLDER is not None
    row = READABLE[path]
    judge, original = judges[row.source]
    prediction = judge.predict(FOLDER / path)
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert prediction.verdict == prediction.emotion in ("angry", "sad")
    assert prediction.duration == pytest.approx(row.duration_s, abs=0.1)
    if row.sample_rate < SAMPLE_RATE:  # what the rate cannot hold is no fault of the codec
        rate = int(row.sample_rate)
        original = soxr.resample(soxr.resample(original, SAMPLE_RATE, rate), rate, SAMPLE_RATE)
    most = MOST[kind_of(row, read_audio(FOLDER / path))]
    # Measured from one half, whatever the lower rate alone has moved.
    moved = logit(prediction.probabilities["angry"]) - logit(angry(judge, original))
    assert abs(1 / (1 + np.exp(-moved)) - 0.5) < most


def logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


@with_formats
def test_another_sound_gives_another_prediction(judges):
    """The bounds above mean something: the same recognizer tells other sounds apart by far more."""
    for judge, original in judges.values():
        assert angry(judge, original) == pytest.approx(0.5, abs=1e-3)
        noise = original.std() * generator(0, "noise").standard_normal(len(original))
        seconds = np.arange(len(original)) / SAMPLE_RATE
        tones = [0.3 * np.sin(2 * np.pi * pitch * seconds) for pitch in (200, 2000)]
        others = (noise, *tones)
        found = [round(angry(judge, other), 3) for other in others]
        assert max(abs(value - 0.5) for value in found) > MOST["lossy"], found


@with_formats
@pytest.mark.parametrize("path", TABLE["path"][BROKEN])
def test_a_broken_recording_gets_one_sentence(path: str, recognizer: Recognizer):
    assert FOLDER is not None
    with pytest.raises(InputError) as problem:
        recognizer.predict(FOLDER / path)
    assert str(problem.value).startswith(f"{FOLDER / path}: ")
    assert "\n" not in str(problem.value)


def test_path_bytes_and_samples_give_the_same(recognizer: Recognizer, tiny_corpus: Corpus):
    path = tiny_corpus.audio_path(0)
    expected = recognizer.predict(path)
    assert recognizer.predict(str(path)) == expected
    assert recognizer.predict(path.read_bytes()) == expected
    assert recognizer.predict(read_audio(path)) == expected
    stereo = np.stack([read_audio(path)] * 2)
    assert recognizer.predict(stereo).probabilities == pytest.approx(expected.probabilities, abs=1e-5)
    slow = soxr.resample(read_audio(path), 16000, 48000)
    assert recognizer.predict(slow, rate=48000).probabilities == pytest.approx(expected.probabilities, abs=0.02)


def test_it_predicts_as_it_was_tested(run: Path, recognizer: Recognizer, tiny_corpus: Corpus):
    """What is heard through the front door is what the run's predictions say."""
    table = pd.read_csv(run / "predictions.csv")
    rows = {id_: row for row, id_ in enumerate(tiny_corpus.table["id"])}
    assert len(table) == 4
    for line in table.itertuples():
        prediction = recognizer.predict(tiny_corpus.audio_path(rows[line.id]))
        assert prediction.emotion == line.predicted == line.emotion
        assert prediction.probabilities == pytest.approx({"angry": line.p_angry, "sad": line.p_sad}, abs=1e-5)


@pytest.mark.parametrize("samples", [1, 100, 400, 16000 * 20])
def test_any_length_gives_a_prediction(recognizer: Recognizer, samples: int):
    prediction = recognizer.predict(0.1 * generator(0, "length").standard_normal(samples))
    assert prediction.duration == samples / 16000
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "source", [b"", b"no sound", np.zeros(0), np.array([np.nan] * 400), Path("no such file.wav")], ids=str
)
def test_what_is_no_sound_gets_one_sentence(recognizer: Recognizer, source):
    with pytest.raises(InputError):
        recognizer.predict(source)


def test_a_run_and_its_recognizer_are_the_same(small_run: Path, tiny_corpus: Corpus):
    path = tiny_corpus.audio_path(0)
    from_run, from_folder = Recognizer.load(small_run), Recognizer.load(str(small_run / "recognizer"))
    assert from_run.predict(path) == from_folder.predict(path)
    assert from_run.emotions == ("angry", "sad")
    assert from_run.facts["corpus"] == "tiny"


def test_a_folder_without_a_recognizer_gets_one_sentence(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match=r"there is no recognizer here .* `unheard train` makes one"):
            Recognizer.load(folder)


def test_a_folder_is_searched_for_audio_by_its_endings(tmp_path: Path):
    for name in ("b.wav", "a.FLAC", "notes.txt", "x/y/c.m4a", "._b.wav", "x/manifest.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in audio_files(tmp_path)] == [
        "a.FLAC",
        "b.wav",
        str(Path("x/y/c.m4a")),
    ]
    assert audio_files(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]
    assert audio_files(str(tmp_path / "absent.wav")) == [tmp_path / "absent.wav"]


@with_formats
def test_every_ending_of_the_formats_is_found():
    assert {Path(path).suffix.lower() for path in READABLE} <= AUDIO_ENDINGS


def test_a_call_gives_what_a_pipeline_of_transformers_gives(recognizer: Recognizer, tiny_corpus: Corpus):
    path = tiny_corpus.audio_path(0)
    found = recognizer(path)
    assert [set(one) for one in found] == [{"label", "score"}] * 2
    assert found == sorted(found, key=lambda one: -one["score"])
    expected = recognizer.predict(path).probabilities
    assert {one["label"]: one["score"] for one in found} == expected
    assert recognizer(path, top_k=1) == found[:1]
    assert recognizer(path, top_k=None) == found
    waveform = read_audio(path)
    for source in (str(path), path.read_bytes(), waveform, {"array": waveform, "sampling_rate": 16_000},
                   {"raw": waveform.tolist(), "sampling_rate": 16_000}):  # fmt: skip
        assert recognizer(source)[0]["score"] == pytest.approx(found[0]["score"], abs=1e-5)
    slow = {"array": soxr.resample(waveform, 16_000, 48_000), "sampling_rate": 48_000}
    assert recognizer(slow)[0]["score"] == pytest.approx(found[0]["score"], abs=0.02)


def test_a_list_gives_a_list(recognizer: Recognizer, tiny_corpus: Corpus):
    paths = [tiny_corpus.audio_path(row) for row in range(5)]
    for found, path in zip(recognizer(paths, top_k=1), paths, strict=True):
        (alone,) = recognizer(path, top_k=1)
        assert found == [{"label": alone["label"], "score": pytest.approx(alone["score"], abs=1e-5)}]
    assert recognizer([]) == []


@pytest.mark.parametrize("source", [{}, {"array": np.zeros(400)}, {"sampling_rate": 8_000}, {"path": "a.wav"}], ids=str)
def test_a_mapping_without_samples_or_rate_gets_one_sentence(recognizer: Recognizer, source: dict):
    with pytest.raises(InputError, match='a mapping needs "sampling_rate"'):
        recognizer(source)


# Not sure, and no speech


@pytest.mark.parametrize("threshold", [0.0, 1.0])
@pytest.mark.parametrize("kind", ["silence", "noise", "hum", "a moment", "clicks"])
def test_without_speech_there_is_no_emotion(run: Path, kind: str, threshold: float):
    recognizer = Recognizer.load(run)
    recognizer.fitted.calibration = Calibration(threshold=threshold)
    noise = generator(0, "no speech").standard_normal(64_000)
    sound = {
        "silence": np.zeros(64_000),
        "noise": 0.1 * noise,
        "hum": 0.3 * np.sin(2 * np.pi * 50 * np.arange(64_000) / 16_000),
        "a moment": 0.1 * noise[:800],
        "clicks": 1e-3 * noise + (np.arange(64_000) % 16_000 < 80),
    }[kind]
    prediction = recognizer.predict(sound)
    assert (prediction.emotion, prediction.speech, prediction.verdict) == (None, False, "no speech")
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert {segment.verdict for segment in recognizer.timeline(sound).segments} == {"no speech"}


@pytest.mark.parametrize("before", [0, 100_000, 1_000_000])
def test_a_word_in_a_long_silence_is_speech(recognizer: Recognizer, tiny_corpus: Corpus, before: int):
    word = read_audio(tiny_corpus.audio_path(0))
    sound = np.concatenate([np.zeros(before), word, np.zeros(50_000)])
    assert recognizer.predict(sound).speech
    assert any(segment.speech for segment in recognizer.timeline(sound).segments)


def test_below_its_threshold_it_is_not_sure(run: Path, tiny_corpus: Corpus):
    recognizer = Recognizer.load(run)
    path = tiny_corpus.audio_path(0)
    sure = recognizer.predict(path)
    best = max(sure.probabilities.values())
    for threshold, emotion, verdict in ((best, sure.emotion, sure.emotion), (best + 1e-4, None, "not sure")):
        recognizer.fitted.calibration = Calibration(threshold=threshold)
        prediction = recognizer.predict(path)
        assert (prediction.emotion, prediction.verdict) == (emotion, verdict)
        assert (prediction.probabilities, prediction.speech) == (sure.probabilities, True)
        windows = [window for window in streamed(recognizer, read_audio(path)) if window.posteriors is not None]
        assert [(window.emotion, window.verdict) for window in windows] == [(emotion, verdict)]
        assert recognizer(path)[0]["score"] == pytest.approx(best, abs=1e-6)


def streamed(recognizer: Recognizer, sound: np.ndarray) -> list:
    stream = recognizer.stream()
    return [*stream.push(sound), *stream.finish()]


# The one that comes with the package


@pytest.fixture(scope="module")
def shipped() -> Recognizer:
    return Recognizer.load()


def test_the_shipped_one_is_small_and_whole():
    assert {path.name for path in SHIPPED.iterdir()} == {
        "LICENSE", "README.md", "calibration.svg", "config.json", "model.safetensors",
    }  # fmt: skip
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 5_000_000


def test_the_shipped_one_answers(shipped: Recognizer, tiny_corpus: Corpus):
    assert shipped.emotions == ("angry", "happy", "neutral", "sad")
    assert shipped.fitted.calibration.threshold == 0.5
    assert shipped.fitted.calibration.temperature != 1
    prediction = shipped.predict(tiny_corpus.audio_path(0))
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert prediction.verdict in (*shipped.emotions, "not sure")
    assert shipped.predict(np.zeros(16_000)).verdict == "no speech"
    assert shipped.timeline(tiny_corpus.audio_path(0)).segments


def test_the_shipped_ones_card_and_licence_say_what_they_must(shipped: Recognizer):
    for said in (
        "No decisions about people", "Article 5(1)(f)", "EmoDB", "RAVDESS", "CC BY-NC-SA 4.0", "unheard speakers",
        "URDU", "female", "calibration error", "not sure", "no speech", "python results/recognizer.py",
    ):  # fmt: skip
        assert said in shipped.card, said
    licence = (SHIPPED / "LICENSE").read_text(encoding="utf-8")
    for said in ("https://creativecommons.org/licenses/by-nc-sa/4.0/", "Burkhardt", "Livingstone", "Apache-2.0"):
        assert said in licence, said
    assert shipped.facts["licence"] == "CC-BY-NC-SA-4.0"


@pytest.mark.skipif(not os.environ.get("UNHEARD_CORPORA"), reason="UNHEARD_CORPORA is not set")
def test_the_shipped_one_knows_its_training_speakers(shipped: Recognizer):
    """No exact numbers: whoever has learned from these recordings gets most of them right, and hears speech in all."""
    for name in ("emodb", "ravdess"):
        corpus = Corpus.read(Path(os.environ["UNHEARD_CORPORA"]) / name)
        rows = [row for row, emotion in enumerate(corpus.table["emotion"]) if emotion in shipped.emotions][::10]
        predictions = [shipped.predict(corpus.audio_path(row)) for row in rows]
        assert all(prediction.speech for prediction in predictions)
        surest = [max(one.probabilities, key=one.probabilities.__getitem__) for one in predictions]
        assert np.mean(np.array(surest) == corpus.table["emotion"].iloc[rows]) > 0.6
