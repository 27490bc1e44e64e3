"""The pulses of the front end ``pitch_pulse`` against reference values."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from unheard.frontends.filterbank import Filterbank
from unheard.frontends.pitch_pulse import PitchPulse, nearest_samples, pulse_times

FOLDER = os.environ.get("UNHEARD_ORACLES")
CASES = sorted((Path(FOLDER) / "pitch_pulse").glob("*.npz")) if FOLDER else []
#: The version that the values were made with; others find almost the same pulses.
REFERENCE = "0.4.7"

parselmouth = pytest.importorskip("parselmouth", reason="the extra [praat] is not installed")
pytestmark = [
    pytest.mark.skipif(not CASES, reason="UNHEARD_ORACLES names no folder with pitch_pulse in it"),
    pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem),
]


def wave_and_arrays(case: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    arrays = dict(np.load(case))
    recording = case.with_suffix(".wav")
    wave = soundfile.read(recording, dtype="float64")[0] if recording.is_file() else arrays["wave"]
    train = arrays["pulse_train"] if "pulse_train" in arrays else arrays["pulse_train_int16"] / 32768
    return wave, {**arrays, "pulse_train": train}


def test_times_and_samples(case: Path) -> None:
    wave, expected = wave_and_arrays(case)
    times = pulse_times(wave, 75, 600)
    found = nearest_samples(times)
    if parselmouth.__version__ != REFERENCE:
        assert len(times) == pytest.approx(len(expected["times"]), rel=0.02)
        near = [np.abs(expected["sample_index"] - sample).min() <= 1 for sample in found]
        assert np.mean(near or [True]) >= 0.95
        return
    np.testing.assert_allclose(times, expected["times"], atol=1e-6, rtol=0)
    places = expected["times"] * 16000 - 0.5
    at_a_boundary = np.abs(np.abs(places - np.round(places)) - 0.5) < 1e-3
    assert (np.abs(found - expected["sample_index"]) <= at_a_boundary).all()


def test_the_spectrum_is_that_of_the_pulses(case: Path) -> None:
    if parselmouth.__version__ != REFERENCE:
        pytest.skip(f"exact values are those of parselmouth {REFERENCE}")
    wave, expected = wave_and_arrays(case)
    batch, lengths = torch.from_numpy(wave)[None], torch.tensor([len(wave)])
    pulses = torch.from_numpy(expected["pulse_train"])[None]
    torch.testing.assert_close(PitchPulse().heard(batch, lengths), pulses)
    power, frames = PitchPulse().fixed(batch, lengths)
    reference, reference_frames = Filterbank().fixed(pulses, lengths)
    assert torch.equal(frames, reference_frames)
    torch.testing.assert_close(power, reference)
