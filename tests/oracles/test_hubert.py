"""The network that a recipe runs, over the reference's checkpoints: extractor, every layer, clips and batches."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from unheard.frontends.waveform import standardized
from unheard.networks.ssl_encoder import SslEncoder

pytest.importorskip("transformers")

FOLDER = os.environ.get("UNHEARD_ORACLES")
CASES = sorted(file.parent for file in (Path(FOLDER) / "hubert").glob("*/config.json")) if FOLDER else []
CLOSE = {"atol": 1e-4, "rtol": 0}

pytestmark = pytest.mark.skipif(not CASES, reason="UNHEARD_ORACLES does not name a folder with hubert/*/config.json")


@pytest.fixture(scope="module", params=CASES, ids=lambda folder: folder.name)
def case(request: pytest.FixtureRequest):
    folder = request.param
    with np.load(folder.with_suffix(".npz")) as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file}
    # The waves are in the form that the model gets already.
    return folder, SslEncoder((), model=str(folder), normalize=False).eval(), arrays


def waves(arrays) -> list[torch.Tensor]:
    return [arrays[f"wave{index}"] for index in range(sum(name.startswith("wave") for name in arrays))]


@torch.no_grad()
def test_a_clip_alone(case):
    _, network, arrays = case
    for index, wave in enumerate(waves(arrays)):
        encoded = network.encoder(wave[None], torch.tensor([len(wave)]), every_layer=True)
        torch.testing.assert_close(encoded.local[0], arrays[f"single{index}_extractor"], **CLOSE)
        hidden, last = arrays[f"single{index}_hidden"], arrays[f"single{index}_last"]
        # What the reference calls the last hidden state may stand before the final norm; ours never does.
        for found, expected in zip(encoded.layers, [*hidden[:-1], last], strict=True):
            torch.testing.assert_close(found[0], expected, **CLOSE)
        taps = network(wave[None], torch.tensor([len(wave)]))
        torch.testing.assert_close(taps["local"].values[0], arrays[f"single{index}_extractor"], **CLOSE)
        torch.testing.assert_close(taps["frames"].values[0], last, **CLOSE)
        torch.testing.assert_close(taps["embedding"].values[0], last.mean(0), **CLOSE)


@torch.no_grad()
def test_a_padded_batch_gives_what_clips_alone_give(case):
    _, network, arrays = case
    given = waves(arrays)
    lengths = torch.tensor([len(wave) for wave in given])
    batch = torch.full((len(given), int(lengths.max()) + 100), 9.0)
    for row, wave in zip(batch, given, strict=True):
        row[: len(wave)] = wave
    taps = network(batch, lengths)
    for index in range(len(given)):
        last = arrays[f"single{index}_last"]
        assert int(taps["frames"].lengths[index]) == len(last)
        torch.testing.assert_close(taps["frames"].values[index, : len(last)], last, **CLOSE)
        torch.testing.assert_close(taps["embedding"].values[index], last.mean(0), **CLOSE)
    if network.encoder.takes_mask:
        for index, mask in enumerate(arrays["batch_frame_mask"]):
            expected = arrays["batch_last"][index][mask]
            torch.testing.assert_close(taps["frames"].values[index, : len(expected)], expected, **CLOSE)


def test_an_encoder_is_normalised_as_it_was_pretrained(case):
    """Where every convolution has a layer norm: zero mean and unit variance; where the first has a group norm: not."""
    folder, network, arrays = case
    usual = SslEncoder((), model=str(folder)).eval()
    wave = 0.3 * waves(arrays)[0] + 0.1
    normalised = json.loads((folder / "config.json").read_text())["feat_extract_norm"] == "layer"
    expected = standardized(wave[None], torch.tensor([len(wave)])) if normalised else wave[None]
    with torch.no_grad():
        found = usual(wave[None], torch.tensor([len(wave)]))["frames"].values
        same = network(expected, torch.tensor([len(wave)]))["frames"].values
    torch.testing.assert_close(found, same, **CLOSE)
