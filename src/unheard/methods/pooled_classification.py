"""Classification of frames that go through a layer of their own before they are averaged (Gat et al. 2022)."""

from __future__ import annotations

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.classification import Classification
from unheard.methods.gradient_reversal import Reversal, reverse_gradient
from unheard.methods.term import require_tap
from unheard.networks.network import Tap


class PooledClassification(Classification):
    """Softmax cross-entropy of: a layer per frame, ReLU, the mean over time, a layer.

    "A non-linear projection from the temporal dimension", the downstream of Gat et al. 2022 for emotions and speakers.
    Without the ReLU it is the one of SUPERB (Yang et al. 2021).

    Makes the taps ``hidden`` [batch, width], the mean, and ``logits`` [batch, classes].

    Args:
        taps: width of every tap of the network and of the terms before this one.
        vocabulary: the classes of the column.
        column: the metadata column to predict.
        tap: where the head reads, usually frames.
        width: outputs of the layer per frame.
        rectify: whether there is a ReLU.
        weight, learning_rate, balanced, reverse: see :class:`~unheard.methods.classification.Classification`.

    Raises:
        InputError: neither the network nor a term before this one has such a tap.
    """

    def __init__(
        self,
        taps: dict[str, int],
        vocabulary: Vocabulary,
        *,
        column: str,
        tap: str = "frames",
        width: PositiveInt = 256,
        rectify: bool = True,
        weight: NonNegativeFloat = 1.0,
        learning_rate: PositiveFloat | None = None,
        balanced: bool = False,
        reverse: Reversal | None = None,
    ) -> None:
        require_tap(tap, taps, f'to read "{column}" from')
        super().__init__(
            {tap: width},
            vocabulary,
            column=column,
            tap=tap,
            hidden=(),
            weight=weight,
            learning_rate=learning_rate,
            balanced=balanced,
            reverse=reverse,
        )
        self.projection = nn.Linear(taps[tap], width)
        self.rectify = rectify

    def read(self, taps: dict[str, Tap], progress: float) -> dict[str, Tap]:
        """The taps ``hidden`` [batch, width] and ``logits`` [batch, classes]."""
        values, lengths = taps[self.tap]
        if self.reverse is not None:
            values = reverse_gradient(values, self.reverse.at(progress))
        projected: torch.Tensor = self.projection(values)
        hidden = Tap(projected.relu() if self.rectify else projected, lengths).per_utterance()
        return {"hidden": Tap(hidden), "logits": Tap(self.head(hidden)[1])}
