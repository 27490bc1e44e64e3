"""Reconstruction: what it decodes with, what its error is, and that any method can have it."""

from __future__ import annotations

import pytest
import torch

from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.reconstruction import Reconstruction
from unheard.networks.network import Maps, Tap

TAPS = {"input": Maps(1, 8, 8), "latent": Maps(3, 2, 2), "code": 5}
BATCH = Batch(torch.zeros(4, 1, 8, 8), torch.full((4,), 8))


def read(term: Reconstruction) -> tuple[dict[str, Tap], torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    values = {name: torch.randn(4, width, generator=draw) for name, width in TAPS.items()}
    return term.read({name: Tap(each) for name, each in values.items()}, 0.0), values["input"]


@pytest.mark.parametrize(("error", "scale"), [("mean", 1), ("sum", 64)])
def test_the_error_is_that_of_all_values(error: str, scale: int) -> None:
    torch.manual_seed(0)
    term = Reconstruction(TAPS, None, channels=(4,), error=error)  # type: ignore[arg-type]
    found, features = read(term)
    assert found["output"].values.shape == (4, 64)
    assert term.taps == {"output": 64}
    expected = scale * (features - found["output"].values).square().mean()
    torch.testing.assert_close(term.loss(found, BATCH), expected)


def test_a_code_without_maps_is_decoded_by_a_layer() -> None:
    term = Reconstruction(TAPS, None, tap="code")
    assert read(term)[0]["output"].values.shape == (4, 64)
    assert sum(weight.numel() for weight in term.parameters()) == 5 * 64 + 64


def test_a_rate_of_its_own() -> None:
    assert Reconstruction(TAPS, None, channels=(4,), learning_rate=0.5).optimizer_options == {"lr": 0.5}


def test_what_does_not_fit_is_one_sentence() -> None:
    with pytest.raises(InputError, match='there is no tap "latnet" for a reconstruction; did you mean "latent"'):
        Reconstruction(TAPS, None, tap="latnet")
    with pytest.raises(InputError, match="give another number of channels"):
        Reconstruction(TAPS, None)
