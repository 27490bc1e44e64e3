"""From the engine's clean voice to a recording: voice quality, microphone, room and level."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import fft, signal

from unheard.corpora.synthetic.emotions import Cues
from unheard.corpora.synthetic.speakers import CORNERS, Speaker

SAMPLE_RATE = 16000
#: No sample above this (dBFS), and the level of a recording (root mean square) between these.
PEAK, SOFTEST, LOUDEST = -3.0, -38.0, -12.0

_ENVELOPE = signal.butter(1, 30, fs=SAMPLE_RATE, output="sos")
_HISS = signal.butter(2, 1500, "highpass", fs=SAMPLE_RATE, output="sos")

Waveform = NDArray[np.float64]


def record(
    voice: NDArray[np.float32], rate: int, speaker: Speaker, cues: Cues, random: np.random.Generator
) -> Waveform:
    """The engine's voice [samples] at ``rate`` → the recording [samples] in ±1 at 16 kHz."""
    wave = _trimmed(voice.astype(np.float64), rate)
    wave = _wobbled(wave, rate, speaker.jitter + cues.jitter, cues.tremor, speaker.creak + cues.creak, random)
    wave = soxr.resample(wave, rate, SAMPLE_RATE, quality="HQ")
    wave = wave + (speaker.breath + cues.breath) * _breath(wave, random)
    wave = _coloured(np.pad(wave, random.integers(800, 2400, 2)), speaker, speaker.tilt + cues.tilt)
    level = float(np.clip(speaker.level + cues.level, SOFTEST, LOUDEST))
    wave *= _gain(level) / np.sqrt(np.square(wave).mean())
    wave += _gain(speaker.level - speaker.noise) * random.standard_normal(wave.size)
    return np.asarray(wave * min(1.0, _gain(PEAK) / np.abs(wave).max()))


def _gain(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _trimmed(wave: Waveform, rate: int) -> Waveform:
    """Without what is 45 dB below the peak at both ends."""
    loud = np.flatnonzero(np.abs(wave) > _gain(-45) * np.abs(wave).max())
    return wave[loud[0] : loud[-1] + rate // 200]


def _wobbled(
    wave: Waveform, rate: int, jitter: float, tremor: float, creak: float, random: np.random.Generator
) -> Waveform:
    """Irregular and trembling pitch by moving in time, trembling and creaking level by multiplying."""
    time = np.arange(wave.size) / rate
    shake = np.sin(2 * np.pi * (random.uniform(4.5, 6.5) * time + random.uniform()))
    # A speed that differs by a few per cent every 8 ms is heard as a rough voice.
    steps = random.standard_normal(int(time[-1] / 0.008) + 2)
    speed = 1 + 0.02 * jitter * np.interp(time, 0.008 * np.arange(steps.size), steps) + 0.02 * tremor * shake
    position = np.cumsum(np.maximum(speed, 0.5)) - speed[0]
    wave = np.interp(position[position < wave.size - 1], np.arange(wave.size), wave)
    gain = 1 + 0.3 * np.minimum(tremor, 1.5) * shake[: wave.size]
    fading = random.uniform(32, 48) * time[: wave.size] % 1
    late = np.clip(np.linspace(-0.6, 1, wave.size), 0, 1)
    return np.asarray(wave * gain * (1 - min(creak, 0.9) * late * fading))


def _breath(wave: Waveform, random: np.random.Generator) -> Waveform:
    """Noise above 1.5 kHz that follows the envelope of the voice."""
    envelope = signal.sosfilt(_ENVELOPE, np.abs(wave))
    return np.asarray(envelope * signal.sosfilt(_HISS, random.standard_normal(wave.size)))


def _coloured(wave: Waveform, speaker: Speaker, tilt: float) -> Waveform:
    """Filtered by voice (``tilt`` dB per octave about 500 Hz), microphone and room, in one multiplication."""
    size = fft.next_fast_len(wave.size + speaker.room.size, real=True)
    frequency = np.maximum(fft.rfftfreq(size, 1 / SAMPLE_RATE), 1.0)
    decibels = np.interp(np.log(frequency), np.log(CORNERS), speaker.colour)
    decibels += tilt * np.log2(np.clip(frequency, 125, None) / 500)
    spectrum = fft.rfft(wave, size) * fft.rfft(speaker.room, size) * 10 ** (decibels / 20)
    return np.asarray(fft.irfft(spectrum, size)[: wave.size])
