"""A discriminator of codes from draws of a prior, Latif et al. 2022, equation 4."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor
from torch.nn import functional

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.batch import Batch
from unheard.methods.gradient_reversal import reverse_gradient
from unheard.methods.term import Term, require_tap
from unheard.networks.conv_autoencoder import ConvHead
from unheard.networks.network import Tap


class Discriminator(Term):
    """L = −(mean log D(d) + mean log(1 − D(z))): z is a tap, d a draw from N(0, I), D(·) the probability of a draw.

    The gradient into the network is reversed, so that z becomes like a draw. The method ``adversarial_autoencoder``
    gives the discriminator and the network their steps one after the other; any other method gives both in one.
    It needs no label.

    Makes the tap ``logits`` [batch, 2]: a code, a draw.

    Args:
        taps: width of every tap of the network and of the terms before this one.
        vocabulary: none.
        tap: where z is read.
        channels: outputs of the convolution that the head begins with where the tap holds maps.
        hidden: widths of the hidden layers.
        dropout: share of activations dropped behind the first hidden layer.
        weight: of the loss in the sum.
        learning_rate: of the discriminator; it follows the same schedule as that of the network, and is the same where
            none is given.

    Raises:
        InputError: there is no such tap.
    """

    def __init__(
        self,
        taps: dict[str, int],
        vocabulary: Vocabulary | None,
        *,
        tap: str = "latent",
        channels: PositiveInt = 32,
        hidden: tuple[PositiveInt, ...] = (128, 128),
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3,
        weight: NonNegativeFloat = 1.0,
        learning_rate: PositiveFloat | None = None,
    ) -> None:
        super().__init__()
        require_tap(tap, taps, "for a discriminator to read")
        self.tap, self.weight, self.width, self.taps = tap, weight, taps[tap], {"logits": 2}
        self.optimizer_options = {"lr": learning_rate} if learning_rate else {}
        self.head = ConvHead(taps[tap], channels, hidden, 2, dropout)

    def read(self, taps: dict[str, Tap], progress: float) -> dict[str, Tap]:
        """The tap ``logits`` [batch, 2] of the codes, behind the reversal."""
        return {"logits": Tap(self.logits(reverse_gradient(taps[self.tap].per_utterance(), 1.0)))}

    def loss(self, read: dict[str, Tap], batch: Batch) -> Tensor:
        """Equation 4 with as many draws as there are codes, its sign turned."""
        codes = read["logits"].values
        return -(log_draw(self.logits(self.draws(len(codes)))).mean() + log_code(codes).mean())

    def logits(self, values: Tensor) -> Tensor:
        """[batch, width] → [batch, 2]."""
        logits: Tensor = self.head(values)[1]
        return logits

    def draws(self, count: int) -> Tensor:
        """Draws from N(0, I), [count, width]."""
        weight = self.head.output.weight
        return torch.randn(count, self.width, dtype=weight.dtype, device=weight.device)


def log_code(logits: Tensor) -> Tensor:
    """log(1 − D), [batch, 2] → [batch]."""
    return functional.log_softmax(logits, dim=1)[:, 0]


def log_draw(logits: Tensor) -> Tensor:
    """log D, [batch, 2] → [batch]."""
    return functional.log_softmax(logits, dim=1)[:, 1]
