"""wav2vec 1.0 (Schneider et al. 2019), and the CNN–BiLSTM that Xia et al. 2021 (Figure 1) put behind it."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from unheard.errors import InputError
from unheard.frontends.by_length import by_length
from unheard.frontends.statistics import valid_frames
from unheard.networks.fairseq import Layers, read_wav2vec
from unheard.networks.layers import FrameLstm, mean_over_time
from unheard.networks.network import Network, Tap

#: Channels, kernel and stride of the encoder's layers in the released large model: 465 samples, a frame every 160.
ENCODER: Layers = ((512, 10, 5), (512, 8, 4), (512, 4, 2), (512, 4, 2), (512, 4, 2), (512, 1, 1), (512, 1, 1))
#: Kernels of its aggregator's layers: 79 frames.
AGGREGATOR = tuple(range(2, 14))
#: The convolutions of Xia et al. 2021: 26 frames, a frame every 4.
CONVOLUTIONS: Layers = ((512, 4, 2), (512, 4, 2), (512, 3, 1), (512, 3, 1))

Written = Annotated[tuple[tuple[PositiveInt, PositiveInt, PositiveInt], ...], Field(min_length=1)]


class Wav2vec(Network):
    """Waveform → encoder z → aggregator c → four convolutions x → bidirectional LSTM → mean over time.

    Encoder and aggregator normalise over channels and time together, so that an utterance's answer depends on where it
    ends. Utterances of different lengths are therefore taken one length after the other, without padding: exact, and as
    fast as a batch where all have one length, as crops in training do. What is too short for one frame of x is filled
    up with silence.

    The defaults are the released large model and the paper's classifier: z and c have 298 frames in 3 s, x has 69.

    Taps: ``features`` z and ``context`` c, [batch, time, channels of the encoder's last layer]; ``local`` x, before the
    recurrence, and ``frames``, behind it, [batch, time // 4, …]; ``embedding`` [batch, 2 · lstm], the mean of these.

    Args:
        shape: () of the front end.
        checkpoint: a file of fairseq, or s3prl's conversion of one, with weights and layers of encoder and aggregator;
            without it both begin at random.
        encoder: channels, kernel and stride of its layers, where there is no checkpoint.
        aggregator: kernels of its layers, where there is no checkpoint; each has the channels of the encoder's last.
        fine_tune: which of the two are trained: ``none``, the aggregator (``context``), the ``encoder``, or ``all``.
        convolutions: channels, kernel and stride of those between c and x.
        lstm: hidden size per direction.
        lstm_layers: recurrent layers.

    Raises:
        InputError: the checkpoint cannot be read, or both it and layers are given.
    """

    layouts = ("waveform",)
    elsewhere = ("checkpoint",)

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        checkpoint: Path | None = None,
        encoder: Written | None = None,
        aggregator: tuple[PositiveInt, ...] | None = None,
        fine_tune: Literal["none", "context", "encoder", "all"] = "none",
        convolutions: Written = CONVOLUTIONS,
        lstm: PositiveInt = 256,
        lstm_layers: PositiveInt = 5,
    ) -> None:
        super().__init__()
        weights: dict[str, Tensor] = {}
        if checkpoint is not None:
            if encoder is not None or aggregator is not None:
                raise InputError(f"the layers of wav2vec come from {checkpoint}; leave out encoder and aggregator")
            encoder, aggregator, weights = read_wav2vec(checkpoint)
            self.saved_settings = {"checkpoint": None, "encoder": encoder, "aggregator": aggregator}
        encoder, aggregator = encoder or ENCODER, AGGREGATOR if aggregator is None else aggregator
        width, local = encoder[-1][0], convolutions[-1][0]
        self.taps = {"features": width, "context": width, "local": local, "frames": 2 * lstm, "embedding": 2 * lstm}
        self.encoder_layers, self.convolution_layers = encoder, convolutions
        self.shortest, _ = receptive_field((*encoder, *convolutions))
        self.encoder = Encoder(encoder)
        self.aggregator = nn.Sequential(*(AggregatorLayer(width, kernel) for kernel in aggregator))
        self.convolutions = rectified_convolutions(width, convolutions)
        self.lstm = FrameLstm(local, lstm, lstm_layers)
        self.load_state_dict(weights, strict=False)  # the rest begins at random
        # Nothing is remembered for a pass back through a frozen part, unless what comes in asks for a gradient.
        self.encoder.requires_grad_(fine_tune in ("encoder", "all"))
        self.aggregator.requires_grad_(fine_tune in ("context", "all"))

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        """[batch, samples] → the taps."""
        features = torch.where(valid_frames(lengths, features.shape[1]), features, 0)
        features = functional.pad(features, (0, max(0, self.shortest - features.shape[1])))
        lengths = lengths.clamp(min=self.shortest)
        found, context = by_length(self._wav2vec, features, lengths)
        lengths = frame_counts(lengths, self.encoder_layers)
        local = self.convolutions(context.mT).mT
        fewer = frame_counts(lengths, self.convolution_layers)
        frames = self.lstm(local, fewer)
        return {
            "features": Tap(found, lengths),
            "context": Tap(context, lengths),
            "local": Tap(local, fewer),
            "frames": Tap(frames, fewer),
            "embedding": Tap(mean_over_time(frames, valid_frames(fewer, frames.shape[1]))),
        }

    def _wav2vec(self, waveforms: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] of one length → z and c, [batch, time, channels]."""
        found = self.encoder(waveforms)
        return found.mT, self.aggregator(found).mT


class Encoder(nn.Module):
    """Convolutions without bias, each with group normalisation (one group) and ReLU; then log(1 + x)."""

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        inputs = (1, *(channels for channels, _, _ in layers))
        self.layers = nn.Sequential(*(EncoderLayer(*each) for each in zip(inputs, layers, strict=False)))

    def forward(self, waveforms: Tensor) -> Tensor:
        """[batch, samples] → z [batch, channels, time]."""
        found: Tensor = self.layers(waveforms[:, None]).log1p()
        return found


class EncoderLayer(nn.Module):
    """[batch, inputs, time] → [batch, channels, less time]."""

    def __init__(self, inputs: int, layer: tuple[int, int, int]) -> None:
        super().__init__()
        channels, kernel, stride = layer
        self.convolution = nn.Conv1d(inputs, channels, kernel, stride, bias=False)
        self.norm = nn.GroupNorm(1, channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Convolution, normalisation, ReLU."""
        rectified: Tensor = self.norm(self.convolution(maps)).relu_()
        return rectified


class AggregatorLayer(nn.Module):
    """[batch, channels, time] → the same: a causal convolution, the first frame repeated before it, and its input."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.before = kernel - 1
        self.convolution = nn.Conv1d(channels, channels, kernel)
        self.norm = nn.GroupNorm(1, channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Convolution, normalisation, ReLU; the mean of that and of the input, times √2."""
        convolved = self.convolution(functional.pad(maps, (self.before, 0), mode="replicate"))
        together: Tensor = (self.norm(convolved).relu_() + maps) * sqrt(0.5)
        return together


def rectified_convolutions(inputs: int, layers: Layers) -> nn.Sequential:
    """Convolutions without padding, a ReLU behind each: [batch, inputs, time] → [batch, channels, less time]."""
    blocks: list[nn.Module] = []
    for channels, kernel, stride in layers:
        blocks += [nn.Conv1d(inputs, channels, kernel, stride), nn.ReLU()]
        inputs = channels
    return nn.Sequential(*blocks)


def frame_counts(lengths: Tensor, layers: Layers) -> Tensor:
    """How many frames come out of convolutions without padding, for [batch] lengths of what goes in.

    >>> frame_counts(torch.tensor([48000]), ENCODER), frame_counts(torch.tensor([298]), CONVOLUTIONS)
    (tensor([298]), tensor([69]))
    """
    for _, kernel, stride in layers:
        lengths = torch.div(lengths - kernel, stride, rounding_mode="floor") + 1
    return lengths


def receptive_field(layers: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    """How many samples one frame behind convolutions without padding sees, and how many lie from frame to frame.

    >>> receptive_field(ENCODER)
    (465, 160)
    """
    field = hop = 1
    for _, kernel, stride in layers:
        field, hop = field + (kernel - 1) * hop, hop * stride
    return field, hop
