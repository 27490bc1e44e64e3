import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from unheard.methods.gradient_reversal import Reversal, reverse_gradient


@pytest.mark.parametrize(
    ("progress", "strength"), [(0, 0), (0.1, 0.462117), (0.25, 0.848284), (0.5, 0.986614), (1, 0.999909)]
)
def test_the_schedule_is_that_of_ganin_and_lempitsky(progress: float, strength: float):
    assert Reversal().at(progress) == pytest.approx(strength, abs=5e-7)
    assert Reversal(strength=2.5).at(progress) == pytest.approx(2.5 * strength, abs=2e-6)


@given(some.floats(0, 1), some.floats(0, 10))
def test_a_constant_strength_is_constant(progress: float, strength: float):
    assert Reversal(schedule="constant", strength=strength).at(progress) == strength


@given(some.floats(0, 1), some.floats(0, 1))
def test_the_schedule_grows_within_its_bounds(one: float, other: float):
    low, high = (Reversal().at(progress) for progress in sorted((one, other)))
    assert 0 <= low <= high < 1


@given(some.floats(0, 100, width=32))
def test_forward_is_the_identity_and_backward_is_turned(strength: float):
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    y = reverse_gradient(x, strength)
    assert torch.equal(y, x)
    (y * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    torch.testing.assert_close(x.grad, -strength * torch.tensor([1.0, 10.0, 100.0]))


@pytest.mark.parametrize(
    "settings", [{"strength": -1}, {"strength": float("inf")}, {"schedule": "linear"}, {"lambda": 1}]
)
def test_what_is_no_schedule_is_refused(settings: dict):
    with pytest.raises(ValidationError):
        Reversal(**settings)
