"""Classification of a metadata column from a tap, with or against the network."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.batch import Batch
from unheard.methods.gradient_reversal import Reversal, reverse_gradient
from unheard.methods.term import Term, require_tap
from unheard.networks.layers import Perceptron
from unheard.networks.network import Tap


class Classification(Term):
    """Softmax cross-entropy of a perceptron that reads one tap.

    On ``embedding`` for ``emotion`` it is the recognizer itself; on ``embedding`` for ``speaker`` it is multi-task
    learning; with ``reverse`` it is domain-adversarial training against that column (Tu et al. 2019, equation 1).

    Makes the taps ``hidden`` (the last hidden layer) and ``logits`` [batch, classes].

    Args:
        taps: width of every tap of the network and of the terms before this one.
        vocabulary: the classes of the column.
        column: the metadata column to predict.
        tap: where the head reads; frames are averaged over time first.
        hidden: widths of the hidden layers (ReLU, batch normalisation and dropout after each).
        dropout: share of activations dropped.
        batch_norm: without it the hidden layers are not normalised.
        weight: of the loss in the sum.
        learning_rate: of the head; it follows the same schedule as that of the network, and is the same where none is
            given. A head that is to be fooled must learn faster than what fools it, or else it is only outrun.
        balanced: weigh classes by the inverse of their number in training.
        reverse: reverse the gradient into the network, and how strongly.

    Raises:
        InputError: neither the network nor a term before this one has such a tap.
    """

    head: nn.Module
    class_weight: Tensor

    def __init__(
        self,
        taps: dict[str, int],
        vocabulary: Vocabulary,
        *,
        column: str,
        tap: str = "embedding",
        hidden: tuple[PositiveInt, ...] = (64, 64),
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5,
        batch_norm: bool = True,
        weight: NonNegativeFloat = 1.0,
        learning_rate: PositiveFloat | None = None,
        balanced: bool = False,
        reverse: Reversal | None = None,
    ) -> None:
        super().__init__()
        require_tap(tap, taps, f'to read "{column}" from')
        self.column, self.tap, self.weight, self.balanced, self.reverse = column, tap, weight, balanced, reverse
        self.optimizer_options = {"lr": learning_rate} if learning_rate else {}
        self.taps = {"hidden": (taps[tap], *hidden)[-1], "logits": len(vocabulary)}
        self.head = Perceptron(taps[tap], hidden, len(vocabulary), dropout, batch_norm=batch_norm)
        self.register_buffer("class_weight", torch.ones(len(vocabulary)))

    def fit(self, vocabulary: Vocabulary, labels: Tensor) -> None:
        """Set the class weights where they are asked for."""
        if self.balanced:
            self.class_weight.copy_(class_weights(labels, len(vocabulary)))

    def read(self, taps: dict[str, Tap], progress: float) -> dict[str, Tap]:
        """The taps ``hidden`` [batch, width] and ``logits`` [batch, classes]."""
        values = taps[self.tap].per_utterance()
        if self.reverse is not None:
            values = reverse_gradient(values, self.reverse.at(progress))
        hidden, logits = self.head(values)
        return {"hidden": Tap(hidden), "logits": Tap(logits)}

    def loss(self, read: dict[str, Tap], batch: Batch) -> Tensor | None:
        """The mean over labelled utterances."""
        labels = batch.known(self.column)
        if labels is None:
            return None
        logits = read["logits"].values
        return functional.cross_entropy(logits, labels, weight=self.class_weight, ignore_index=-1)


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """n / (classes · n_c) for every class c of labels [utterances], of which −1 is missing; n_c is 1 at least.

    >>> class_weights(torch.tensor([0, 0, 0, 1, -1]), 2).tolist()
    [0.6666666865348816, 2.0]
    """
    counts = torch.bincount(labels[labels >= 0], minlength=classes).clamp(min=1)
    return counts.sum() / (classes * counts)
