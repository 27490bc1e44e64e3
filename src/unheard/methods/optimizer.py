"""Optimisers as a recipe names them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


class OptimizerSettings(BaseModel):
    """Which optimiser, its rate, and what becomes of the rate from epoch to epoch.

    ``decay`` multiplies it after every epoch. With the schedule ``cosine`` it also falls along half a cosine, from the
    full rate in the first epoch towards none after the last (Loshchilov and Hutter 2017, without restarts). With
    ``plateau`` it is multiplied by ``factor`` where the score that chooses the epoch has not risen for ``patience``
    epochs; training goes on from the best epoch, and ends where the rate would be below ``lowest_rate`` (Latif et al.
    2022, section 4.2), see :class:`unheard.training.plateau.Plateau`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: Literal["sgd", "adam", "adamw"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    momentum: float = Field(0.0, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: NonNegativeFloat = 0.0
    schedule: Literal["constant", "cosine", "plateau"] = "constant"
    decay: float = Field(1.0, gt=0, le=1)
    patience: PositiveInt = 5
    factor: float = Field(0.5, gt=0, lt=1)
    lowest_rate: PositiveFloat = 1e-5

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> OptimizerSettings:
        if self.name == "sgd" and self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0; write for example optimizer.momentum=0.9")
        return self

    @model_validator(mode="after")
    def _plateau_has_a_rate_to_begin_with(self) -> OptimizerSettings:
        if self.schedule == "plateau" and self.learning_rate < self.lowest_rate:
            raise ValueError(
                f"the schedule plateau ends below the lowest_rate of {self.lowest_rate:g}, and the learning_rate of "
                f"{self.learning_rate:g} is below it from the start"
            )
        return self

    def build(self, parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]]) -> Optimizer:
        """The optimiser over ``parameters``, or over groups of them that may have options of their own."""
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

    def share(self, epoch: int, epochs: int) -> float:
        """What the rates are multiplied by in the given one of so many epochs, counted from 0.

        What a plateau does comes on top: it hangs on scores, not on the epoch.

        >>> OptimizerSettings(decay=0.5).share(2, epochs=50)
        0.25
        >>> tuple(round(OptimizerSettings(schedule="cosine").share(epoch, epochs=4), 2) for epoch in range(4))
        (1.0, 0.85, 0.5, 0.15)
        """
        cosine = (1 + math.cos(math.pi * epoch / epochs)) / 2 if self.schedule == "cosine" else 1.0
        return cosine * self.decay**epoch
