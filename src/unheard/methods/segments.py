"""The segment objective of Xia et al. 2021, equation 3: every frame alone is to tell what the whole utterance is."""

from __future__ import annotations

from itertools import pairwise

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.frontends.statistics import valid_frames
from unheard.methods.batch import Batch
from unheard.methods.classification import class_weights
from unheard.methods.term import Term, require_tap
from unheard.networks.layers import mean_over_time
from unheard.networks.network import Tap


class Segments(Term):
    """L = Σ_k (1/T) Σ_t ℓ(f_k(x_t), y) over ``heads`` classifiers f_k of their own and the T frames x_t of a tap.

    ℓ is the cross-entropy and y the label of the utterance; the loss of a batch is its mean over labelled utterances.
    Frames that are padding count in none. On ``local``, frames before any recurrence, it keeps the network from
    telling the emotion by what is spread over the whole utterance. The utterance's posterior does not come from here,
    but those of its frames do: a saved recognizer keeps the heads for that, if the column is the emotion.

    Makes the taps ``logits`` [batch, time, heads · classes] and ``frames`` [batch, time, classes], the posteriors of
    every frame, averaged over heads.

    Args:
        taps: width of every tap of the network and of the terms before this one.
        vocabulary: the classes of the column.
        column: the metadata column to predict.
        tap: the frames that the heads read.
        heads: how many there are; the paper does best with two.
        hidden: widths of the hidden layers of each head, with ReLU.
        weight: of the loss in the sum.
        balanced: weigh classes by the inverse of their number in training.

    Raises:
        InputError: there is no such tap, or it holds no frames.
    """

    class_weight: Tensor

    def __init__(
        self,
        taps: dict[str, int],
        vocabulary: Vocabulary,
        *,
        column: str,
        tap: str = "local",
        heads: PositiveInt = 2,
        hidden: tuple[PositiveInt, ...] = (512,),
        weight: NonNegativeFloat = 1.0,
        balanced: bool = False,
    ) -> None:
        super().__init__()
        require_tap(tap, taps, f'whose frames could tell "{column}"')
        self.column, self.tap, self.weight, self.balanced = column, tap, weight, balanced
        classes = len(vocabulary)
        self.taps = {"logits": heads * classes, "frames": classes}
        self.heads = nn.ModuleList(_position_wise((taps[tap], *hidden, classes)) for _ in range(heads))
        self.register_buffer("class_weight", torch.ones(classes))

    def fit(self, vocabulary: Vocabulary, labels: Tensor) -> None:
        """Set the class weights where they are asked for."""
        if self.balanced:
            self.class_weight.copy_(class_weights(labels, len(vocabulary)))

    def read(self, taps: dict[str, Tap], progress: float) -> dict[str, Tap]:
        """The taps ``logits`` [batch, time, heads · classes] and ``frames`` [batch, time, classes]."""
        frames, lengths = taps[self.tap]
        if lengths is None:
            raise InputError(f'segments read frames, and the tap "{self.tap}" is one per utterance; take "local"')
        logits = [head(frames) for head in self.heads]
        posteriors = torch.stack([each.softmax(dim=2) for each in logits]).mean(0)
        return {"logits": Tap(torch.cat(logits, dim=2), lengths), "frames": Tap(posteriors, lengths)}

    def loss(self, read: dict[str, Tap], batch: Batch) -> Tensor | None:
        """The sum over heads of the mean over labelled utterances."""
        labels = batch.known(self.column)
        if labels is None:
            return None
        logits, lengths = read["logits"]
        assert lengths is not None
        labelled = labels >= 0
        labels, logits, lengths = labels[labelled], logits[labelled], lengths[labelled]
        of_each_head = logits.view(*logits.shape[:2], len(self.heads), -1).permute(0, 3, 1, 2)
        targets = labels[:, None, None].expand(-1, *of_each_head.shape[2:])
        losses = functional.cross_entropy(of_each_head, targets, reduction="none").sum(2, keepdim=True)
        of_utterances = mean_over_time(losses, valid_frames(lengths, losses.shape[1]))[:, 0]
        weights = self.class_weight[labels]
        return (weights * of_utterances).sum() / weights.sum()


def _position_wise(widths: tuple[int, ...]) -> nn.Sequential:
    """Linear layers on each frame alone, ReLU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
