import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unheard.frontends.mel import BINS, Triangles, mel_bank, mel_edges, warp_frequency

ALPHAS = st.floats(-0.9, 0.9)


def hertz() -> torch.Tensor:
    return torch.linspace(0, 8000, 257, dtype=torch.float64)


@given(ALPHAS)
def test_a_warp_keeps_the_order_and_the_ends_and_is_undone_by_its_opposite(alpha: float) -> None:
    warped = warp_frequency(hertz(), torch.tensor(alpha, dtype=torch.float64))
    torch.testing.assert_close(warped[[0, -1]], hertz()[[0, -1]], atol=1e-9, rtol=0)
    assert (warped.diff() > 0).all()
    back = warp_frequency(warped, torch.tensor(-alpha, dtype=torch.float64))
    torch.testing.assert_close(back, hertz(), atol=1e-7, rtol=0)


def test_the_warp_gives_the_known_frequencies() -> None:
    known = {1000: (743.45, 1338.88), 2000: (1513.10, 2601.47), 4000: (3241.71, 4758.29), 6000: (5398.53, 6486.90)}
    alphas = torch.tensor([-0.15, 0.15], dtype=torch.float64)
    for frequency, expected in known.items():
        warped = warp_frequency(torch.tensor(float(frequency), dtype=torch.float64), alphas)
        torch.testing.assert_close(warped, torch.tensor(expected, dtype=torch.float64), atol=5e-3, rtol=0)


@pytest.mark.parametrize("triangles", ["mel", "hertz"])
def test_neighbouring_triangles_add_up_to_one(triangles: Triangles) -> None:
    alphas = torch.tensor([-0.15, 0.0, 0.15], dtype=torch.float64)
    bank = mel_bank(30, alphas, triangles)
    assert bank.shape == (3, BINS, 30)
    for alpha, weights in zip(alphas, bank, strict=True):
        first, last = warp_frequency(mel_edges(30)[[1, 30]], alpha)
        inside = (hertz() >= first) & (hertz() <= last)
        torch.testing.assert_close(weights.sum(1)[inside], torch.ones(int(inside.sum()), dtype=torch.float64))


@given(ALPHAS)
def test_a_batch_of_warps_gives_what_each_gives(alpha: float) -> None:
    alphas = torch.tensor([0.1, alpha], dtype=torch.float64)
    torch.testing.assert_close(mel_bank(23, alphas)[1], mel_bank(23, alphas[1]), atol=1e-12, rtol=1e-12)
