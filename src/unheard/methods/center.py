"""Center loss (Wen et al. 2016) as Fan et al. 2020 use it, equation 8: the utterances of a class lie close together."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor, nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.batch import Batch
from unheard.methods.term import Term, require_tap
from unheard.networks.network import Tap


class Center(Term):
    """L = (1/N) Σ ‖x − c‖², with x what a tap holds of an utterance and c the centre of its class.

    It reads any tap, those of the terms before it as well: ``emotion.hidden`` is the last hidden layer of the term
    ``emotion``, the paper's deep feature. N counts the utterances of the batch that have a label.

    Makes the tap ``vector`` [batch, width], which is x.

    Args:
        taps: width of every tap of the network and of the terms before this one.
        vocabulary: the classes of the column.
        column: the metadata column whose classes have centres.
        tap: where x is read; frames are averaged over time first.
        weight: of the loss in the sum.
        update: how the centres move. ``gradient``: as every other parameter, by the gradient of the loss, but without
            weight decay. ``wen``: after each step, c ← c − rate · Σ (c − x) / (1 + n) over the n utterances of the
            class in the batch (Wen et al. 2016, equation 4).
        learning_rate: of the centres. For ``gradient`` it falls as that of the network does, and is the same where
            none is given; for ``wen`` it stays as it is, 0.5 where none is given.

    Raises:
        InputError: neither the network nor a term before this one has such a tap.
    """

    def __init__(
        self,
        taps: dict[str, int],
        vocabulary: Vocabulary,
        *,
        column: str,
        tap: str = "embedding",
        weight: NonNegativeFloat = 1.0,
        update: Literal["gradient", "wen"] = "gradient",
        learning_rate: PositiveFloat | None = None,
    ) -> None:
        super().__init__()
        before = "neither of the network nor of the terms before this one"
        require_tap(tap, taps, f'to keep the classes of "{column}" together in, {before}')
        self.column, self.tap, self.weight, self.taps = column, tap, weight, {"vector": taps[tap]}
        self.rate = (learning_rate or 0.5) if update == "wen" else 0.0
        self.optimizer_options = {"weight_decay": 0.0} | ({"lr": learning_rate} if learning_rate else {})
        centres = nn.init.xavier_uniform_(torch.empty(len(vocabulary), taps[tap]))
        self.centres = nn.Parameter(centres, requires_grad=update == "gradient")

    def read(self, taps: dict[str, Tap], progress: float) -> dict[str, Tap]:
        """The tap ``vector`` [batch, width]."""
        return {"vector": Tap(taps[self.tap].per_utterance())}

    def loss(self, read: dict[str, Tap], batch: Batch) -> Tensor | None:
        """The mean over labelled utterances of the squared distance to the class's centre."""
        labels = batch.known(self.column)
        if labels is None:
            return None
        labelled = labels >= 0
        return (read["vector"].values[labelled] - self.centres[labels[labelled]]).square().sum(1).mean()

    @torch.no_grad()
    def after_step(self, taps: dict[str, Tap], batch: Batch) -> None:
        """Move the centres by ``wen``; nothing for ``gradient``."""
        labels = batch.labels.get(self.column)
        if self.rate and labels is not None:
            classes = nn.functional.one_hot(labels + 1, len(self.centres) + 1)[:, 1:].to(self.centres.dtype)
            counts = classes.sum(0)[:, None]
            vectors = self.read(taps, 1.0)["vector"].values.to(self.centres.dtype)
            self.centres.sub_(self.rate * (counts * self.centres - classes.T @ vectors) / (1 + counts))
