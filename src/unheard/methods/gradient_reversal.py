"""Gradient reversal (Ganin & Lempitsky 2015), as Tu et al. 2019 (equation 1) use it against the speaker."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeFloat
from torch import Tensor


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reverse_gradient(values: Tensor, strength: float) -> Tensor:
    """The identity forward; backward the gradient is multiplied by −``strength`` (λ ≥ 0).

    What reads the result minimises its own loss, while what made ``values`` maximises it.

    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> reverse_gradient(x, 0.5).sum().backward()
    >>> x.grad
    tensor([-0.5000])
    """
    reversed_values: Tensor = _Reverse.apply(values, strength)  # type: ignore[no-untyped-call]
    return reversed_values


class Reversal(BaseModel):
    """How strongly a term's gradient is reversed, over training.

    ``constant`` keeps λ at ``strength``. ``dann`` lets it grow as in Ganin & Lempitsky 2015:
    λ(p) = strength · (2 / (1 + exp(−10 p)) − 1), p being the finished share of training.

    >>> round(Reversal().at(0.25), 6)
    0.848284
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    schedule: Literal["constant", "dann"] = "dann"
    strength: NonNegativeFloat = 1.0

    def at(self, progress: float) -> float:
        """λ after the share ``progress`` (0 to 1) of training."""
        if self.schedule == "constant":
            return self.strength
        return self.strength * (2 / (1 + math.exp(-10 * progress)) - 1)
