from __future__ import annotations

import numpy as np
import pytest

from unheard.corpora.synthetic.emotions import Cues
from unheard.corpora.synthetic.sound import LOUDEST, PEAK, SAMPLE_RATE, SOFTEST, record
from unheard.corpora.synthetic.speakers import draw_speaker

RATE = 22050
PLAIN = Cues(*[0.0] * 9)


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """One and a half seconds of a buzz at 120 Hz, in silence."""
    time = np.arange(int(1.5 * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 40))
    return np.pad(0.2 * np.asarray(buzz), 8000).astype(np.float32)


def recorded(voice: np.ndarray, speaker: int = 0, **cues: float) -> np.ndarray:
    return record(voice, RATE, draw_speaker(speaker, ("en",), 0), PLAIN._replace(**cues), np.random.default_rng(0))


def band(wave: np.ndarray, low: float, high: float) -> float:
    frequency = np.fft.rfftfreq(wave.size, 1 / SAMPLE_RATE)
    power = np.abs(np.fft.rfft(wave)) ** 2
    return float(10 * np.log10(power[(frequency > low) & (frequency < high)].sum()))


def test_length_without_the_silence_around(voice: np.ndarray) -> None:
    assert 1.5 < recorded(voice).size / SAMPLE_RATE < 1.85


@pytest.mark.parametrize("level", [-60.0, 0.0, 60.0])
def test_level_stays_in_its_limits(voice: np.ndarray, level: float) -> None:
    wave = recorded(voice, level=level)
    decibels = 10 * np.log10(np.square(wave).mean())
    assert SOFTEST - 2 < decibels < LOUDEST + 0.5
    assert 20 * np.log10(np.abs(wave).max()) <= PEAK + 1e-6


def test_a_louder_cue_is_louder(voice: np.ndarray) -> None:
    softer, louder = (10 * np.log10(np.square(recorded(voice, level=x)).mean()) for x in (-3.0, 3.0))
    assert louder - softer == pytest.approx(6, abs=0.5)


def test_tilt_and_breath_add_brightness(voice: np.ndarray) -> None:
    def bright(**cues: float) -> float:
        wave = recorded(voice, **cues)
        return band(wave, 2000, 7900) - band(wave, 80, 1000)

    assert bright(tilt=2.0) > bright() + 3
    assert bright(tilt=-2.0) < bright() - 3
    assert bright(breath=1.0) > bright() + 1


def test_tremor_creak_and_jitter_change_the_voice(voice: np.ndarray) -> None:
    plain = recorded(voice)
    for cue in ("tremor", "creak", "jitter"):
        changed = recorded(voice, **{cue: 0.8})
        size = min(plain.size, changed.size)
        assert np.abs(plain[:size] - changed[:size]).max() > 0.01


def test_every_speaker_is_recorded_differently(voice: np.ndarray) -> None:
    colours = [[band(recorded(voice, index), low, low * 2) for low in (100, 400, 1600, 3200)] for index in range(4)]
    assert np.ptp(np.array(colours), axis=0).min() > 2
