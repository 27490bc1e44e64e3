"""What a method is: what one optimisation step does with a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim import Optimizer

from unheard.methods.averaging import mean_gradients
from unheard.methods.batch import Batch
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks.network import Network


class Method(ABC):
    """Owns a model and the optimisers that change it; a subclass is one update rule.

    On several devices each has a copy of the model and a share of every batch, and all make every :meth:`step`
    together, so a rule makes as many of them whatever its batch holds.

    Settings are the keyword arguments of ``__init__`` after the three below. Everything with weights is a part of the
    model: what is not is in no checkpoint.

    Args:
        model: the network and its terms.
        optimizer: the recipe's optimiser; a rule builds as many from it as it needs.
        fabric: device, precision and distribution.
    """

    #: Whether :meth:`update` needs a second, independent batch: of the auxiliary data where there is any, otherwise of
    #: the training data in an order of its own.
    second_batch: ClassVar[bool] = False
    #: Names of what :meth:`update` returns besides losses.
    measures: ClassVar[tuple[str, ...]] = ()

    optimizers: list[Optimizer]
    #: What the rates are multiplied by besides the schedule: what a plateau has left of them.
    rate_left: float = 1.0

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

    @classmethod
    def adapted(cls, network: Network, terms: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]) -> Network:
        """The network as this rule trains it and as it is used afterwards; by default as it is.

        Args:
            network: the recipe's, freshly initialised.
            terms: settings of the recipe's terms.
            settings: the rule's own.
        """
        return network

    @abstractmethod
    def update(self, batch: Batch, auxiliary: Batch | None = None, progress: float = 0.0) -> dict[str, float]:
        """One optimisation step; returns the unweighted loss of each term, and what else is worth a mean per epoch.

        Args:
            batch: utterances to learn from; labels may be missing.
            auxiliary: a second, independent batch, for the rules that need one (:attr:`second_batch`).
            progress: finished share of training (0 to 1).
        """

    def step(self, optimizer: Optimizer, clip: float | None = None) -> None:
        """Let an optimiser make its step, along the mean of the gradients of all devices, if there is one.

        Args:
            optimizer: one of :attr:`optimizers`.
            clip: a gradient longer than this (over all of the optimiser's weights) is shortened to it first.
        """
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        mean_gradients(self.fabric, weights)
        if all(weight.grad is None for weight in weights):
            return
        if clip is not None:
            self.fabric.clip_gradients(self.model, optimizer, max_norm=clip)
        optimizer.step()

    def start_epoch(self, epoch: int, epochs: int) -> None:
        """Set every optimiser's rates for one of so many epochs, counted from 0."""
        for optimizer, rates in zip(self.optimizers, self.rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * self.settings.share(epoch, epochs) * self.rate_left

    @torch.no_grad()
    def held_out_loss(self, batch: Batch) -> Tensor | None:
        """What judges an epoch of a stage that tells no classes, on utterances kept apart; lower is better.

        By default the weighted sum of the terms' losses in evaluation mode, None where there is none. A rule with a
        loss of its own returns that.
        """
        self.module.eval()
        _, losses = self.module(batch.to(self.fabric.device))
        return self.module.total(losses) if losses else None

    def go_back(self, weights: dict[str, Tensor]) -> None:
        """Take up the model's state of an earlier epoch, with optimisers that remember nothing."""
        self.module.load_state_dict(weights)
        for optimizer in self.optimizers:
            optimizer.load_state_dict({"state": {}, "param_groups": optimizer.state_dict()["param_groups"]})

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
