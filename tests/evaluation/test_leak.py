"""A planted speaker is found, noise gives chance, and what cannot be probed is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from unheard.evaluation.leak import measure_leak, probe_accuracy
from unheard.seeds import generator

SPEAKERS, EACH, WIDTH = 4, 25, 8


def utterances(speakers: int = SPEAKERS, each: int = EACH) -> pd.DataFrame:
    names = np.repeat([f"s{i}" for i in range(speakers)], each)
    return pd.DataFrame(
        {"speaker": names, "emotion": ["angry", "sad"] * (len(names) // 2) + ["sad"] * (len(names) % 2)}
    )


def noise(table: pd.DataFrame, name: str = "noise") -> np.ndarray:
    return generator(0, name).standard_normal((len(table), WIDTH), dtype=np.float32)


def planted(table: pd.DataFrame, strength: float) -> np.ndarray:
    """Noise with a code of the speaker in it, on scales of its own."""
    numbers = pd.factorize(table["speaker"])[0]
    codes = generator(0, "codes").standard_normal((numbers.max() + 1, WIDTH))
    scales = generator(0, "scales").uniform(0.001, 1000, WIDTH)
    return ((noise(table) + strength * codes[numbers]) * scales).astype(np.float32)


def frames(values: np.ndarray) -> list[np.ndarray]:
    """Sequences whose mean over time is the given vector."""
    return [row + np.array([[-1], [0], [1]], dtype=np.float32) for row in values]


def test_a_planted_speaker_is_found():
    table = utterances()
    leak = measure_leak(planted(table, 5.0), frames(noise(table)), table)
    assert leak is not None
    assert leak.probe > 0.95
    assert leak.raw < 0.45
    assert (leak.chance, leak.speakers, leak.utterances) == (0.25, SPEAKERS, SPEAKERS * EACH)


def test_noise_gives_chance_while_raw_features_tell():
    table = utterances()
    leak = measure_leak(noise(table), frames(planted(table, 5.0)), table)
    assert leak is not None
    assert abs(leak.probe - leak.chance) < 0.12
    assert leak.raw > 0.95


def test_a_speaker_in_the_spread_over_time_is_found_in_the_raw_features():
    table = utterances()
    spread = 1.0 + pd.factorize(table["speaker"])[0]
    features = [generator(0, "f", i).standard_normal((60, 3)).astype(np.float32) * spread[i] for i in range(len(table))]
    leak = measure_leak(noise(table), features, table)
    assert leak is not None
    assert leak.raw > 0.9


def test_more_of_the_speaker_leaks_more():
    table = utterances()
    accuracies = [
        probe_accuracy(planted(table, strength), table["speaker"].to_numpy(dtype=np.str_)) for strength in (0, 0.3, 3)
    ]
    assert accuracies == sorted(accuracies)
    assert accuracies[-1] - accuracies[0] > 0.5


def test_what_the_emotion_tells_stands_beside_it():
    table = utterances(speakers=2, each=20)
    table["emotion"] = np.where(table["speaker"] == "s0", "angry", "sad")
    leak = measure_leak(noise(table), frames(noise(table)), table)
    assert leak is not None
    assert leak.emotion == 1.0
    assert leak.chance == 0.5
    assert leak.probe < 0.75


def test_a_speaker_with_few_utterances_is_left_out():
    table = pd.concat([utterances(2, 20), utterances(1, 4).assign(speaker="rare")], ignore_index=True).sample(
        frac=1, random_state=0
    )
    leak = measure_leak(noise(table), frames(noise(table)), table)
    assert leak is not None
    assert (leak.speakers, leak.utterances, leak.chance) == (2, 40, 0.5)


@pytest.mark.parametrize(
    "table", [utterances(1, 20), utterances(6, 4), utterances(0, 0)], ids=["one", "few each", "none"]
)
def test_fewer_than_two_speakers_to_tell_apart_give_none(table: pd.DataFrame):
    assert measure_leak(noise(table), frames(noise(table)), table) is None


def test_the_same_seed_gives_the_same_leak():
    table = utterances()
    tap, raw = planted(table, 0.5), frames(noise(table))
    assert measure_leak(tap, raw, table, seed=3) == measure_leak(tap, raw, table, seed=3)


def test_one_vector_per_utterance_is_taken_as_it_is():
    table = utterances()
    values = planted(table, 5.0)
    leak = measure_leak(values, list(values[:, None]), table)
    assert leak is not None
    assert leak.raw == leak.probe
