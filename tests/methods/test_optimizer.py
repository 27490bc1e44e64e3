import pytest
import torch
from pydantic import ValidationError
from torch import nn, optim

from unheard.methods.optimizer import OptimizerSettings


def parameter() -> nn.Parameter:
    return nn.Parameter(torch.ones(3))


def step(settings: OptimizerSettings, times: int = 1) -> torch.Tensor:
    weights = parameter()
    optimizer = settings.build([weights])
    for _ in range(times):
        weights.grad = torch.tensor([1.0, 2.0, -3.0])
        optimizer.step()
    return weights.detach()


@pytest.mark.parametrize(("name", "kind"), [("sgd", optim.SGD), ("adam", optim.Adam), ("adamw", optim.AdamW)])
def test_the_name_chooses_the_optimizer(name: str, kind: type):
    settings = OptimizerSettings(name=name, learning_rate=0.3, weight_decay=0.1)  # type: ignore[arg-type]
    optimizer = settings.build([parameter()])
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.3, 0.1)


def test_sgd_takes_the_step_it_says():
    settings = OptimizerSettings(name="sgd", learning_rate=0.1)
    torch.testing.assert_close(step(settings), torch.tensor([0.9, 0.8, 1.3]))
    nesterov = OptimizerSettings(name="sgd", learning_rate=0.1, momentum=0.9, nesterov=True)
    # v = g, then 0.9 g + g; a step is rate · (g + 0.9 v)
    expected = 1 - 0.1 * torch.tensor([1.0, 2.0, -3.0]) * (1 + 0.9 + 1 + 0.9 * 1.9)
    torch.testing.assert_close(step(nesterov, times=2), expected)


def test_the_rate_falls_after_every_epoch():
    settings = OptimizerSettings(learning_rate=0.2, decay=0.5)
    assert [settings.share(epoch, 4) for epoch in range(4)] == [1, 0.5, 0.25, 0.125]
    assert {OptimizerSettings(learning_rate=0.2).share(epoch, 9) for epoch in range(9)} == {1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "lion"}, {"learning_rate": 0}, {"learning_rate": -1}, {"learning_rate": float("inf")},
        {"learning_rate": float("nan")}, {"momentum": 1}, {"momentum": -0.1}, {"weight_decay": -1}, {"decay": 0},
        {"decay": 1.1}, {"lr": 0.1},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_settings_are_refused(wrong: dict):
    with pytest.raises(ValidationError):
        OptimizerSettings(**wrong)


def test_a_plateau_must_have_a_rate_to_begin_with():
    with pytest.raises(ValidationError, match="ends below the lowest_rate of 1e-05, and the learning_rate of 1e-06 is"):
        OptimizerSettings(schedule="plateau", learning_rate=1e-6)
    assert OptimizerSettings(schedule="plateau").share(7, epochs=9) == 1


def test_nesterov_without_momentum_is_refused():
    with pytest.raises(ValidationError, match="nesterov needs a momentum above 0"):
        OptimizerSettings(name="sgd", nesterov=True)
