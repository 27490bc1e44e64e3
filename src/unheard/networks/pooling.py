"""The network that is none: rows of features as they come, and their mean or a learned weighted sum."""

from __future__ import annotations

from pydantic import PositiveInt
from torch import Tensor

from unheard.errors import InputError
from unheard.frontends.statistics import valid_frames
from unheard.networks.layers import mean_over_time
from unheard.networks.network import Network, Tap
from unheard.networks.ssl_encoder import LayerSum


class Pooling(Network):
    """For heads on features that are learned already, such as those of a frozen encoder.

    Taps: ``frames`` [batch, time, width], what came in; ``embedding`` [batch, width], its mean over time, or the sum
    with softmax weights that are learned and equal at first.

    Args:
        shape: (width,) of the front end.
        rows: for a learned sum, how many rows every item has; those of ``ssl_features`` with ``keep: means`` are one
            more than the encoder has layers.

    Raises:
        InputError: an item has another number of rows.
    """

    layouts = ("sequence",)

    def __init__(self, shape: tuple[int, ...], *, rows: PositiveInt | None = None) -> None:
        super().__init__()
        self.taps = {"frames": shape[0], "embedding": shape[0]}
        self.sum = None if rows is None else LayerSum(rows)
        self.rows = rows

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        """[batch, time, width] → the taps."""
        if self.sum is None:
            pooled = mean_over_time(features, valid_frames(lengths, features.shape[1]))
        else:
            wrong = [length for length in lengths.tolist() if length != self.rows]
            if wrong:
                raise InputError(f"network.rows: the learned sum is over {self.rows} rows, and an item has {wrong[0]}")
            pooled = self.sum(list(features.unbind(1)))
        return {"frames": Tap(features, lengths), "embedding": Tap(pooled)}
