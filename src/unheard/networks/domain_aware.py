"""The domain-aware network of Fan et al. 2020 (ADARL): what the domain is told from decides which frequencies count."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from unheard.errors import InputError
from unheard.networks.network import Network, Tap

#: Table 1: inputs of a block are the outputs of the one before; (outputs of each of its two branches, pooling).
BLOCKS = ((16, 2), (16, 2), (16, 2), (32, 6))
#: How many rows, and how many frames, become one.
POOLED = 48
CHANNELS = 64

Branch = Literal["kernel3", "kernel5", "dilation2"]
#: Kernel and dilation of the second convolution of a block; the first has (3, 1).
BRANCHES: dict[Branch, tuple[int, int]] = {"kernel3": (3, 1), "kernel5": (5, 1), "dilation2": (3, 2)}


class DomainAware(Network):
    """Two convolutional pathways over one picture; the domain's tells the emotion's which frequencies to look at.

    Each pathway extracts maps [channels, rows, time]. The domain's maps, averaged over time and channels, become one
    weight in (0, 1) for each row (equation 4), by which the emotion's maps are multiplied (equation 5). These are
    averaged over time, and every channel sums its rows with weights of its own (equation 2). The defaults are Table 1
    for pictures of 3 × 400 × 300: maps of 64 × 8 × 6, 76,492 + 512 parameters and 38,208 more for the domain.

    A picture is a window of fixed length, padding included, as in the paper; other lengths are refused.

    Taps: ``embedding`` [batch, 64], what the emotion is read from; ``domain`` [batch, 64 · rows · time], the domain
    pathway's maps in the order channel, row, time, which are the emotion's where there is one pathway only;
    ``attention`` [batch, rows], the rows' weights from low to high frequency.

    Args:
        shape: (channels, frequency) of the front end.
        frames: length of the pictures.
        attention: without it the emotion's pathway is alone: the paper's backbone, and the domain-invariant model with
            a reversed term on ``domain``.
        branch2: the second convolution of each block. Table 1 prints 3 × 3 twice, where the text says that the scales
            differ.
        detach_domain: keep the emotion's gradient out of the domain's extractor.
        channel_bias: a bias for each channel in equation 2.

    Raises:
        InputError: the pictures are smaller than 48 × 48, or not of the length ``frames``.
    """

    layouts = ("image",)
    attended_rows = POOLED

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        frames: PositiveInt = 300,
        attention: bool = True,
        branch2: Branch = "kernel3",
        detach_domain: bool = False,
        channel_bias: bool = False,
    ) -> None:
        super().__init__()
        channels, frequency = shape
        rows, time = frequency // POOLED, frames // POOLED
        if min(rows, time) == 0:
            raise InputError(
                f"domain_aware pools {POOLED} frequencies and {POOLED} frames into one, "
                f"and pictures of {frequency} × {frames} are smaller than that"
            )
        self.frames, self.detach_domain = frames, detach_domain
        self.taps = {"embedding": CHANNELS, "domain": CHANNELS * rows * time}
        self.emotion_extractor = extractor(channels, branch2)
        self.channelwise = Channelwise(CHANNELS, rows, bias=channel_bias)
        self.domain_extractor = self.attention = None
        if attention:
            self.taps["attention"] = rows
            self.domain_extractor = extractor(channels, branch2)
            self.attention = FrequencyAttention(rows)

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        """[batch, channels, frequency, frames] → the taps."""
        if features.shape[3] != self.frames:
            raise InputError(
                f"domain_aware was made for pictures of {self.frames} frames, and these have {features.shape[3]}; "
                f"set network.frames to the length that the front end gives"
            )
        domain = maps = self.emotion_extractor(features)
        taps = {}
        if self.domain_extractor is not None and self.attention is not None:
            domain = self.domain_extractor(features)
            weights = self.attention(domain.detach() if self.detach_domain else domain)
            maps = maps * weights[:, None, :, None]
            taps["attention"] = Tap(weights)
        return {"embedding": Tap(self.channelwise(maps.mean(3))), "domain": Tap(domain.flatten(1)), **taps}


def extractor(channels: int, branch2: Branch) -> nn.Sequential:
    """Four blocks: [batch, channels, frequency, time] → [batch, 64, frequency // 48, time // 48]."""
    blocks = []
    for outputs, pooling in BLOCKS:
        blocks.append(Block(channels, outputs, pooling, branch2))
        channels = 2 * outputs
    return nn.Sequential(*blocks)


class Block(nn.Module):
    """Two convolutions side by side, batch normalisation, ReLU, average pooling (equation 10).

    The convolutions keep the size and begin with Xavier's weights; pooling drops what is left over at the end.
    """

    def __init__(self, inputs: int, outputs: int, pooling: int, branch2: Branch) -> None:
        super().__init__()
        kernel, dilation = BRANCHES[branch2]
        if (kernel, dilation) == (3, 1):  # two of a kind are one with the outputs of both, which reads its input once
            branches = [nn.Conv2d(inputs, 2 * outputs, 3, padding=1)]
        else:
            second = nn.Conv2d(inputs, outputs, kernel, padding=dilation * (kernel // 2), dilation=dilation)
            branches = [nn.Conv2d(inputs, outputs, 3, padding=1), second]
        for branch in branches:
            # Channels last in memory, which the maps take over: faster on a CPU (benchmarks/results/domain_aware.md).
            weights = torch.empty_like(branch.weight, memory_format=torch.channels_last)
            for start in range(0, len(weights), outputs):
                nn.init.xavier_uniform_(weights[start : start + outputs])
            branch.weight = nn.Parameter(weights)
            nn.init.zeros_(branch.bias)  # type: ignore[arg-type]
        self.branches = nn.ModuleList(branches)
        self.norm = nn.BatchNorm2d(2 * outputs)
        self.pool = nn.AvgPool2d(pooling)

    def forward(self, maps: Tensor) -> Tensor:
        """[batch, inputs, frequency, time] → [batch, 2 · outputs, frequency // pooling, time // pooling]."""
        found = [branch(maps) for branch in self.branches]
        together = found[0] if len(found) == 1 else torch.cat(found, dim=1)
        pooled: Tensor = self.pool(self.norm(together).relu_())
        return pooled


class FrequencyAttention(nn.Module):
    """A weight in (0, 1) for each row: means over time and channels, two layers, a sigmoid (equation 4)."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(rows, max(1, rows // 2))
        self.output = nn.Linear(max(1, rows // 2), rows)

    def forward(self, maps: Tensor) -> Tensor:
        """[batch, channels, rows, time] → [batch, rows]."""
        weights: Tensor = self.output(self.hidden(maps.mean(dim=(1, 3))).relu()).sigmoid()
        return weights


class Channelwise(nn.Module):
    """Every channel sums its rows with weights of its own (equation 2, which has no bias)."""

    def __init__(self, channels: int, rows: int, *, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, rows).uniform_(-(rows**-0.5), rows**-0.5))
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, rows: Tensor) -> Tensor:
        """[batch, channels, rows] → [batch, channels]."""
        summed = (rows * self.weight).sum(2)
        return summed if self.bias is None else summed + self.bias
