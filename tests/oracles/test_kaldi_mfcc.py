"""The front end ``mfcc`` against what Kaldi-compatible tools give for real speech."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from unheard.frontends.activity import energy_activity
from unheard.frontends.deltas import add_deltas
from unheard.frontends.mfcc import Mfcc

FOLDER = os.environ.get("UNHEARD_ORACLES")
CASES = sorted((Path(FOLDER) / "kaldi_mfcc").glob("clip*.npz")) if FOLDER else []
SETTINGS = ("vad_energy_threshold", "vad_energy_mean_scale", "vad_frames_context", "vad_proportion_threshold")
RULES = {"xvector": (5.5, 0.5, 2, 0.12), "sre08": (5.5, 0.5, 0, 0.6), "default": (5.0, 0.5, 0, 0.6)}

pytestmark = pytest.mark.skipif(not CASES, reason="UNHEARD_ORACLES names no folder with kaldi_mfcc in it")
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)


def features(case: Path, **settings: Any) -> np.ndarray:
    waveform, rate = soundfile.read(case.with_suffix(".wav"), dtype="float32")
    assert rate == 16000
    made, lengths = Mfcc(**settings).fixed(torch.from_numpy(waveform)[None], torch.tensor([len(waveform)]))
    return made[0, : lengths[0]].numpy()


@cases
@pytest.mark.parametrize("use_energy", [True, False])
def test_cepstra(case: Path, use_energy: bool) -> None:
    expected = np.load(case)["mfcc_energy" if use_energy else "mfcc_c0"]
    made = features(case, deltas=0, activity="none", use_energy=use_energy)
    np.testing.assert_allclose(made, expected, atol=5e-3, rtol=0)
    assert (np.abs(made - expected) <= 1e-3).mean() >= 0.99
    if use_energy:
        np.testing.assert_allclose(made[:, 0], expected[:, 0], atol=1e-4, rtol=0)


@cases
@pytest.mark.parametrize("kind", ["energy", "c0"])
def test_derivatives(case: Path, kind: str) -> None:
    arrays = np.load(case)
    static = torch.from_numpy(arrays[f"mfcc_{kind}"])[None]
    made = add_deltas(static, torch.tensor([static.shape[1]]))[0]
    np.testing.assert_allclose(made, arrays[f"delta39_{kind}"], atol=1e-5, rtol=0)


@cases
@pytest.mark.parametrize("rule", RULES)
def test_voiced_frames_from_stored_energy(case: Path, rule: str) -> None:
    arrays = np.load(case)
    energy = torch.from_numpy(arrays["mfcc_energy"][:, 0])[None]
    voiced = energy_activity(energy, torch.tensor([energy.shape[1]]), *RULES[rule])
    np.testing.assert_array_equal(voiced[0], arrays[f"vad_{rule}"])


@cases
@pytest.mark.parametrize("rule", RULES)
def test_voiced_frames_from_the_recording(case: Path, rule: str) -> None:
    arrays = np.load(case)
    voiced = arrays[f"vad_{rule}"]
    if voiced.sum() < 20:  # too few for the front end, which then keeps all
        voiced = np.ones_like(voiced)
    expected = arrays["delta39_energy"][voiced]
    made = features(case, **dict(zip(SETTINGS, RULES[rule], strict=True)))
    assert len(made) == max(20, len(expected))
    np.testing.assert_allclose(made[: len(expected)], expected, atol=5e-3, rtol=0)


@cases
def test_the_defaults_are_those_of_the_x_vector_recipes(case: Path) -> None:
    expected = np.load(case)["voiced_delta39"]
    if len(expected) < 20:
        pytest.skip("too few voiced frames for the front end, which then keeps all")
    np.testing.assert_allclose(features(case), expected, atol=5e-3, rtol=0)
