"""Every piece once per epoch, in an order that the seed and the epoch decide, padded with zeros."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as some
from torch import Tensor

from unheard.frontends.front_end import FrontEnd
from unheard.training.batches import BUCKET, Items, evaluation_batches, training_batches, training_order

lengths = some.lists(some.integers(1, 50), min_size=2, max_size=120).map(np.array)
sizes = some.integers(2, 9)
seeds = some.integers(0, 5)


class Plain(FrontEnd):
    """Features as they are, in pieces of at most ``longest`` frames in training."""

    layout = "sequence"
    shape = (2,)

    def __init__(self, longest: int = 10**6) -> None:
        super().__init__()
        self.longest = longest

    def fixed(self, waveforms, lengths):
        return waveforms, lengths

    def pieces(self, length: int, training: bool) -> list[tuple[int, int]]:
        step = self.longest if training else length
        return [(start, min(start + step, length)) for start in range(0, length, step)]

    def draw(
        self, features: Tensor, lengths: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        if generator is not None:
            features = features + torch.rand(1, generator=generator)
        return features, lengths


def utterances(sizes: np.ndarray) -> list[np.ndarray]:
    """Frame t of utterance u is (u + 1, t + 1)."""
    return [
        np.stack([np.full(n, u + 1.0), np.arange(1.0, n + 1)], axis=1).astype(np.float32) for u, n in enumerate(sizes)
    ]


@given(lengths, sizes, seeds, some.integers(0, 3))
def test_an_epoch_has_every_piece_once(lengths: np.ndarray, size: int, seed: int, epoch: int):
    batches = training_order(lengths, size, seed, epoch)
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert all(2 <= len(batch) <= size + 1 for batch in batches)
    assert sum(len(batch) != size for batch in batches) <= 1


@given(lengths, sizes, seeds)
def test_the_order_belongs_to_the_seed_and_the_epoch(lengths: np.ndarray, size: int, seed: int):
    def order(seed: int, epoch: int) -> list[list[int]]:
        return [batch.tolist() for batch in training_order(lengths, size, seed, epoch)]

    assert order(seed, 1) == order(seed, 1)
    if len(set(lengths)) > 20 and len(lengths) > 3 * size:
        assert order(seed, 1) != order(seed, 2)
        assert order(seed, 1) != order(seed + 1, 1)


def test_other_epochs_mix_other_pieces():
    lengths = np.full(64, 100)
    first, second = ([set(batch) for batch in training_order(lengths, 8, 0, epoch)] for epoch in (0, 1))
    assert not any(batch in second for batch in first)


def test_pieces_of_a_batch_are_about_as_long():
    lengths = np.random.default_rng(0).permutation(BUCKET * 8)
    spans = [np.ptp(lengths[batch]) for batch in training_order(lengths, 8, 0, 0)]
    assert max(spans) == 7  # one bucket: neighbours by length
    starts = [lengths[batch].min() for batch in training_order(lengths, 8, 0, 0)]
    assert starts != sorted(starts)


def test_pieces_of_one_width_are_batched_whatever_their_lengths():
    class Padded(Plain):
        frames = 200

    front_end = Padded()
    items = Items.cut(front_end, utterances(np.random.default_rng(0).permutation(np.arange(1, 161))))
    spans = [int(batch.lengths.max() - batch.lengths.min()) for batch in training_batches(items, front_end, 8, 0, 0)]
    assert min(spans) > 40  # sorted by length they would be 7


@given(lengths, sizes, some.integers(1, 20))
def test_pieces_are_cut_where_the_front_end_says(lengths: np.ndarray, size: int, longest: int):
    features = utterances(lengths)
    items = Items.cut(Plain(longest), features, training=True)
    assert (items.end - items.start).max() <= longest
    for owner, values in enumerate(features):
        rows = np.flatnonzero(items.owner == owner)
        pieces = [values[items.start[row] : items.end[row]] for row in rows]
        np.testing.assert_array_equal(np.concatenate(pieces), values)
    assert len(Items.cut(Plain(longest), features)) == len(features)


@given(lengths, sizes)
def test_a_batch_is_padded_with_zeros_and_has_its_own_labels(lengths: np.ndarray, size: int):
    front_end, features = Plain(7), utterances(lengths)
    labels = {"emotion": np.arange(len(lengths)), "speaker": -np.ones(len(lengths), dtype=np.int64)}
    items = Items.cut(front_end, features, labels, training=True)
    for pieces in training_order(items.end - items.start, size, 0, 0):
        batch = items.batch(pieces, front_end)
        assert batch.features.shape[1] == batch.lengths.max()
        assert batch.labels["emotion"].tolist() == items.owner[pieces].tolist()
        assert (batch.labels["speaker"] == -1).all()
        for row, piece in enumerate(pieces):
            length = int(batch.lengths[row])
            expected = features[items.owner[piece]][items.start[piece] : items.end[piece]]
            np.testing.assert_array_equal(batch.features[row, :length], expected)
            assert not batch.features[row, length:].any()


def test_training_draws_at_random_by_seed_and_epoch_and_evaluation_does_not():
    front_end, lengths = Plain(), np.array([3, 1, 4, 1, 5, 9, 2, 6])
    items = Items.cut(front_end, utterances(lengths))

    def epoch(seed: int, number: int) -> list[Tensor]:
        return [batch.features for batch in training_batches(items, front_end, 3, seed, number)]

    assert all(torch.equal(one, other) for one, other in zip(epoch(0, 0), epoch(0, 0), strict=True))
    assert not torch.equal(torch.cat([x.flatten() for x in epoch(0, 0)]), torch.cat([x.flatten() for x in epoch(0, 1)]))
    seen = []
    for pieces, batch in evaluation_batches(items, front_end, 3):
        seen += pieces.tolist()
        assert batch.lengths.tolist() == lengths[pieces].tolist()
        assert (batch.features[:, 0, 0] == torch.from_numpy(pieces + 1)).all()
    assert sorted(seen) == list(range(8))
    assert lengths[seen].tolist() == sorted(lengths)


def test_the_features_are_left_alone():
    features = [np.ones((3, 2), dtype=np.float32), np.ones((2, 2), dtype=np.float32)]
    for values in features:
        values.flags.writeable = False  # as they are in the store
    items = Items.cut(Plain(), features)
    items.batch(np.array([0, 1]), Plain()).features.zero_()
    assert all(values.all() for values in features)
