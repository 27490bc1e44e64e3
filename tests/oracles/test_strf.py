"""The receptive fields of the network ``strfnet``, and its parameter counts, against reference values."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.networks.layers import FrameGru
from unheard.networks.receptive_fields import Gabor, ReceptiveFields, Wavelet
from unheard.recipe import Recipe
from unheard.training.fitted import build_front_end, build_model

FOLDER = Path(os.environ["UNHEARD_ORACLES"]) / "strf" if "UNHEARD_ORACLES" in os.environ else None
DESCRIPTION = json.loads((FOLDER / "description.json").read_text()) if FOLDER and FOLDER.is_dir() else {}
KERNELS: dict[str, dict[str, Any]] = DESCRIPTION.get("kernels", {})
COUNTS: dict[str, dict[str, int]] = {
    name: counts
    for name, counts in DESCRIPTION.get("parameter_counts_30_mel_4_classes_32_kernels", {}).items()
    if isinstance(counts, dict)
}

pytestmark = pytest.mark.skipif(not DESCRIPTION, reason="UNHEARD_ORACLES names no folder with strf in it")
cases = pytest.mark.parametrize("case", KERNELS)


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    assert FOLDER is not None
    return dict(np.load(FOLDER / "strf.npz"))


def fields(case: dict[str, Any]) -> ReceptiveFields:
    """The kernels of a case."""
    count = len(case["rates"])
    made: ReceptiveFields
    if "phis" in case:
        made = Wavelet(
            count,
            case["frame_rate"],
            case["bins_per_octave"],
            case["time_support_s"],
            case["frequency_support_octaves"],
        )
        assert made.points == case["dft_size"]
        names = {"rates": "rates", "scales": "scales", "spectral_phases": "phis", "temporal_phases": "thetas"}
    else:
        made = Gabor(count, case["time_support_requested"], case["frequency_support_requested"])
        names = {"rates": "rates", "scales": "scales"}
    made.load_state_dict({ours: torch.tensor(case[theirs]) for ours, theirs in names.items()})
    return made


@cases
@torch.no_grad()
def test_kernels(case: str, arrays: dict[str, np.ndarray]) -> None:
    kernels = fields(KERNELS[case]).kernels()
    assert list(kernels.shape) == KERNELS[case]["kernel_shape"]
    np.testing.assert_allclose(kernels, arrays[f"{case}_kernels"], atol=1e-5, rtol=0)


@cases
@torch.no_grad()
def test_outputs(case: str, arrays: dict[str, np.ndarray]) -> None:
    found = fields(KERNELS[case])(torch.from_numpy(arrays["logmel"])[:, None])
    expected = arrays[f"{case}_output"]
    np.testing.assert_allclose(found, expected, atol=max(1e-3, 1e-4 * np.abs(expected).max()), rtol=0)


def parameters(*modules: nn.Module | None) -> int:
    return sum(parameter.numel() for module in modules if module for parameter in module.parameters())


@pytest.mark.parametrize("case", COUNTS)
def test_parameter_counts_are_those_of_the_recipes(case: str) -> None:
    hybrid, kernel = case.startswith("hybrid"), "3" if case.endswith("kernel3") else "5"
    modulation = next((kind for kind in ("gabor", "wavelet") if kind in case), "none")
    name = {"cnn": "strfnet-spectrogram"}.get(case.partition("_")[0], "strfnet-modulation")
    name = "strfnet-spectrogram-modulation" if hybrid else name
    recipe = Recipe.load(name, [f"network.modulation={modulation}", f"network.kernel={kernel}"])
    words = Vocabulary("emotion", ("angry", "happy", "neutral", "sad"))
    model = build_model(recipe, build_front_end(recipe), {"emotion": words})
    network = model.network
    expected = COUNTS[case]
    if "two_gru_layers" in case:
        network.gru = FrameGru(recipe.value("network.width"), recipe.value("network.width"), layers=2)
    assert parameters(model) == expected["total"]
    parts = {
        "strf_layer": network.modulation,
        "conv_layer": network.convolution,
        "residual": network.blocks,
        "linear": network.linear,
        "gru": network.gru,
        "attention": network.pooling,
        "output": model.term("emotion"),
    }
    for part in set(parts) & set(expected):
        assert parameters(parts[part]) == expected[part], part
    assert expected.get("linear_input_size", network.linear.in_features) == network.taps["local"]
