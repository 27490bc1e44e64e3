"""The TDNN-LSTM of Tu et al. 2019 (Table 1): time-delay layers, a recurrent layer, statistics pooling."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt
from torch import Tensor, nn

from unheard.frontends.statistics import valid_frames
from unheard.networks.layers import FrameBlock, FrameLstm, mean_and_deviation
from unheard.networks.network import Network, Tap


class TdnnLstm(Network):
    """Two time-delay layers, a bidirectional LSTM, a layer per frame, then mean ‖ standard deviation over time.

    The time-delay layers are convolutions without padding (kernels 5 and 3, dilations 2 and 4), so 16 frames of
    context are consumed and at least 17 frames must come in. The defaults are Table 1's column for IEMOCAP;
    ``channels=(128, 128), lstm=128, width=512`` is the column for the Mandarin corpus.

    Taps: ``local`` [batch, time − 16, channels[1]], ``frames`` [batch, time − 16, width],
    ``embedding`` [batch, 2 · width].

    Args:
        shape: (bands,) of the front end.
        channels: outputs of the two time-delay layers.
        lstm: hidden size per direction.
        width: outputs of the layer per frame.
        dropout: share of activations dropped after every layer.
    """

    layouts = ("sequence",)
    context = 16

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        channels: tuple[PositiveInt, PositiveInt] = (128, 64),
        lstm: PositiveInt = 64,
        width: PositiveInt = 256,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5,
    ) -> None:
        super().__init__()
        self.taps = {"local": channels[1], "frames": width, "embedding": 2 * width}
        self.tdnn1 = nn.Conv1d(shape[0], channels[0], kernel_size=5, dilation=2)
        self.block1 = FrameBlock(channels[0], dropout)
        self.tdnn2 = nn.Conv1d(channels[0], channels[1], kernel_size=3, dilation=4)
        self.block2 = FrameBlock(channels[1], dropout)
        self.lstm = FrameLstm(channels[1], lstm)
        self.block3 = FrameBlock(2 * lstm, dropout, rectify=False)
        self.linear = nn.Linear(2 * lstm, width)
        self.block4 = FrameBlock(width, dropout)

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        """[batch, time, bands] → the taps."""
        frames = self.tdnn1(features.mT).mT
        frames = self.block1(frames, valid_frames(lengths - 8, frames.shape[1]))
        frames = self.tdnn2(frames.mT).mT
        lengths = lengths - self.context
        valid = valid_frames(lengths, frames.shape[1])
        local = self.block2(frames, valid)
        frames = self.block3(self.lstm(local, lengths), valid)
        frames = self.block4(self.linear(frames), valid)
        return {
            "local": Tap(local, lengths),
            "frames": Tap(frames, lengths),
            "embedding": Tap(mean_and_deviation(frames, valid)),
        }
