"""Cross-gradient training (Shankar et al. 2018) with one encoder for both tasks, Tu et al. 2019, equations 2–4."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

import torch
from lightning_fabric import Fabric
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor, nn

from unheard.errors import InputError, did_you_mean
from unheard.frontends.statistics import valid_frames
from unheard.methods.batch import Batch
from unheard.methods.classification import Classification
from unheard.methods.method import Method
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings


class CrossGradient(Method):
    """Each task also learns from inputs moved along the gradient of the *other* task's loss.

    With the network's input x, the emotion loss J_y and the speaker loss J_s:

        x_s = x + ε ∂J_s/∂x,  x_y = x + ε ∂J_y/∂x                                              (equation 2)
        J = (1 − α) (J_y(x) + J_s(x)) + α (J_y(x_s) + J_s(x_y))                              (equations 3, 4)

    x_s is an utterance as another speaker might say it, which must not change its emotion. x_s and x_y are constants of
    the step. In J each loss has its term's weight; what moves the input has none. Further terms of the recipe learn
    from x alone. Batch normalisation uses the statistics of the batch in all passes, and its running ones move with x
    only. Raw samples are moved relative to the utterance's root mean square, so that ε and the clip mean the same for
    loud and quiet ones.

    The paper gives neither ε nor α; those of the public implementations are ε = 1 or 10, α = 0.5 and a clip of 0.1.

    Args:
        model, optimizer, fabric: see :class:`Method`.
        emotion: the term that sees x_s.
        speaker: the term that sees x_y.
        epsilon: ε, in units of the input.
        alpha: the share of the moved inputs in the loss.
        gradient: of the ``sum`` over utterances, so that each is moved by its own gradient, or of the ``mean``, which
            divides by the batch size.
        clip: the gradient's values are cut to ± this before ε; none where it is left out.

    Raises:
        InputError: the recipe has no such terms.
    """

    def __init__(
        self,
        model: Model,
        optimizer: OptimizerSettings,
        fabric: Fabric,
        *,
        emotion: str = "emotion",
        speaker: str = "speaker",
        epsilon: NonNegativeFloat = 1.0,
        alpha: Annotated[float, Field(ge=0, le=1)] = 0.5,
        gradient: Literal["sum", "mean"] = "sum",
        clip: PositiveFloat | None = 0.1,
    ) -> None:
        for term in (emotion, speaker):
            if term not in model.terms or not isinstance(model.term(term), Classification):
                raise InputError(
                    f'cross-gradient training needs a classification term "{term}"; '
                    f"{did_you_mean(term, model.terms.keys())}"
                )
            if "." in model.term(term).tap:
                raise InputError(f'cross-gradient training needs the term "{term}" to read a tap of the network itself')
        super().__init__(model, optimizer, fabric)
        self.emotion, self.speaker = emotion, speaker
        self.epsilon, self.alpha, self.gradient, self.clip = epsilon, alpha, gradient, clip

    def update(self, batch: Batch, auxiliary: Batch | None = None, progress: float = 0.0) -> dict[str, float]:
        """One step; a task without a label in the batch moves nothing and learns nothing.

        The summands of J are differentiated one after the other, so that ∂J_s/∂x and ∂J_s/∂θ come from one pass back,
        and what a moved input left in memory is gone before the next one comes.
        """
        self.model.train()
        (optimizer,) = self.optimizers
        optimizer.zero_grad()
        clean = batch.with_features(batch.features.detach().requires_grad_())
        taps, losses = self.model(clean, progress)
        plain = dict(losses)
        if self.emotion in losses and self.speaker in losses:
            for task, other in ((self.emotion, self.speaker), (self.speaker, self.emotion)):
                gradient = self._learn(clean, plain.pop(other), other, again=bool(plain))
                with running_statistics_kept(self.module):
                    _, crossed = self.model(self._moved(clean, gradient, other), progress, (task,))
                self.fabric.backward(self.alpha * self.module.total(crossed))
        if plain:
            self.fabric.backward(self.module.total(plain))
        self.step(optimizer)
        if losses:
            self.module.after_step(taps, batch)
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _learn(self, batch: Batch, loss: Tensor, term: str, *, again: bool) -> Tensor:
        """Add (1 − α) ∂J/∂θ to what the weights learn in this step, and return ∂J/∂x of the unweighted loss.

        With ``again`` the pass that gave the loss can be differentiated once more.
        """
        weights = [weight for weight in self.module.parameters() if weight.requires_grad]
        gradient, *directions = torch.autograd.grad(
            loss, [batch.features, *weights], retain_graph=again, allow_unused=True
        )
        for weight, direction in zip(weights, directions, strict=True):
            if direction is not None:
                share = (1 - self.alpha) * self.module.term(term).weight * direction
                weight.grad = share if weight.grad is None else weight.grad.add_(share)
        return gradient

    def _moved(self, batch: Batch, gradient: Tensor, term: str) -> Batch:
        """The batch moved along the gradient of a term's mean loss; padding stays zero."""
        if self.gradient == "sum":
            head = self.module.term(term)
            assert isinstance(head, Classification)
            gradient = gradient * (batch.labels[head.column] >= 0).sum()
        features = batch.features.detach()
        samples = features.ndim == 2 and "waveform" in self.module.network.layouts
        unit = loudness(features, batch.lengths) if samples else 1.0
        gradient = gradient * unit  # with respect to the input in these units
        if self.clip is not None:
            gradient = gradient.clamp(-self.clip, self.clip)
        return batch.with_features(features + self.epsilon * unit * gradient)


def loudness(samples: Tensor, lengths: Tensor) -> Tensor:
    """The root mean square of each utterance's valid samples, [batch, samples] → [batch, 1]."""
    valid = valid_frames(lengths, samples.shape[1])
    return ((samples * valid).square().sum(1) / lengths.clamp(min=1)).sqrt()[:, None]


@contextmanager
def running_statistics_kept(module: nn.Module) -> Iterator[None]:
    """Batch normalisation goes on with the batch's own statistics, and the running ones stay as they are."""
    norms = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    tracking = [norm.track_running_stats for norm in norms]
    try:
        for norm in norms:
            norm.track_running_stats = False
        yield
    finally:
        for norm, tracks in zip(norms, tracking, strict=True):
            norm.track_running_stats = tracks
