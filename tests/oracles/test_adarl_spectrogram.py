"""The front end ``spectrogram`` as ADARL takes it, against a float64 evaluation for real speech."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from unheard.frontends.spectrogram import Spectrogram

FOLDER = os.environ.get("UNHEARD_ORACLES")
CASES = sorted((Path(FOLDER) / "adarl_spectrogram").glob("clip*.npz")) if FOLDER else []

pytestmark = pytest.mark.skipif(not CASES, reason="UNHEARD_ORACLES names no folder with adarl_spectrogram in it")
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)


def levels(case: Path, dtype: torch.dtype, front_end: Spectrogram) -> np.ndarray:
    """[frequency, time]"""
    waveform, rate = soundfile.read(case.with_suffix(".wav"), dtype="float64")
    assert rate == 16000
    made, lengths = front_end.fixed(torch.from_numpy(waveform).to(dtype)[None], torch.tensor([len(waveform)]))
    assert lengths.tolist() == [made.shape[1]]
    assert made.dtype == dtype
    return made[0].T.numpy()


@cases
@pytest.mark.parametrize("window", [20, 40])
def test_levels(case: Path, window: int) -> None:
    expected = np.load(case)[f"spec_{window}ms"]
    front_end = Spectrogram(window=window)
    np.testing.assert_allclose(levels(case, torch.float64, front_end), expected, atol=1e-6, rtol=0)
    heard = expected > -60
    made = levels(case, torch.float32, front_end)
    assert made.shape == expected.shape
    np.testing.assert_allclose(made[heard], expected[heard], atol=0.02, rtol=0)


@cases
def test_of_several_windows_the_longest_says_where_frames_lie(case: Path) -> None:
    arrays = np.load(case)
    made = levels(case, torch.float64, Spectrogram(window=(20, 40), channels="multires"))
    np.testing.assert_allclose(made[400:], arrays["spec_40ms"], atol=1e-6, rtol=0)
    # The middle of 40 ms that start at one frame are the 20 ms that start at the next.
    np.testing.assert_allclose(made[:400], arrays["spec_20ms"][:, 1:-1], atol=1e-6, rtol=0)
