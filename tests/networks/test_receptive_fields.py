"""Kernels are what their numbers say, and can be learned."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import hilbert

from unheard.networks.receptive_fields import Gabor, ReceptiveFields, Wavelet, analytic


def made(kind: str) -> ReceptiveFields:
    torch.manual_seed(0)
    return Gabor(3, 16, 9) if kind == "gabor" else Wavelet(3, 80.0, 8.0, 0.2, 0.5)


kinds = pytest.mark.parametrize("kind", ["gabor", "wavelet"])


def test_a_gabor_kernel_is_a_product_of_windowed_waves() -> None:
    fields = made("gabor").double()
    kernels = fields.kernels()
    rate, scale = fields.rates[1].item(), fields.scales[1].item()
    for time in range(17):
        for band in range(9):
            window = (0.5 - 0.5 * math.cos(2 * math.pi * time / 18)) * (0.5 - 0.5 * math.cos(2 * math.pi * band / 10))
            cosines = window * math.cos(rate * (time - 8)) * math.cos(scale * (band - 4))
            sines = window * math.sin(rate * (time - 8)) * math.sin(scale * (band - 4))
            assert kernels[1, time, band].item() == pytest.approx(cosines, abs=1e-6)
            assert kernels[4, time, band].item() == pytest.approx(sines, abs=1e-6)


def test_the_window_begins_with_zero_and_ends_above_it() -> None:
    kernels = made("gabor").kernels()
    assert not kernels[:, 0].any()
    assert not kernels[:, :, 0].any()
    assert kernels[:3, -1].abs().max() > 0
    assert kernels[:3, :, -1].abs().max() > 0


def test_a_wavelet_kernel_is_that_of_the_formulas() -> None:
    fields = made("wavelet").double()
    rate, scale, phi, theta = (
        values[0].item() for values in (fields.rates, fields.scales, fields.spectral_phases, fields.temporal_phases)
    )
    time, distance = np.arange(17) / 80, np.linspace(-0.5, 0.5, 9)
    seeds = (
        (rate * (rate * time) ** 2 * np.exp(-3.5 * rate * time) * np.sin(2 * np.pi * rate * time), theta),
        (scale * (1 - (s := (2 * np.pi * scale * distance) ** 2)) * np.exp(-s / 2), phi),
    )
    a, b = (
        hilbert(h * np.cos(phase) + hilbert(h, 128)[: len(h)].imag * np.sin(phase), 128)[: len(h)] for h, phase in seeds
    )
    both = np.outer(a.real, b.real), np.outer(a.imag, b.imag)
    kernels = fields.kernels().detach().numpy()
    np.testing.assert_allclose(kernels[0], both[0] - both[1], atol=1e-6)
    np.testing.assert_allclose(kernels[3], both[0] + both[1], atol=1e-6)


def test_ripples_of_the_two_halves_move_in_opposite_directions() -> None:
    """Energy lies in opposite quadrants of the two-dimensional spectrum."""
    fields = Wavelet(1, 80.0, 8.0, 0.4, 2.0)
    fields.load_state_dict({"rates": torch.tensor([8.0]), "scales": torch.tensor([0.5]),
                            "spectral_phases": torch.zeros(1), "temporal_phases": torch.zeros(1)})  # fmt: skip
    power = torch.fft.fft2(fields.kernels(), s=(64, 64)).abs().square()
    same = power[:, 1:32, 1:32].sum((1, 2))
    opposite = power[:, 1:32, 33:].sum((1, 2))
    assert (same > 3 * opposite).tolist() in ([True, False], [False, True])
    assert (opposite > 3 * same).tolist() == [not each for each in (same > 3 * opposite).tolist()]


@given(time=st.integers(1, 30), frequency=st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_sizes_are_odd_and_the_picture_keeps_its_size(time: int, frequency: int) -> None:
    fields = Gabor(2, time, frequency)
    shape = fields.kernels().shape
    assert shape == (4, time + (time + 1) % 2, frequency + (frequency + 1) % 2)
    assert fields(torch.randn(2, 1, 13, 11)).shape == (2, 4, 13, 11)


@pytest.mark.parametrize(
    ("seconds", "octaves", "size", "points"),
    [(0.2, 0.5, (17, 9), 128), (0.25, 1.0, (21, 17), 128), (2, 1, (161, 17), 256)],
)
def test_wavelets_have_the_size_of_their_support(
    seconds: float, octaves: float, size: tuple[int, int], points: int
) -> None:
    fields = Wavelet(2, 80.0, 8.0, seconds, octaves)
    assert fields.kernels().shape == (4, *size)
    assert fields.points == points


@kinds
def test_every_number_is_learned(kind: str) -> None:
    fields = made(kind)
    (fields(torch.randn(2, 1, 20, 12)) ** 2).sum().backward()
    for name, parameter in fields.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.all(), name


@kinds
def test_kernels_are_made_anew_from_the_numbers(kind: str) -> None:
    fields = made(kind)
    before = fields.kernels()
    with torch.no_grad():
        fields.rates += 0.5
    assert not torch.allclose(before, fields.kernels())
    assert set(fields.state_dict()) == {name for name, _ in fields.named_parameters()}


@pytest.mark.parametrize(("length", "points"), [(8, 8), (9, 9), (17, 128), (5, 16)])
def test_the_analytic_signal_is_scipys(length: int, points: int) -> None:
    signals = np.random.default_rng(0).standard_normal((3, length))
    found = analytic(torch.from_numpy(signals), points)
    np.testing.assert_allclose(found, hilbert(signals, points, axis=1)[:, :length], atol=1e-12)
