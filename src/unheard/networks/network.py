"""What a network is: features in, named taps out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self

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


class Maps(int):
    """The width of a tap that holds maps, one value after the other in the order channel, row, time.

    >>> latent = Maps(16, 8, 4)
    >>> latent, latent.rows
    (512, 8)
    """

    channels: int
    rows: int
    frames: int

    def __new__(cls, channels: int, rows: int, frames: int) -> Self:
        """The width of so many maps."""
        width = super().__new__(cls, channels * rows * frames)
        width.channels, width.rows, width.frames = channels, rows, frames
        return width

    def __getnewargs__(self) -> tuple[int, int, int]:  # type: ignore[override]
        return self.channels, self.rows, self.frames  # what a copy is made with

    def of(self, values: Tensor) -> Tensor:
        """What such a tap holds, [batch, width] → [batch, channels, rows, time]."""
        return values.reshape(len(values), self.channels, self.rows, self.frames)


class Network(nn.Module, ABC):
    """Maps a padded batch of features to taps.

    Settings are the keyword arguments of ``__init__`` after ``shape`` (the front end's
    :attr:`~unheard.frontends.front_end.FrontEnd.shape`). In evaluation mode padding never changes an answer.
    """

    #: The layouts of features it takes.
    layouts: ClassVar[tuple[Layout, ...]]
    #: Settings that name what lies elsewhere, such as a file. A saved model has none of them.
    elsewhere: ClassVar[tuple[str, ...]] = ()
    #: The width of every tap: ``local`` (frames before any recurrence), ``frames``, ``embedding``, and its own. That of
    #: a tap of maps can be :class:`Maps`.
    taps: dict[str, int]
    #: How many neighbouring rows of the features each value of the tap ``attention`` weighs, from the first row on;
    #: None where it weighs something else.
    attended_rows: ClassVar[int | None] = None

    #: What stands in a saved model's recipe in the place of settings, so that it needs nothing from elsewhere.
    saved_settings: Mapping[str, Any] = MappingProxyType({})

    @abstractmethod
    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        """A padded batch in one of ``layouts`` and its valid lengths → the taps."""

    def receptive_fields(self) -> Tensor | None:
        """Kernels over the input that are worth a look, [kernels, time, frequency]; None where there are none."""
        return None
