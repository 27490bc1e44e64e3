"""The front end ``spectrogram`` as the adversarial autoencoder takes it, against a float64 evaluation."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from unheard.frontends.spectrogram import Spectrogram
from unheard.recipe import Recipe

FOLDER = os.environ.get("UNHEARD_ORACLES")
CASES = sorted((Path(FOLDER) / "aae_spectrogram").glob("clip*.npz")) if FOLDER else []
SETTINGS = {
    "window": 25, "transform": 512, "highest": 8000, "average": 2, "level": "log_power", "floor": 1e-6,
    "normalize": "train", "channels": "single", "piece": None, "frames": 256,
}  # fmt: skip

pytestmark = pytest.mark.skipif(not CASES, reason="UNHEARD_ORACLES names no folder with aae_spectrogram in it")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-8), (torch.float32, 2e-3)], ids=str)
def test_levels(case: Path, dtype: torch.dtype, tolerance: float) -> None:
    expected = np.load(case)["log_spectrogram"]
    waveform, rate = soundfile.read(case.with_suffix(".wav"), dtype="float64")
    assert rate == 16000
    front_end = Spectrogram(**SETTINGS)
    made, lengths = front_end.fixed(torch.from_numpy(waveform).to(dtype)[None], torch.tensor([len(waveform)]))
    assert lengths.tolist() == [expected.shape[1]]
    assert made.dtype == dtype
    np.testing.assert_allclose(made[0].T, expected, atol=tolerance, rtol=0)
    assert front_end.shape == (1, len(expected))
    pictures, _ = front_end.draw(made, lengths)
    torch.testing.assert_close(pictures[0, 0, :, : expected.shape[1]], made[0].T)


def test_these_are_the_settings_of_the_recipe() -> None:
    settings = Recipe.load("aae").front_end.settings
    assert {name: settings[name] for name in SETTINGS} == SETTINGS
