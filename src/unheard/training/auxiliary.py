"""Auxiliary data in an epoch: a stream of its own that goes round, beside one pass over the training data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unheard.frontends.front_end import FrontEnd
from unheard.methods.batch import Batch
from unheard.seeds import derive, torch_generator
from unheard.training.batches import WHOLE, Items, Share, training_batches, training_order

#: What becomes of a batch of the stream: it is put together with the batch of the step, learned after it, or handed to
#: the method beside it.
Use = Literal["join", "alternate", "beside"]


class Stream:
    """Pieces in an endless random order, pass after pass: each once before any comes again.

    The order is the stream's own, so that nothing on the other side of a step changes it; a position is a plain
    number, so that it goes on anywhere.

    >>> stream = Stream(np.array([7, 8, 9]), widths=np.full(3, 10), size=2, seed=0)
    >>> sorted(stream.take(0, 3).tolist()), sorted(stream.take(3, 3).tolist())
    ([7, 8, 9], [7, 8, 9])
    """

    def __init__(self, pieces: NDArray[np.int64], widths: NDArray[np.int64], size: int, seed: int) -> None:
        self.pieces, self.widths, self.size, self.seed = pieces, widths, size, derive(seed, "auxiliary")
        self._passes: dict[int, NDArray[np.int64]] = {}

    def take(self, position: int, count: int) -> NDArray[np.int64]:
        """The ``count`` pieces from a position on."""
        first, last = (place // len(self.pieces) for place in (position, position + count - 1))
        self._passes = {number: self._pass(number) for number in range(first, last + 1)}
        start = position - first * len(self.pieces)
        return np.concatenate([*self._passes.values()])[start : start + count]

    def _pass(self, number: int) -> NDArray[np.int64]:
        """All pieces once, neighbours of about equal length."""
        if number in self._passes:
            return self._passes[number]
        return self.pieces[np.concatenate(training_order(self.widths, self.size, self.seed, number))]


def updates(
    items: Items,
    own: int,
    use: Use | None,
    front_end: FrontEnd,
    size: int,
    seed: int,
    epoch: int,
    share: Share = WHOLE,
) -> Iterator[tuple[Batch, Batch | None]]:
    """What a method's ``update`` is called with in one epoch: a batch, and a second one beside it or None.

    Args:
        items: the pieces of the training data, then those of the auxiliary data.
        own: how many are of the training data. An epoch has each of them once.
        use: of a stream of the others; where there are none, of a stream of the training data again.
        front_end: what cuts and draws.
        size: of a batch; one of the stream is as large as the one it goes with.
        seed, epoch: they decide everything that is random.
        share: of every batch, for one of several devices.
    """
    if use is None:
        yield from ((batch, None) for batch in training_batches(items, front_end, size, seed, epoch, share))
        return
    widths = items.widths(front_end)
    others = np.arange(own, len(items)) if own < len(items) else np.arange(own)
    stream, position = Stream(others, widths[others], size, seed), epoch * own
    draw, drawn = (torch_generator(seed, *share.names(name, epoch)) for name in ("draw", "auxiliary draw"))
    for whole in training_order(widths[:own], size, seed, epoch, share.devices):
        pieces, second = share.of(whole), share.of(stream.take(position, len(whole)))
        position += len(whole)
        if use == "join":
            yield items.batch(np.concatenate([pieces, second]), front_end, draw), None
        elif use == "alternate":
            yield items.batch(pieces, front_end, draw), None
            yield items.batch(second, front_end, drawn), None
        else:
            yield items.batch(pieces, front_end, draw), items.batch(second, front_end, drawn)
