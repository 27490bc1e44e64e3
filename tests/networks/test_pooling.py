"""Features that are learned already: their mean, or a sum that is learned."""

from __future__ import annotations

import pytest
import torch

from unheard.errors import InputError
from unheard.networks.pooling import Pooling


def test_frames_go_through_and_their_mean_beside_them():
    network, frames = Pooling((3,)), torch.randn(2, 5, 3)
    taps = network(frames, torch.tensor([5, 2]))
    assert torch.equal(taps["frames"].values, frames)
    assert taps["frames"].lengths.tolist() == [5, 2]
    torch.testing.assert_close(taps["embedding"].values, torch.stack([frames[0].mean(0), frames[1, :2].mean(0)]))
    assert not list(network.parameters())
    assert network.taps == {"frames": 3, "embedding": 3}


def test_a_learned_sum_begins_as_the_mean():
    network, rows = Pooling((3,), rows=4), torch.randn(2, 4, 3)
    torch.testing.assert_close(network(rows, torch.tensor([4, 4]))["embedding"].values, rows.mean(1))
    with torch.no_grad():
        network.sum.weight[2] = 60.0
    torch.testing.assert_close(network(rows, torch.tensor([4, 4]))["embedding"].values, rows[:, 2])


def test_another_number_of_rows_gets_one_sentence():
    with pytest.raises(InputError, match=r"network\.rows: the learned sum is over 4 rows, and an item has 3"):
        Pooling((3,), rows=4)(torch.randn(2, 4, 3), torch.tensor([4, 3]))
