"""The discriminator: equation 4, and what a single step on it teaches the network."""

from __future__ import annotations

import pytest
import torch

from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.discriminator import Discriminator
from unheard.networks.network import Maps, Tap

BATCH = Batch(torch.zeros(6, 1), torch.ones(6, dtype=torch.long))


def made(**settings: object) -> Discriminator:
    torch.manual_seed(0)
    taps = {"latent": Maps(3, 4, 4), "code": 5}
    return Discriminator(taps, None, **({"channels": 2, "hidden": (4,), "dropout": 0.0} | settings))  # type: ignore[arg-type]


def test_the_loss_is_that_of_telling_draws_from_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    term, codes = made(), torch.randn(6, 48)
    draws = term.draws(6)
    assert draws.shape == (6, 48)
    monkeypatch.setattr(term, "draws", lambda count: draws[:count])
    found = term.loss(term.read({"latent": Tap(codes)}, 0.0), BATCH)
    probability = {name: term.logits(values).softmax(1)[:, 1] for name, values in {"d": draws, "z": codes}.items()}
    torch.testing.assert_close(found, -(probability["d"].log().mean() + (1 - probability["z"]).log().mean()))


def test_draws_are_standard_normal() -> None:
    torch.manual_seed(0)
    draws = made(tap="code").draws(20000)
    torch.testing.assert_close(draws.mean(0), torch.zeros(5), atol=0.03, rtol=0)
    torch.testing.assert_close(draws.T.cov(), torch.eye(5), atol=0.05, rtol=0)


def test_one_step_teaches_both_sides() -> None:
    """The discriminator descends its loss, and codes descend log(1 − D), which is the reversed gradient."""
    term, codes = made(), torch.randn(6, 48, requires_grad=True)
    term.loss(term.read({"latent": Tap(codes)}, 0.0), BATCH).backward()
    again = codes.detach().requires_grad_()
    term.logits(again).log_softmax(1)[:, 0].mean().backward()
    torch.testing.assert_close(codes.grad, again.grad)
    assert term.head.output.weight.grad.any()


def test_a_missing_tap_is_one_sentence() -> None:
    with pytest.raises(InputError, match='there is no tap "laten" for a discriminator to read; did you mean "latent"'):
        made(tap="laten")
