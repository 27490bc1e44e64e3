"""The objective of wav2vec 1.0 (Schneider et al. 2019, section 2.2): what comes next, among what comes from elsewhere.

It needs no labels. As the only term of a stage before training it makes an encoder out of recordings of any kind.
"""

from __future__ import annotations

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from unheard.errors import InputError
from unheard.frontends.statistics import valid_frames
from unheard.methods.batch import Batch
from unheard.methods.term import Term, require_tap
from unheard.networks.network import Tap
from unheard.seeds import torch_generator


class Contrastive(Term):
    """L = Σₖ −E[log σ(z_{i+k} · hₖ(cᵢ)) + Σ log σ(−z̃ · hₖ(cᵢ))], the inner sum over the ``negatives``.

    hₖ(c) = Wₖ c + b tells the frame k steps ahead, E is the mean over all frames i of the batch that have such a frame,
    and k runs over ``steps`` numbers from ``first`` on. A frame's negatives z̃ are other frames of the same utterance,
    the same for every k: in training they are drawn anew in every step, otherwise they are always the same, so that
    the losses of two epochs on the same utterances can be compared.

    Makes the taps ``predicted`` [batch, time, steps · width] and ``target`` [batch, time, width].

    Args:
        taps: width of every tap of the network and of the terms before this one.
        vocabulary: none; there is no column.
        tap: c, the frames from which is told.
        target: z, the frames that are told.
        steps: how many of the frames ahead are told.
        first: how far the first of them is ahead. 1 in the paper; fairseq takes 3, the first frame of the large model's
            encoder that shares no sample with the last that was heard.
        negatives: how many for each frame.
        weight: of the loss in the sum.

    Raises:
        InputError: neither the network nor a term before this one has such a tap, or it holds no frames.
    """

    def __init__(
        self,
        taps: dict[str, int],
        vocabulary: None,
        *,
        tap: str = "context",
        target: str = "features",
        steps: PositiveInt = 12,
        first: PositiveInt = 1,
        negatives: PositiveInt = 10,
        weight: NonNegativeFloat = 1.0,
    ) -> None:
        super().__init__()
        for name in (tap, target):
            require_tap(name, taps, "to contrast")
        self.tap, self.target, self.weight = tap, target, weight
        self.ahead, self.negatives = range(first, first + steps), negatives
        self.taps = {"predicted": steps * taps[target], "target": taps[target]}
        self.steps = nn.Linear(taps[tap], steps * taps[target], bias=False)
        self.bias = nn.Parameter(torch.zeros(taps[target]))

    def read(self, taps: dict[str, Tap], progress: float) -> dict[str, Tap]:
        """What is told of every frame's future, and the frames themselves."""
        context, target = taps[self.tap], taps[self.target]
        if context.lengths is None or target.lengths is None or context.values.shape[1] != target.values.shape[1]:
            raise InputError(f'the taps "{self.tap}" and "{self.target}" must hold the same frames to be contrasted')
        predicted = self.steps(context.values) + self.bias.repeat(len(self.ahead))
        return {"predicted": Tap(predicted, context.lengths), "target": target}

    def loss(self, read: dict[str, Tap], batch: Batch) -> Tensor | None:
        """The loss, or None where no utterance has a frame to tell and another one to tell it from."""
        (targets, lengths), predicted = read["target"], read["predicted"].values
        assert lengths is not None
        time = targets.shape[1]
        predicted = predicted.reshape(*targets.shape[:2], len(self.ahead), -1)
        # Sorted by what is told: beside each target and its negatives what was told of it from every step before.
        told = torch.stack([_later(predicted[:, :, index], k) for index, k in enumerate(self.ahead)], dim=2)
        heard = torch.arange(time, device=lengths.device)[:, None] >= torch.tensor(self.ahead, device=lengths.device)
        counted = heard & (valid_frames(lengths, time) & (lengths[:, None] > 1))[:, :, None]
        if not bool(counted.any()):
            return None
        items = torch.arange(len(targets), device=targets.device)[:, None, None]
        choices = torch.cat([targets[:, :, None], targets[items, self._drawn(lengths, time)]], dim=2)
        scores = told @ choices.mT  # [batch, time, steps, 1 + negatives]
        losses = functional.softplus(-scores[..., 0]) + functional.softplus(scores[..., 1:]).sum(3)  # −log σ(∓x)
        return (torch.where(counted, losses, 0).sum((0, 1)) / counted.sum((0, 1)).clamp(min=1)).sum()

    def _drawn(self, lengths: Tensor, time: int) -> Tensor:
        """Which frames are the negatives of each frame, [batch, time, negatives]: any of its utterance but itself."""
        draw = None if self.training else torch_generator(0, "contrastive")
        # Frame by frame, so that frames of padding come last and change no item's; on the CPU, the same everywhere.
        share = torch.rand((time, len(lengths), self.negatives), generator=draw, dtype=torch.float64)
        others = (lengths - 1).clamp(min=1)[:, None, None]
        index = (share.transpose(0, 1).to(lengths.device) * others).long()
        own = torch.arange(time, device=lengths.device)[:, None]
        return (index + (index >= own)).clamp(max=time - 1)  # padding and single frames are not counted


def _later(frames: Tensor, count: int) -> Tensor:
    """The frames [batch, time, width] moved ``count`` steps to the end, zeros before them."""
    return functional.pad(frames, (0, 0, count, 0))[:, : frames.shape[1]]
