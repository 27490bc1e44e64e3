"""Reconstruction of the input from a code, the autoencoder of Latif et al. 2022, equation 3."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.batch import Batch
from unheard.methods.term import Term, require_tap
from unheard.networks.conv_autoencoder import ConvDecoder
from unheard.networks.network import Maps, Tap


class Reconstruction(Term):
    """L = ‖x − x̂‖², with x̂ what a decoder makes of one tap, and x another: the pictures, padding included.

    Maps are decoded by transposed convolutions, other taps by a linear layer. It needs no label.

    Makes the tap ``output`` [batch, width of the target], which is x̂.

    Args:
        taps: width of every tap of the network and of the terms before this one.
        vocabulary: none.
        tap: the code.
        target: what is to be made of it.
        channels: outputs of each convolution of the decoder but the last.
        error: the ``mean`` of the squared differences over all values, or the mean over pictures of their ``sum``.
        weight: of the loss in the sum, the paper's α.
        learning_rate: of the decoder; it follows the same schedule as that of the network, and is the same where none
            is given.

    Raises:
        InputError: there is no such tap, or so many convolutions do not lead from the one size to the other.
    """

    def __init__(
        self,
        taps: dict[str, int],
        vocabulary: Vocabulary | None,
        *,
        tap: str = "latent",
        target: str = "input",
        channels: tuple[PositiveInt, ...] = (32, 64),
        error: Literal["mean", "sum"] = "mean",
        weight: NonNegativeFloat = 1.0,
        learning_rate: PositiveFloat | None = None,
    ) -> None:
        super().__init__()
        for name in (tap, target):
            require_tap(name, taps, "for a reconstruction")
        source, made = taps[tap], taps[target]
        self.decoder: nn.Module
        if isinstance(source, Maps) and isinstance(made, Maps):
            self.decoder = ConvDecoder(source, made, channels)
        else:
            self.decoder = nn.Linear(source, made)
        self.tap, self.target, self.error, self.weight, self.taps = tap, target, error, weight, {"output": made}
        self.optimizer_options = {"lr": learning_rate} if learning_rate else {}

    def read(self, taps: dict[str, Tap], progress: float) -> dict[str, Tap]:
        """The tap ``output``, and beside it the ``target``."""
        made = self.decoder(taps[self.tap].per_utterance())
        return {"output": Tap(made), "target": taps[self.target]}

    def loss(self, read: dict[str, Tap], batch: Batch) -> Tensor:
        """Equation 3 over the batch."""
        squares = (read["target"].per_utterance() - read["output"].values).square()
        return squares.mean() if self.error == "mean" else squares.sum(1).mean()
