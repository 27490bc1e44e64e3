"""What stands in for an operator gives what the operator gives."""

from __future__ import annotations

import pytest
import torch

from unheard.export.operators import PortableOperators
from unheard.seeds import torch_generator


@pytest.mark.parametrize(("samples", "points"), [(400, 512), (399, 512), (512, 512), (1, 2)])
def test_a_spectrum_is_that_of_the_transform(samples: int, points: int):
    frames = torch.randn(2, 3, samples, generator=torch_generator(0), dtype=torch.float64)
    expected = torch.fft.rfft(frames, n=points)
    with PortableOperators():
        found = torch.fft.rfft(frames, n=points)
    torch.testing.assert_close(torch.complex(found.real, found.imag), expected)


@pytest.mark.parametrize(("size", "step"), [(400, 160), (3, 3), (1, 1), (1000, 7)])
@pytest.mark.parametrize("bands", [(), (5,)])
def test_frames_are_those_of_unfold(size: int, step: int, bands: tuple[int, ...]):
    values = torch.randn(2, 1000, *bands, generator=torch_generator(0))
    expected = values.unfold(1, size, step)
    with PortableOperators():
        found = values.unfold(1, size, step)
    assert torch.equal(found, expected)
