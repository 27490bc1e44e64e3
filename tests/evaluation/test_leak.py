"""A planted speaker is found, noise gives chance, and what cannot be probed is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info, threadpool_limits

from unheard.evaluation.leak import Leak, measure_leak, pooled
from unheard.seeds import generator

SPEAKERS, EACH, WIDTH = 4, 25, 8


def utterances(speakers: int = SPEAKERS, each: int = EACH) -> pd.DataFrame:
    names = np.repeat([f"s{i}" for i in range(speakers)], each)
    return pd.DataFrame(
        {
            "speaker": names,
            "gender": np.repeat([("female", "male")[index % 2] for index in range(speakers)], each),
            "emotion": ["angry", "sad"] * (len(names) // 2) + ["sad"] * (len(names) % 2),
        }
    )


def noise(table: pd.DataFrame, width: int = WIDTH, name: str = "noise") -> np.ndarray:
    return generator(0, name).standard_normal((len(table), width), dtype=np.float32)


def planted(table: pd.DataFrame, strength: float, column: str = "speaker") -> np.ndarray:
    """Noise with a code of the speaker in it, on scales of its own."""
    numbers = pd.factorize(table[column])[0]
    codes = generator(0, "codes").standard_normal((numbers.max() + 1, WIDTH))
    scales = generator(0, "scales").uniform(0.001, 1000, WIDTH)
    return ((noise(table) + strength * codes[numbers]) * scales).astype(np.float32)


def crossed(table: pd.DataFrame) -> np.ndarray:
    """Two speakers, of whom each lies in two opposite corners: no straight line parts them."""
    random = generator(0, "corners")
    one = random.integers(0, 2, len(table))
    other = (one + pd.factorize(table["speaker"])[0]) % 2
    corners = np.stack([one, other], axis=1) * 2 - 1 + 0.2 * random.standard_normal((len(table), 2))
    return np.hstack([corners, noise(table)]).astype(np.float32)


def measured(tap: np.ndarray, raw: np.ndarray, table: pd.DataFrame, column: str = "speaker", seed: int = 0) -> Leak:
    leak = measure_leak(tap, raw, table, column, seed)
    assert leak is not None
    return leak


def test_a_tap_that_is_the_speaker_leaks_everything():
    table = utterances()
    leak = measured(pd.get_dummies(table["speaker"]).to_numpy(dtype=np.float32), noise(table), table)
    assert (leak.probe, leak.nonlinear) == (1, 1)
    assert (leak.chance, leak.speakers, leak.utterances) == (0.25, SPEAKERS, SPEAKERS * EACH)
    assert max(leak.raw, leak.raw_nonlinear) < 0.4


def test_noise_gives_chance_while_raw_features_tell():
    table = utterances()
    leak = measured(noise(table), planted(table, 5.0), table)
    assert abs(leak.probe - leak.chance) < 0.12
    assert abs(leak.nonlinear - leak.chance) < 0.12
    assert min(leak.raw, leak.raw_nonlinear) > 0.95


@pytest.mark.parametrize("each", [40, 100])
def test_crossed_speakers_are_read_by_the_nonlinear_probe_only(each):
    table = utterances(2, each)
    leak = measured(crossed(table), noise(table), table)
    assert leak.probe < 0.65
    assert leak.nonlinear > 0.95


@pytest.mark.parametrize("each", [5, 10])
def test_the_nonlinear_probe_reads_what_the_linear_one_reads_from_few_utterances(each):
    table = utterances(8, each)
    leak = measured(planted(table, 2.0), noise(table), table)
    assert leak.probe > 0.6
    assert leak.nonlinear > leak.probe - 0.06


def test_the_axes_of_many_values_do_not_matter():
    """More values than utterances are turned onto fewer axes: empty ones beside them change nothing."""
    table = utterances(4, 10)
    tap = planted(table, 1.0)
    wide = np.hstack([tap, np.zeros((len(table), 200), np.float32)])
    few, many = (measured(values, noise(table), table) for values in (tap, wide))
    assert few.probe == pytest.approx(many.probe, abs=0.03)
    assert 0.5 < few.probe < 1


def test_more_of_the_speaker_leaks_more():
    table = utterances()
    leaks = [measured(planted(table, strength), noise(table), table) for strength in (0, 0.5, 3)]
    for probe in ("probe", "nonlinear"):
        accuracies = [getattr(leak, probe) for leak in leaks]
        assert accuracies == sorted(accuracies)
        assert accuracies[-1] - accuracies[0] > 0.5


def test_what_the_emotion_tells_stands_beside_it():
    table = utterances(4, 20)
    table["emotion"] = np.where(table["speaker"].isin(["s0", "s1"]), "angry", "sad")
    leak = measured(noise(table), noise(table), table)
    assert leak.chance == 0.25
    assert leak.emotion == pytest.approx(0.5, abs=0.02)  # one of the two speakers with that emotion
    assert leak.probe < 0.4


def test_an_emotion_that_tells_nothing_is_chance_and_not_below():
    table = utterances(4, 24)
    table["emotion"] = ["angry", "happy", "sad"] * 32  # each speaker has each equally often
    assert measured(noise(table), noise(table), table).emotion == 0.25


@pytest.mark.parametrize("emotion", [None, np.nan], ids=["no column", "no label"])
def test_speakers_without_emotion_labels_can_be_probed(emotion):
    table = utterances().drop(columns="emotion")
    table = table if emotion is None else table.assign(emotion=emotion)
    leak = measured(planted(table, 5.0), noise(table), table)
    assert leak.probe > 0.95
    assert leak.emotion is None


def test_a_speaker_with_few_utterances_is_left_out():
    table = pd.concat([utterances(2, 20), utterances(1, 4).assign(speaker="rare")], ignore_index=True).sample(
        frac=1, random_state=0
    )
    leak = measured(noise(table), noise(table), table)
    assert (leak.speakers, leak.utterances, leak.chance) == (2, 40, 0.5)


@pytest.mark.parametrize(
    "table", [utterances(1, 20), utterances(6, 4), utterances(0, 0)], ids=["one", "few each", "none"]
)
def test_fewer_than_two_speakers_to_tell_apart_give_none(table: pd.DataFrame):
    assert measure_leak(noise(table), noise(table), table) is None


def test_knowing_the_speakers_does_not_tell_their_gender():
    """A tap that is the speaker tells the gender of nobody it was not fitted on."""
    table = utterances(12, 10)
    tap = pd.get_dummies(table["speaker"]).to_numpy(dtype=np.float32)
    assert measured(tap, noise(table), table).probe == 1
    leak = measured(tap, noise(table), table, "gender")
    assert leak.probe <= 0.6
    assert (leak.chance, leak.speakers, leak.utterances) == (0.5, 12, 120)


def test_a_gender_that_is_there_is_found_in_new_speakers():
    table = utterances(5, 10)
    leak = measured(planted(table, 4.0, "gender"), noise(table), table, "gender")
    assert min(leak.probe, leak.nonlinear) > 0.95
    assert leak.raw < 0.7
    assert leak.chance == 0.6


def test_utterances_without_a_gender_are_left_out():
    table = utterances(6, 10)
    table.loc[table["speaker"] == "s5", "gender"] = np.nan
    leak = measured(noise(table), noise(table), table, "gender")
    assert (leak.speakers, leak.utterances) == (5, 50)


@pytest.mark.parametrize(
    "table",
    [
        utterances().drop(columns="gender"),
        utterances().assign(gender="female"),
        utterances(3),  # two women, one man
        utterances().assign(gender=np.nan),
        utterances(0, 0),
    ],
    ids=["no column", "one value", "one man", "no label", "none"],
)
def test_a_gender_without_two_speakers_each_gives_none(table: pd.DataFrame):
    assert measure_leak(noise(table), noise(table), table, "gender") is None


def test_the_same_seed_gives_the_same_leak():
    table = utterances()
    tap, raw = planted(table, 0.5), noise(table)
    for column in ("speaker", "gender"):
        assert measured(tap, raw, table, column, 3) == measured(tap, raw, table, column, 3)
    assert measured(tap, raw, table, seed=3) != measured(tap, raw, table, seed=4)


def test_a_probe_has_one_thread(monkeypatch: pytest.MonkeyPatch):
    """As the run around it: two runs side by side, each with all cores, would wait for each other."""
    threads = []

    class Watched(LogisticRegression):
        def fit(self, *given):
            threads.extend(library["num_threads"] for library in threadpool_info())
            return super().fit(*given)

    monkeypatch.setattr("unheard.evaluation.leak.LogisticRegression", Watched)
    with threadpool_limits(2):
        measured(noise(utterances()), noise(utterances()), utterances())
    assert set(threads) == {1}


def test_a_classical_models_tap_is_its_features():
    table = utterances()
    values = planted(table, 1.0)
    leak = measured(values, values.copy(), table)
    assert (leak.raw, leak.raw_nonlinear) == (leak.probe, leak.nonlinear)


def test_features_are_pooled_over_time():
    random = generator(0, "frames")
    features = [random.standard_normal((length, 3, 2)).astype(np.float32) for length in (40, 1, 60)]
    values = pooled(features)
    assert values.shape == (3, 12)
    assert np.allclose(values[2], np.concatenate([features[2].mean(axis=0).ravel(), features[2].std(axis=0).ravel()]))
    assert not values[1, 6:].any()
    one_frame_each = [random.standard_normal((1, 5)).astype(np.float32) for _ in range(4)]
    assert np.array_equal(pooled(one_frame_each), np.concatenate(one_frame_each))
