"""What is speech: what rises and falls and lasts, however loud; not silence, noise, hum, rumble or a click."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unheard.seeds import generator
from unheard.timeline.activity import runs, speech_frames, tidied

Speak = Callable[..., np.ndarray]


def noise(exponent: float) -> np.ndarray:
    """Three seconds whose power falls with frequency to the power of ``exponent``, at −26 dB."""
    frequencies = np.fft.rfftfreq(48_000, 1 / 16_000)
    spectrum = np.fft.rfft(generator(0, "noise", exponent).standard_normal(48_000))
    spectrum *= frequencies.clip(min=frequencies[1]) ** (-exponent / 2)
    sound = np.fft.irfft(spectrum)
    return np.asarray(0.05 * sound / sound.std(), dtype=np.float32)


NOT_SPEECH = {
    "silence": np.zeros(48_000, np.float32),
    "one value": np.full(48_000, 0.3, np.float32),
    "white": noise(0),
    "pink": noise(1),
    "rumble": noise(2),
    "hum": np.sin(2 * np.pi * 50 * np.arange(48_000) / 16_000).astype(np.float32),
    "a click": (0.02 * noise(0) + 0.5 * (np.arange(48_000) // 500 == 20)).astype(np.float32),
    "a moment": np.ones(1, np.float32),
    "a short one": noise(0)[:1_500],
}


@pytest.mark.parametrize("name", NOT_SPEECH)
def test_what_is_no_speech(name: str):
    assert not speech_frames(NOT_SPEECH[name]).any()


def test_speech_is_found_where_it_is(speak: Speak):
    sound = np.concatenate([np.zeros(16_000), speak(2), np.zeros(24_123)]).astype(np.float32)
    frames = speech_frames(sound + 1e-4 * generator(0, "floor").standard_normal(len(sound)).astype(np.float32))
    assert len(frames) == -(-len(sound) // 160)
    ((start, end),) = runs(frames)
    assert (start / 100, end / 100) == pytest.approx((1, 3), abs=0.12)


@pytest.mark.parametrize("decibels", [-40, 0, 20])
def test_the_gain_does_not_matter(speak: Speak, decibels: float):
    sound = speak(3)
    assert (speech_frames(sound * np.float32(10 ** (decibels / 20))) == speech_frames(sound)).all()


@pytest.mark.parametrize("ratio", [30, 15])
def test_noise_below_speech_is_no_matter(speak: Speak, ratio: float):
    sound = np.concatenate([np.zeros(8_000, np.float32), speak(2), np.zeros(8_000, np.float32)])
    noisy = sound + noise(0) * np.float32(sound.std() / 0.05 * 10 ** (-ratio / 20))
    assert (speech_frames(noisy) == speech_frames(sound)).mean() > 0.9


@given(st.lists(st.booleans(), max_size=300))
def test_tidied_has_no_short_sounds_and_no_short_pauses_between(values: list[bool]):
    active = tidied(np.array(values, np.bool_))
    assert all(end - start >= 10 for start, end in runs(active))
    pauses = [(start, end) for start, end in runs(~active) if start > 0 and end < len(active)]
    assert (tidied(tidied(active)) == tidied(active)).all()
    assert all(end - start >= 10 for start, end in pauses)
