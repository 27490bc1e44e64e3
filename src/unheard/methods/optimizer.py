"""Optimisers as a recipe names them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, model_validator

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


class OptimizerSettings(BaseModel):
    """Which optimiser, its rate, and by what the rate is multiplied after every epoch."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: Literal["sgd", "adam", "adamw"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    momentum: float = Field(0.0, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: NonNegativeFloat = 0.0
    decay: float = Field(1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> OptimizerSettings:
        if self.name == "sgd" and self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0; write for example optimizer.momentum=0.9")
        return self

    def build(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """The optimiser over ``parameters``."""
        from torch import optim

        if self.name == "sgd":
            return optim.SGD(
                parameters,
                lr=self.learning_rate,
                momentum=self.momentum,
                nesterov=self.nesterov,
                weight_decay=self.weight_decay,
            )
        kind = optim.Adam if self.name == "adam" else optim.AdamW
        return kind(parameters, lr=self.learning_rate, weight_decay=self.weight_decay)

    def rate(self, epoch: int) -> float:
        """The learning rate of the given epoch, counted from 0.

        >>> OptimizerSettings(learning_rate=0.2, decay=0.5).rate(2)
        0.05
        """
        return self.learning_rate * self.decay**epoch
