"""A network with a projector behind one of its taps: what speaker normalisation trains (Gat et al. 2022, SNP)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from unheard.networks.network import Network, Tap


class Projected(Network):
    """The taps of a network, one of which went through one more layer, as wide as itself.

    Args:
        network: the upstream.
        tap: which of its taps is projected.
        kind: ``relu`` is relu(W h + b); ``gate`` is h ⊙ σ(W h + b).
        learning_rate: of the projector, where it is not that of the network.
    """

    def __init__(
        self, network: Network, tap: str, kind: Literal["relu", "gate"], learning_rate: float | None = None
    ) -> None:
        super().__init__()
        self.network, self.tap = network, tap
        self.taps, self.saved_settings = network.taps, network.saved_settings
        self.projector = Projector(network.taps[tap], kind, learning_rate)
        self._upstream_fixed = False

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        """What the network takes → its taps."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self._upstream_fixed):
            taps: dict[str, Tap] = self.network(features, lengths)
        read = taps[self.tap]
        return {**taps, self.tap: Tap(self.projector(read.values), read.lengths)}

    @contextmanager
    def upstream_fixed(self) -> Iterator[None]:
        """Inside, the upstream is computed without gradients."""
        self._upstream_fixed = True
        try:
            yield
        finally:
            self._upstream_fixed = False


class Projector(nn.Module):
    """[…, width] → the same, see :class:`Projected`."""

    def __init__(self, width: int, kind: Literal["relu", "gate"], learning_rate: float | None = None) -> None:
        super().__init__()
        self.kind = kind
        self.linear = nn.Linear(width, width)
        self.optimizer_options = {"lr": learning_rate} if learning_rate else {}

    def forward(self, values: Tensor) -> Tensor:
        """One non-linear layer."""
        projected: Tensor = self.linear(values)
        return values * projected.sigmoid() if self.kind == "gate" else projected.relu()
