"""Every recording of the folder of awkward and broken formats, driven by its manifest."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import soxr

from unheard.audio import SAMPLE_RATE, duration, read_audio
from unheard.errors import InputError

FOLDER = Path(os.environ.get("UNHEARD_FORMATS", "")) if os.environ.get("UNHEARD_FORMATS") else None
TABLE = pd.read_csv(FOLDER / "manifest.csv") if FOLDER else pd.DataFrame(columns=["path", "content", "codec"])
BROKEN = TABLE["content"] == "deliberately broken"
READABLE = {row.path: row for row in TABLE[~BROKEN].itertuples()}

pytestmark = pytest.mark.skipif(FOLDER is None, reason="UNHEARD_FORMATS is not set")

#: Codecs that keep the samples, to at least 16 bits.
LOSSLESS = ("pcm_s16", "pcm_s24", "pcm_s32", "pcm_f", "flac", "alac")
#: Codecs that keep the sound of a voice, but not its waveform.
VOCODERS = ("speex", "amr", "gsm")
#: AAC, Opus and MP3 without a delay in the header shift the sound by a fraction of a sample and cut high frequencies.
LEAST = {"lossless": 0.995, "lossy": 0.95, "vocoder": 0.6, "clipped": 0.85}

Waveform = npt.NDArray[np.float32]


@functools.cache
def waveform(path: str) -> Waveform:
    assert FOLDER is not None
    return read_audio(FOLDER / path)


def is_clipped(samples: Waveform) -> bool:
    return bool(np.mean(np.abs(samples) > 0.99 * np.abs(samples).max()) > 0.01)


@functools.cache
def reference(source: str) -> Waveform:
    """The same recording as it was: 16 kHz, mono, lossless, unclipped."""
    for row in READABLE.values():
        if row.source == source and row.sample_rate == SAMPLE_RATE and row.channels == 1:
            samples = waveform(row.path)
            if row.codec.startswith(LOSSLESS) and not is_clipped(samples):
                return samples
    pytest.skip("there is no lossless recording of it at 16 kHz to compare with")


def aligned_correlation(one: Waveform, other: Waveform) -> float:
    """The correlation at the best delay, up to a tenth of a second: codecs delay; the polarity is free."""
    size = len(one) + len(other)
    across = np.fft.irfft(np.fft.rfft(one, size) * np.fft.rfft(other, size).conj(), size)
    near = np.concatenate([across[: SAMPLE_RATE // 10], across[-SAMPLE_RATE // 10 :]])
    return float(np.abs(near).max() / np.linalg.norm(one) / np.linalg.norm(other))


def test_there_are_cases() -> None:
    assert BROKEN.any()
    assert READABLE


@pytest.mark.parametrize("path", READABLE)
def test_a_readable_recording_is_read(path: str) -> None:
    assert FOLDER is not None
    row, samples = READABLE[path], waveform(path)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert len(samples) / SAMPLE_RATE == pytest.approx(row.duration_s, abs=0.1)
    assert duration(FOLDER / path) == pytest.approx(len(samples) / SAMPLE_RATE, abs=1e-3)
    assert np.abs(samples).max() <= 1.1
    np.testing.assert_array_equal(read_audio((FOLDER / path).read_bytes()), samples)


@pytest.mark.parametrize("path", READABLE)
def test_a_readable_recording_sounds_like_the_original(path: str) -> None:
    row, samples = READABLE[path], waveform(path)
    original = reference(row.source)
    rate = int(row.sample_rate)
    if rate < SAMPLE_RATE:
        original = soxr.resample(soxr.resample(original, SAMPLE_RATE, rate), rate, SAMPLE_RATE)
    kind = "lossless" if row.codec.startswith(LOSSLESS) else "vocoder" if row.codec.startswith(VOCODERS) else "lossy"
    if is_clipped(samples):
        kind = "clipped"
    else:
        # One channel of several, or a level that the encoder changed, but no silence and no sum.
        assert 0.5 < samples.std() / original.std() < 1.5
    assert aligned_correlation(samples, original) > LEAST[kind]


@pytest.mark.parametrize("path", READABLE)
def test_a_part_of_a_readable_recording_is_a_slice(path: str) -> None:
    assert FOLDER is not None
    whole = waveform(path)
    middle = len(whole) / SAMPLE_RATE / 2
    part = read_audio(FOLDER / path, start=middle, end=middle + 0.25)
    begin = round(middle * SAMPLE_RATE)
    np.testing.assert_allclose(part, whole[begin : begin + len(part)], atol=1e-4)
    assert len(part) == SAMPLE_RATE // 4


@pytest.mark.parametrize("path", TABLE["path"][BROKEN])
def test_a_broken_recording_gets_one_sentence(path: str) -> None:
    assert FOLDER is not None
    with pytest.raises(InputError) as problem:
        read_audio(FOLDER / path)
    assert str(problem.value).startswith(f"{FOLDER / path}: ")
    assert "\n" not in str(problem.value)
