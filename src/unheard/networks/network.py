"""What a network is: features in, named taps out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from unheard.frontends.front_end import Layout
from unheard.frontends.statistics import valid_frames
from unheard.networks.layers import mean_over_time


class Tap(NamedTuple):
    """A place in the network where a term may read.

    ``values`` is [batch, width] for a whole utterance (``lengths`` is None) or [batch, time, width] with the number
    of valid frames of each item. What stands behind the valid frames carries no meaning.
    """

    values: Tensor
    lengths: Tensor | None = None

    def per_utterance(self) -> Tensor:
        """[batch, width], the mean over the valid frames where there are frames."""
        if self.lengths is None:
            return self.values
        return mean_over_time(self.values, valid_frames(self.lengths, self.values.shape[1]))


class Network(nn.Module, ABC):
    """Maps a padded batch of features to taps.

    Settings are the keyword arguments of ``__init__`` after ``shape`` (the front end's
    :attr:`~unheard.frontends.front_end.FrontEnd.shape`). In evaluation mode padding never changes an answer.
    """

    #: The layouts of features it takes.
    layouts: ClassVar[tuple[Layout, ...]]
    #: The width of every tap: ``local`` (frames before any recurrence), ``frames``, ``embedding``, and its own.
    taps: dict[str, int]

    @abstractmethod
    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        """A padded batch in one of ``layouts`` and its valid lengths → the taps."""
