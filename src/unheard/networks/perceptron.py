"""A perceptron over one vector per utterance."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, PositiveInt
from torch import Tensor, nn

from unheard.frontends.front_end import Layout
from unheard.networks.layers import hidden_layers
from unheard.networks.network import Network, Tap


class VectorPerceptron(Network):
    """Dropout of the inputs, then fully connected layers with ReLU, batch normalisation and dropout.

    With the functionals of openSMILE it is what a linear SVM on them is, with an embedding that terms can share.

    Makes the tap ``embedding``, the last layer.

    Args:
        shape: of the features, one number of values.
        hidden: widths of the layers.
        input_dropout: share of the values that is left out.
        dropout: share of activations dropped after each layer.
    """

    layouts: ClassVar[tuple[Layout, ...]] = ("vector",)

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (256,),
        input_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5,
    ) -> None:
        super().__init__()
        (values,) = shape
        self.taps = {"embedding": hidden[-1]}
        self.input_dropout = nn.Dropout(input_dropout)
        self.layers = hidden_layers(values, hidden, dropout)

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        """[batch, values] → the tap ``embedding`` [batch, hidden[-1]]."""
        return {"embedding": Tap(self.layers(self.input_dropout(features)))}
