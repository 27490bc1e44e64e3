"""The bands of the front end ``filterbank``, warped and not, against reference values."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unheard.frontends.filterbank as module
from unheard.frontends.filterbank import Filterbank
from unheard.frontends.mel import BINS, mel_bank, mel_edges, warp_frequency

FOLDER = os.environ.get("UNHEARD_ORACLES")
FILES = sorted((Path(FOLDER) / "freq_warp_mel").glob("*.npz")) if FOLDER else []
ARRAYS = dict(np.load(FILES[0])) if FILES else {}
BANDS = len(ARRAYS["edges_hz"]) - 2 if ARRAYS else 0
#: What stands behind a name, and the warp it says.
CASES = {"none": 0.0} | {
    found[1]: float(found[2]) for name in ARRAYS if (found := re.fullmatch(r"logmel_(alpha(.+))", name))
}
CLOSE: dict[str, Any] = {"atol": 1e-9, "rtol": 1e-9}

pytestmark = pytest.mark.skipif(not ARRAYS, reason="UNHEARD_ORACLES names no folder with freq_warp_mel in it")
cases = pytest.mark.parametrize("case", CASES)


def alpha_of(case: str) -> torch.Tensor:
    return torch.tensor(CASES[case], dtype=torch.float64)


def test_edges() -> None:
    np.testing.assert_allclose(mel_edges(BANDS), ARRAYS["edges_hz"], **CLOSE)


@cases
@pytest.mark.parametrize("what", ["edges_hz", "fft_bin_hz"])
def test_warped_frequencies(case: str, what: str) -> None:
    name = f"warped_{what.removeprefix('fft_')}_{case}"
    expected = ARRAYS[what if case == "none" else name]
    np.testing.assert_allclose(warp_frequency(torch.from_numpy(ARRAYS[what]), alpha_of(case)), expected, **CLOSE)


@cases
@pytest.mark.parametrize(("triangles", "short"), [("mel", "mel"), ("hertz", "hz")])
def test_banks(case: str, triangles: Any, short: str) -> None:
    expected = ARRAYS[f"bank_{short}_{case}"].T
    assert len(expected) == BINS
    np.testing.assert_allclose(mel_bank(BANDS, alpha_of(case), triangles), expected, **CLOSE)
    if case == "none":
        np.testing.assert_allclose(Filterbank(bands=BANDS, triangles=triangles).bank, expected, **CLOSE)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_log_mel_of_a_batch_with_a_warp_per_item(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, tolerance: float
) -> None:
    alphas = torch.stack([alpha_of(case) for case in CASES])
    monkeypatch.setattr(module, "mel_bank", lambda bands, _, triangles: mel_bank(bands, alphas, triangles))
    power = torch.from_numpy(ARRAYS["power_spectrum"]).to(dtype)
    batch, lengths = power.expand(len(CASES), -1, -1), torch.full((len(CASES),), len(power))
    drawn, _ = Filterbank(bands=BANDS, warp=0.2).draw(batch, lengths, torch.Generator())
    assert drawn.dtype == dtype
    for item, case in zip(drawn, CASES, strict=True):
        np.testing.assert_allclose(item, ARRAYS[f"logmel_{case}"], atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_log_mel_without_a_warp(dtype: torch.dtype, tolerance: float) -> None:
    power = torch.from_numpy(ARRAYS["power_spectrum"]).to(dtype)[None]
    drawn, _ = Filterbank(bands=BANDS).draw(power, torch.tensor([power.shape[1]]))
    np.testing.assert_allclose(drawn[0], ARRAYS["logmel_none"], atol=tolerance, rtol=tolerance)
