"""The plain update: one descent step on the weighted sum of the terms.

Emotion only, multi-task and domain-adversarial training (Tu et al. 2019, equation 1) are lists of terms under this
rule; what differs between them is which terms there are and whether one of them reverses its gradient.
"""

from __future__ import annotations

from lightning_fabric import Fabric
from pydantic import PositiveFloat

from unheard.methods.batch import Batch
from unheard.methods.method import Method
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings


class Descent(Method):
    """θ ← θ − η ∂/∂θ Σ weight · loss, over all terms that have labels in the batch.

    Args:
        model, optimizer, fabric: see :class:`Method`.
        clip: a gradient longer than this (over all weights) is shortened to it; none is where it is left out.
    """

    def __init__(
        self, model: Model, optimizer: OptimizerSettings, fabric: Fabric, *, clip: PositiveFloat | None = None
    ) -> None:
        super().__init__(model, optimizer, fabric)
        self.clip = clip

    def update(self, batch: Batch, auxiliary: Batch | None = None, progress: float = 0.0) -> dict[str, float]:
        """One step on the batch; the rule needs no second one."""
        self.model.train()
        (optimizer,) = self.optimizers
        optimizer.zero_grad()
        taps, losses = self.model(batch, progress)
        if losses:  # otherwise nothing in it has a label
            self.fabric.backward(self.module.total(losses))
        self.step(optimizer, self.clip)
        if losses:
            self.module.after_step(taps, batch)
        return {name: float(loss.detach()) for name, loss in losses.items()}
