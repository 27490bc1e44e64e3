"""The stream of auxiliary pieces: each once a pass, at any position, with no say in what the training data does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from unheard.frontends.front_end import FrontEnd
from unheard.training.auxiliary import Stream, updates
from unheard.training.batches import Items, training_batches


class Plain(FrontEnd):
    layout = "sequence"
    shape = (1,)

    def fixed(self, waveforms, lengths):
        return waveforms, lengths

    def draw(self, features, lengths, generator=None):
        return (features + torch.rand(1, generator=generator) if generator else features), lengths


counts = some.integers(1, 30)


@given(counts, some.integers(0, 100), some.lists(some.integers(1, 9), min_size=1, max_size=8), some.integers(0, 3))
def test_a_stream_goes_on_anywhere(count: int, position: int, sizes: list[int], seed: int):
    widths = np.arange(count) + 5

    def stream() -> Stream:
        return Stream(np.arange(count) + 100, widths, 4, seed)

    whole = stream().take(0, position + sum(sizes))
    one, at, parts = stream(), position, []
    for size in sizes:
        parts.append(one.take(at, size))
        at += size
    np.testing.assert_array_equal(np.concatenate(parts), whole[position:])
    for start in range(0, len(whole) - count + 1, count):  # a pass has every piece once
        assert sorted(whole[start : start + count]) == list(range(100, 100 + count))


def test_passes_differ():
    stream = Stream(np.arange(40), np.full(40, 9), 4, 0)
    assert stream.take(0, 40).tolist() != stream.take(40, 40).tolist()


def items(own: int, others: int) -> Items:
    """Frame values are the number of the utterance, and so is the label."""
    features = [np.full((3 + index % 4, 1), index, dtype=np.float32) for index in range(own + others)]
    return Items.cut(Plain(), features, {"number": np.arange(own + others)})


def epoch(own: int, others: int, use, seed: int = 0, number: int = 0):
    found = updates(items(own, others), own, use, Plain(), 4, seed, number)
    return [(batch.labels["number"].tolist(), second.labels["number"].tolist() if second else None)
            for batch, second in found]  # fmt: skip


@given(some.integers(2, 20), some.integers(1, 20), some.integers(0, 3))
def test_the_training_data_has_its_epoch_whatever_goes_beside_it(own: int, others: int, number: int):
    alone = [batch.labels["number"].tolist() for batch in training_batches(items(own, 0), Plain(), 4, 0, number)]
    assert [batch for batch, _ in epoch(own, 0, None, number=number)] == alone

    joined = epoch(own, others, "join", number=number)
    assert [[label for label in batch if label < own] for batch, _ in joined] == alone
    auxiliary = [[label for label in batch if label >= own] for batch, _ in joined]
    assert list(map(len, auxiliary)) == list(map(len, alone))

    alternate = epoch(own, others, "alternate", number=number)
    assert [batch for batch, _ in alternate[::2]] == alone
    assert [batch for batch, _ in alternate[1::2]] == auxiliary
    beside = epoch(own, others, "beside", number=number)
    assert beside == list(zip(alone, auxiliary, strict=True))


def test_epochs_go_on_where_the_stream_was():
    seen = [label for number in range(6) for _, second in epoch(8, 12, "beside", number=number) for label in second]
    for start in range(0, 48, 12):
        assert sorted(seen[start : start + 12]) == list(range(8, 20))


def test_without_auxiliary_data_the_second_batch_is_of_the_training_data_in_another_order():
    batches = epoch(20, 0, "beside")
    assert sorted(label for _, second in batches for label in second) == list(range(20))
    assert [batch for batch, _ in batches] != [second for _, second in batches]


@pytest.mark.parametrize("use", ["alternate", "beside"])
def test_what_is_drawn_for_the_training_data_does_not_hang_on_the_auxiliary_data(use):
    def drawn(others: int) -> list[torch.Tensor]:
        found = list(updates(items(9, others), 9, use, Plain(), 4, 0, 0))
        return [batch.features for batch, _ in (found[::2] if use == "alternate" else found)]

    assert all(torch.equal(one, other) for one, other in zip(drawn(3), drawn(17), strict=True))
