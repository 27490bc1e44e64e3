"""What a method is: what one optimisation step does with a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from lightning_fabric import Fabric
from torch.optim import Optimizer

from unheard.methods.batch import Batch
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings


class Method(ABC):
    """Owns a model and the optimisers that change it; a subclass is one update rule.

    Settings are the keyword arguments of ``__init__`` after the three below.

    Args:
        model: the network and its terms.
        optimizer: the recipe's optimiser; a rule builds as many from it as it needs.
        fabric: device, precision and distribution.
    """

    optimizers: list[Optimizer]

    def __init__(self, model: Model, optimizer: OptimizerSettings, fabric: Fabric) -> None:
        self.fabric = fabric
        self.settings = optimizer
        self.module = model
        optimizers = self.build_optimizers(model)
        self.rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
        self.model, *self.optimizers = fabric.setup(model, *optimizers)

    def build_optimizers(self, model: Model) -> list[Optimizer]:
        """One optimiser over everything by default."""
        return [self.settings.build(model.parameter_groups())]

    @abstractmethod
    def update(self, batch: Batch, auxiliary: Batch | None = None, progress: float = 0.0) -> dict[str, float]:
        """One optimisation step; returns the unweighted loss of each term.

        Args:
            batch: utterances to learn from; labels may be missing.
            auxiliary: a second, independent batch, for the rules that need one.
            progress: finished share of training (0 to 1).
        """

    def start_epoch(self, epoch: int, epochs: int) -> None:
        """Set every optimiser's rates for one of so many epochs, counted from 0."""
        for optimizer, rates in zip(self.optimizers, self.rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * self.settings.factor(epoch, epochs)

    def state_dict(self) -> dict[str, Any]:
        """Weights, buffers and the state of every optimiser."""
        return {
            "model": self.module.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned."""
        self.module.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
