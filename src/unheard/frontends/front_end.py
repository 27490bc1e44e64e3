"""What a front end is: waveform → features, in a part that is fixed and a part that varies per item."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

Layout = Literal["sequence", "image", "waveform", "vector"]


class FrontEnd(nn.Module, ABC):
    """Turns 16 kHz mono waveforms into the features that a network takes.

    Three parts, from what never changes to what always does:

    * :meth:`fixed` is deterministic; its result is kept on disk and read back memory-mapped;
    * :meth:`fit` sets statistics from the training part of a fold; they are buffers, saved with the model;
    * :meth:`draw` is what varies per item (crop, gain, masks), batched; without a generator it is deterministic.

    Settings are the keyword arguments of ``__init__``. Those that :meth:`fixed` depends on are named in
    ``fixed_settings``, and ``version`` counts changes of its arithmetic: features are kept under both.
    """

    #: ``sequence`` [batch, time, bands], ``image`` [batch, channels, frequency, time], ``waveform`` [batch, samples],
    #: ``vector`` [batch, values].
    layout: ClassVar[Layout]
    fixed_settings: ClassVar[tuple[str, ...]] = ()
    version: ClassVar[int] = 1
    #: Settings that name what lies elsewhere, such as a file. A saved model has none of them.
    elsewhere: ClassVar[tuple[str, ...]] = ()
    #: The sizes of one item but for its time: ``(bands,)``, ``(channels, frequency)``, ``()`` or ``(values,)``.
    shape: tuple[int, ...]
    #: What stands in a saved model's recipe in the place of settings, so that it needs nothing from elsewhere.
    saved_settings: Mapping[str, Any] = MappingProxyType({})
    #: To how many frames :meth:`draw` pads every item at least: up to there, batches need not be of similar lengths.
    frames: int = 0
    #: The edges of the rows in Hz, low to high, one more than there are rows; None where rows are no such bands.
    row_edges: tuple[float, ...] | None = None

    @property
    def content(self) -> str:
        """What :meth:`fixed` depends on besides settings, such as the digest of a file; nothing by default."""
        return ""

    @abstractmethod
    def fixed(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] in ±1 with the number of valid samples each → padded features and their valid lengths.

        Padding never changes an item: the valid part is what the item gives alone.
        """

    def fit(self, items: Iterable[Tensor]) -> None:
        """Set statistics from the fixed features [time, ...] of the training utterances; nothing by default."""

    def pieces(self, length: int, training: bool) -> list[tuple[int, int]]:
        """Where an utterance of ``length`` fixed frames is cut: (start, end) of each piece, the whole by default."""
        return [(0, length)]

    def draw(
        self, features: Tensor, lengths: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """A padded batch of fixed pieces → what the network takes; random only with a generator."""
        return features, lengths

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """From waveform to network input as at inference, without cutting into pieces."""
        return self.draw(*self.fixed(waveforms, lengths))
