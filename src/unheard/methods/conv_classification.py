"""Classification from maps: the head begins with a convolution (Latif et al. 2022, section 4.3)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.classification import Classification
from unheard.methods.gradient_reversal import Reversal
from unheard.networks.conv_autoencoder import ConvHead
from unheard.networks.network import Maps


class ConvClassification(Classification):
    """Softmax cross-entropy of a head that reads a tap of maps: convolution, max-pooling, fully connected layers.

    Makes the taps ``hidden`` (the last hidden layer; that of a speaker term is the paper's d-vector) and ``logits``
    [batch, classes].

    Args:
        taps: width of every tap of the network and of the terms before this one.
        vocabulary: the classes of the column.
        column: the metadata column to predict.
        tap: where the head reads.
        channels: outputs of the 3 × 3 convolution, which ReLU and 2 × 2 max-pooling follow.
        hidden: widths of the hidden layers, with ReLU.
        dropout: share of activations dropped behind the first hidden layer.
        weight, learning_rate, balanced, reverse: see :class:`~unheard.methods.classification.Classification`.

    Raises:
        InputError: there is no such tap, or it holds no maps.
    """

    def __init__(
        self,
        taps: dict[str, int],
        vocabulary: Vocabulary,
        *,
        column: str,
        tap: str = "latent",
        channels: PositiveInt = 32,
        hidden: tuple[PositiveInt, ...] = (128, 128),
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3,
        weight: NonNegativeFloat = 1.0,
        learning_rate: PositiveFloat | None = None,
        balanced: bool = False,
        reverse: Reversal | None = None,
    ) -> None:
        super().__init__(
            taps,
            vocabulary,
            column=column,
            tap=tap,
            hidden=hidden,
            dropout=dropout,
            weight=weight,
            learning_rate=learning_rate,
            balanced=balanced,
            reverse=reverse,
        )
        if not isinstance(taps[tap], Maps):
            raise InputError(
                f'"{column}" is to be read from the tap "{tap}" by a convolution, and the tap holds no maps; '
                f"take kind: classification"
            )
        self.head = ConvHead(taps[tap], channels, hidden, len(vocabulary), dropout)
