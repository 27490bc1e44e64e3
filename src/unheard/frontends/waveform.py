"""The waveform itself, for networks that begin with samples."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import NonNegativeFloat
from torch import Tensor
from torch.nn import functional

from unheard.audio import SAMPLE_RATE
from unheard.frontends.augmentation import uniform
from unheard.frontends.front_end import FrontEnd, Layout
from unheard.frontends.statistics import valid_frames

#: Added to the variance before its root, as self-supervised encoders were trained.
SMALLEST_VARIANCE = 1e-7


class Waveform(FrontEnd):
    """Samples at 16 kHz in ±1, [batch, samples].

    Args:
        crop: Seconds to train on at a time, from a random place; 0 is the whole utterance, which is always what is
            used outside training.
        fill: Fill what is shorter than the crop up with silence, which then counts as part of it; in training only.
        gain: By how many dB the level is lowered at most, in training only.
        normalize: Zero mean and unit variance over what is left of the utterance after the crop.

    >>> Waveform()(torch.zeros(1, 48000), torch.tensor([48000]))[0].shape
    torch.Size([1, 48000])
    """

    layout: ClassVar[Layout] = "waveform"

    def __init__(
        self,
        *,
        crop: NonNegativeFloat = 0.0,
        fill: bool = False,
        gain: NonNegativeFloat = 0.0,
        normalize: bool = False,
    ) -> None:
        super().__init__()
        self.longest = round(crop * SAMPLE_RATE)
        self.fill, self.gain = fill, gain
        self.normalize = normalize
        self.shape = ()

    def fixed(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] in ±1 → the same, zero after the end of each."""
        return torch.where(valid_frames(lengths, waveforms.shape[1]), waveforms, 0), lengths

    def draw(
        self, features: Tensor, lengths: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """[batch, samples] → [batch, samples], with a generator at most ``crop`` long, and their lengths."""
        if self.longest and generator is not None:
            features, lengths = cropped(features, lengths, self.longest, generator)
            if self.fill:
                features = functional.pad(features, (0, self.longest - features.shape[1]))
                lengths = torch.full_like(lengths, self.longest)
        if self.gain and generator is not None:
            decibels = -self.gain * uniform(generator, len(lengths))
            features = features * (10 ** (decibels / 20)).to(features)[:, None]
        return (standardized(features, lengths) if self.normalize else features), lengths


def cropped(waveforms: Tensor, lengths: Tensor, longest: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """At most ``longest`` samples of each, from a random place: [batch, samples] and their lengths."""
    kept = lengths.clamp(max=longest)
    start = (uniform(generator, len(lengths)).to(lengths.device) * (lengths - kept + 1)).long()
    width = int(kept.max())
    place = start[:, None] + torch.arange(width, device=lengths.device)
    taken = functional.pad(waveforms, (0, width)).gather(1, place)
    return torch.where(valid_frames(kept, width), taken, 0), kept


def standardized(waveforms: Tensor, lengths: Tensor) -> Tensor:
    """Zero mean and unit variance over the valid samples of each, (x − mean) / sqrt(variance + 1e-7), and zero after.

    >>> standardized(torch.tensor([[1.0, 3.0, 9.0]]), torch.tensor([2])).round(decimals=4).tolist()
    [[-1.0, 1.0, 0.0]]
    """
    valid = valid_frames(lengths, waveforms.shape[1])
    count = lengths.clamp(min=1)[:, None]
    centred = torch.where(valid, waveforms - torch.where(valid, waveforms, 0).sum(1, keepdim=True) / count, 0)
    variance = centred.square().sum(1, keepdim=True) / count
    return centred / (variance + SMALLEST_VARIANCE).sqrt()
