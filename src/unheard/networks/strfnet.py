"""STRFNet as Xia et al. 2021 use it: receptive fields and convolutions, a residual net, a GRU, attention over time."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from unheard.errors import InputError
from unheard.frontends.statistics import valid_frames
from unheard.networks.layers import FrameGru, FrameNorm
from unheard.networks.network import Network, Tap
from unheard.networks.receptive_fields import Gabor, ReceptiveFields, Wavelet, odd


class StrfNet(Network):
    """What happens in log-mel bands, at two ranges, and how it goes on over the utterance.

    Short range: 2 · ``kernels`` convolutions on each channel of the input. Long range: as many receptive fields on the
    first channel. Their maps, side by side, go through a residual net that halves time and bands in every stage but
    the first, a layer per frame, a bidirectional GRU, and attention over time. At 30 bands and four emotions behind a
    term without hidden layers these are the models of the published code: 13,550,660 parameters with convolutions
    alone, 13,549,060 with receptive fields alone, 13,587,588 with both.

    Taps: ``local`` [batch, time / 4, channels · bands / 4], what the residual net gives; ``frames``
    [batch, time / 4, 2 · width] behind the GRU; ``embedding`` [batch, 2 · width].

    Args:
        shape: (bands,) of a sequence, or (channels, bands) of an image.
        convolution: whether there are convolutions.
        modulation: which receptive fields there are: windowed waves (:class:`.Gabor`) or ripples (:class:`.Wavelet`).
        kernels: pairs of receptive fields, half the number of convolutions of a channel.
        kernel: frames and bands that a convolution covers; this and the next two are made odd if even.
        time_support: seconds that a receptive field covers.
        frequency_support: bands that it covers.
        frame_rate: frames per second that the front end gives.
        bands_per_octave: how dense its bands are, for ``wavelet``.
        residual: channels of each stage of the residual net.
        width: outputs of the layer per frame, and of each direction of the GRU.
        attention: hidden units of the attention.

    Raises:
        InputError: there are neither convolutions nor receptive fields, or channels that nothing reads.
    """

    layouts = ("sequence", "image")

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        convolution: bool = True,
        modulation: Literal["none", "gabor", "wavelet"] = "gabor",
        kernels: PositiveInt = 32,
        kernel: PositiveInt = 5,
        time_support: PositiveFloat = 0.2,
        frequency_support: PositiveInt = 9,
        frame_rate: PositiveFloat = 80.0,
        bands_per_octave: PositiveFloat = 8.0,
        residual: tuple[PositiveInt, ...] = (32, 32, 32),
        width: PositiveInt = 1024,
        attention: PositiveInt = 256,
    ) -> None:
        super().__init__()
        channels, bands = shape if len(shape) == 2 else (1, *shape)
        if not convolution and modulation == "none":
            raise InputError("strfnet: convolution is false and modulation none, so nothing reads the input; set one")
        if not convolution and channels > 1:
            raise InputError(
                f"strfnet: receptive fields read the first channel only, and there are {channels}; set convolution"
            )
        maps = 0
        self.convolution: nn.Conv2d | None = None
        self.modulation: ReceptiveFields | None = None
        if convolution:
            maps += 2 * kernels * channels
            self.convolution = nn.Conv2d(channels, maps, odd(kernel), padding=odd(kernel) // 2, groups=channels)
        if modulation == "gabor":
            self.modulation = Gabor(kernels, int(frame_rate * time_support), frequency_support)
        elif modulation == "wavelet":
            octaves = frequency_support // 2 / bands_per_octave
            self.modulation = Wavelet(kernels, frame_rate, bands_per_octave, time_support, octaves)
        maps += 0 if self.modulation is None else 2 * kernels
        blocks = []
        for stage, outputs in enumerate(residual):
            for number in range(2):
                stride = 2 if stage and not number else 1
                blocks.append(ResidualBlock(maps, outputs, stride))
                maps, bands = outputs, -(-bands // stride)
        self.blocks = nn.ModuleList(blocks)
        self.taps = {"local": maps * bands, "frames": 2 * width, "embedding": 2 * width}
        self.linear = nn.Linear(maps * bands, width)
        self.gru = FrameGru(width, width)
        self.pooling = AttentionPooling(2 * width, attention)

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        """[batch, time, bands] or [batch, channels, bands, time] → the taps."""
        maps = features.mT if features.ndim == 4 else features[:, None]
        valid = valid_frames(lengths, maps.shape[2])
        # What stands behind an item is zero, as what stands around it is for every convolution.
        maps = torch.where(valid[:, None, :, None], maps, 0)
        found = [] if self.convolution is None else [self.convolution(maps)]
        found += [] if self.modulation is None else [self.modulation(maps[:, :1])]
        maps = torch.where(valid[:, None, :, None], torch.cat(found, dim=1), 0)
        for block in self.blocks:
            maps, lengths = block(maps, lengths)
        local = maps.transpose(1, 2).flatten(2)
        frames = self.gru(self.linear(local), lengths)
        embedding = self.pooling(frames, valid_frames(lengths, frames.shape[1]))
        return {"local": Tap(local, lengths), "frames": Tap(frames, lengths), "embedding": Tap(embedding)}

    def receptive_fields(self) -> Tensor | None:
        """[2 · kernels, time, frequency], or None without ``modulation``."""
        return None if self.modulation is None else self.modulation.kernels()


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut, which is a convolution itself where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.first = _convolution(inputs, outputs, stride)
        self.first_norm = MapNorm(outputs)
        self.second = _convolution(outputs, outputs)
        self.second_norm = MapNorm(outputs)
        self.shortcut = self.shortcut_norm = None
        if stride > 1 or inputs != outputs:
            self.shortcut, self.shortcut_norm = _convolution(inputs, outputs, stride), MapNorm(outputs)

    def forward(self, maps: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, inputs, time, bands] → [batch, outputs, time / stride, bands / stride] and lengths, rounded up."""
        lengths = (lengths + self.stride - 1) // self.stride
        first = self.first(maps)
        valid = valid_frames(lengths, first.shape[2])
        found = self.second(functional.leaky_relu(self.first_norm(first, valid)))
        found = self.second_norm(found, valid)
        if self.shortcut is not None and self.shortcut_norm is not None:
            maps = self.shortcut_norm(self.shortcut(maps), valid)
        return (found + maps).relu(), lengths


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)


class MapNorm(FrameNorm):
    """Batch normalisation of maps [batch, channels, time, bands] over valid frames; padded ones come out as zero."""

    def forward(self, maps: Tensor, valid: Tensor) -> Tensor:  # type: ignore[override]
        """Normalise ``maps`` where ``valid`` [batch, time] is true."""
        rows = maps.permute(0, 2, 3, 1)
        normal = super().forward(rows.flatten(1, 2), valid.repeat_interleave(maps.shape[3], dim=1))
        return normal.view(rows.shape).permute(0, 3, 1, 2)


class AttentionPooling(nn.Module):
    """The mean over valid frames, weighted by a softmax over time of a small network's score of each frame."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(self, frames: Tensor, valid: Tensor) -> Tensor:
        """[batch, time, width] → [batch, width]."""
        scores = self.score(self.hidden(frames).tanh())
        weights = scores.masked_fill(~valid[:, :, None], -torch.inf).softmax(dim=1)
        pooled: Tensor = (frames * weights).sum(1)
        return pooled
