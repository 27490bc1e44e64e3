import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.frontends.deltas import add_deltas


def test_squares_give_the_known_derivatives() -> None:
    squares = torch.arange(6, dtype=torch.float64).square().view(1, 6, 1)
    columns = add_deltas(squares, torch.tensor([6]))[0].T
    np.testing.assert_allclose(columns[0], [0, 1, 4, 9, 16, 25])
    np.testing.assert_allclose(columns[1], [0.9, 2.2, 4.0, 6.0, 5.8, 4.1], atol=1e-12)
    np.testing.assert_allclose(columns[2], [1.0, 1.47, 1.36, 0.56, -0.63, -1.6], atol=1e-12)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_columns_are_grouped_by_derivative(order: int) -> None:
    features = torch.randn(1, 30, 3, generator=torch.Generator().manual_seed(0))
    wide = add_deltas(features, torch.tensor([30]), order)
    assert wide.shape == (1, 30, 3 * (1 + order))
    for band in range(3):
        alone = add_deltas(features[..., band : band + 1], torch.tensor([30]), order)
        torch.testing.assert_close(wide[..., band::3], alone)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_padding_never_changes_an_item(lengths: list[int], padding: int) -> None:
    generator = torch.Generator().manual_seed(len(lengths))
    batch = torch.randn(len(lengths), max(lengths) + padding, 2, generator=generator)
    together = add_deltas(batch, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        alone = add_deltas(batch[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(together[row, :length], alone[0], atol=1e-6, rtol=0)
