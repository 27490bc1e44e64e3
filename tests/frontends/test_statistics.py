import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.frontends.statistics import RunningMoments, standardize_utterances, subtract_sliding_mean


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_moments_are_those_of_all_rows_together(sizes: list[int]) -> None:
    generator = torch.Generator().manual_seed(sum(sizes))
    items = [torch.randn(size, 3, generator=generator) + 1e4 for size in (*sizes, 2)]
    moments = RunningMoments()
    for item in items:
        moments.update(item)
    rows = torch.cat(items).double()
    assert moments.count == len(rows)
    torch.testing.assert_close(moments.mean, rows.mean(0))
    torch.testing.assert_close(moments.deviation, rows.std(0, correction=0))


def test_utterances_have_zero_mean_and_unit_variance_and_padding_stays_out() -> None:
    features = torch.randn(2, 50, 4, generator=torch.Generator().manual_seed(0)) * 7 + 100
    features[..., 3] = 100.1  # a constant has no variance to make one
    scaled = standardize_utterances(features, torch.tensor([50, 30]))
    for row, length in enumerate([50, 30]):
        valid = scaled[row, :length]
        torch.testing.assert_close(valid.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
        torch.testing.assert_close(valid.var(0, correction=0), torch.tensor([1.0, 1, 1, 0]), atol=1e-4, rtol=0)
        torch.testing.assert_close(
            valid, standardize_utterances(features[row, :length][None], torch.tensor([length]))[0]
        )
    assert not scaled[1, 30:].any()


@pytest.mark.parametrize("length", [1, 5, 10, 11, 40])
def test_the_sliding_window_is_centred_and_stays_inside(length: int) -> None:
    window = 10
    features = torch.randn(1, 45, 2, generator=torch.Generator().manual_seed(length)) + 50
    centred = subtract_sliding_mean(features, torch.tensor([length]), window)[0, :length]
    valid = features[0, :length].double().numpy()
    for frame in range(length):
        start = max(0, min(frame - window // 2, length - window))
        np.testing.assert_allclose(centred[frame], valid[frame] - valid[start : start + window].mean(0), atol=1e-5)
