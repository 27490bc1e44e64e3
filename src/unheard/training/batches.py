"""Batches: pieces of utterances with their labels, drawn in an order that the seed and the epoch decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from unheard.frontends.front_end import FrontEnd
from unheard.methods.batch import Batch
from unheard.seeds import generator, torch_generator

Array = NDArray[np.float32]

#: Batches whose items are sorted by length together; more means less padding and less shuffling.
BUCKET = 4


@dataclass(frozen=True)
class Share:
    """What one of several devices takes of every batch: as good as equal parts, of about the same lengths.

    >>> [Share(rank, devices=2).of(np.arange(5)).tolist() for rank in range(2)]
    [[0, 2, 4], [1, 3]]
    """

    rank: int = 0
    devices: int = 1

    def of(self, pieces: NDArray[np.int64]) -> NDArray[np.int64]:
        """This device's pieces of a batch."""
        return pieces[self.rank :: self.devices]

    def names(self, *names: object) -> tuple[object, ...]:
        """Names of something random (:mod:`unheard.seeds`) that each device draws for itself."""
        return (*names, "device", self.rank) if self.rank else names


#: Of the only device there is.
WHOLE = Share()


@dataclass(frozen=True)
class Items:
    """What is put into batches: pieces of utterances.

    ``features`` are the fixed features of the utterances; piece i is ``features[owner[i]][start[i]:end[i]]``;
    ``labels`` hold one integer per utterance and column.
    """

    features: Sequence[Array]
    labels: dict[str, NDArray[np.int64]]
    owner: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    @classmethod
    def cut(
        cls,
        front_end: FrontEnd,
        features: Sequence[Array],
        labels: dict[str, NDArray[np.int64]] | None = None,
        *,
        training: bool = False,
    ) -> Items:
        """Cut every utterance into the pieces that the front end asks for."""
        pieces = [
            (owner, start, end)
            for owner, values in enumerate(features)
            for start, end in front_end.pieces(len(values), training)
        ]
        owner, start, end = np.array(pieces, dtype=np.int64).reshape(-1, 3).T
        return cls(features, labels or {}, owner, start, end)

    def __len__(self) -> int:
        return len(self.owner)

    def widths(self, front_end: FrontEnd) -> NDArray[np.int64]:
        """How many frames each piece takes in a batch."""
        return np.asarray(np.maximum(self.end - self.start, front_end.frames), dtype=np.int64)

    def take(self, pieces: NDArray[np.int64]) -> Items:
        """Only these pieces."""
        return replace(self, owner=self.owner[pieces], start=self.start[pieces], end=self.end[pieces])

    def batch(self, pieces: NDArray[np.int64], front_end: FrontEnd, draw: torch.Generator | None = None) -> Batch:
        """The given pieces, padded and drawn by the front end (at random only with a generator)."""
        arrays = [self.features[self.owner[i]][self.start[i] : self.end[i]] for i in pieces]
        lengths = torch.tensor([len(array) for array in arrays])
        padded = torch.zeros(len(arrays), int(lengths.max()), *arrays[0].shape[1:])
        for row, array in zip(padded, arrays, strict=True):
            row[: len(array)] = torch.from_numpy(np.array(array))
        features, lengths = front_end.draw(padded, lengths, draw)
        owners = self.owner[pieces]
        return Batch(
            features, lengths, {column: torch.from_numpy(values[owners]) for column, values in self.labels.items()}
        )


def training_order(
    lengths: NDArray[np.int64], size: int, seed: int, epoch: int, devices: int = 1
) -> list[NDArray[np.int64]]:
    """Every piece once, in batches of about equal length, in random order.

    A remainder of fewer than two pieces for each device joins the batch before it, since batch statistics need two.

    >>> tuple(len(batch) for batch in training_order(np.arange(9), 4, seed=0, epoch=0))
    (5, 4)
    """
    draw = generator(seed, "batches", epoch)
    order = draw.permutation(len(lengths))
    buckets = [order[start : start + BUCKET * size] for start in range(0, len(order), BUCKET * size)]
    ordered = np.concatenate([bucket[np.argsort(lengths[bucket], kind="stable")] for bucket in buckets])
    cuts = list(range(size, len(ordered), size))
    if cuts and len(ordered) - cuts[-1] < 2 * devices:
        cuts.pop()
    batches = np.split(ordered, cuts)
    return [batches[i] for i in draw.permutation(len(batches))]


def training_batches(
    items: Items, front_end: FrontEnd, size: int, seed: int, epoch: int, share: Share = WHOLE
) -> Iterator[Batch]:
    """One epoch, or a device's share of it."""
    draw = torch_generator(seed, *share.names("draw", epoch))
    for pieces in training_order(items.widths(front_end), size, seed, epoch, share.devices):
        yield items.batch(share.of(pieces), front_end, draw)


def evaluation_batches(items: Items, front_end: FrontEnd, size: int) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """Every piece once by length, with its number, nothing drawn at random."""
    order = np.argsort(items.end - items.start, kind="stable")
    for pieces in np.split(order, range(size, len(order), size)):
        yield pieces, items.batch(pieces, front_end)
