"""Learnable spectro-temporal receptive fields: kernels over time and frequency made from two to four numbers each.

Source: STRFNet (Vuong, Xia and Stern 2020) and its published code; the wavelets are those of Chi, Ru and Shamma (2005).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

#: The fewest points of the Fourier transform in a Hilbert transform.
FEWEST_POINTS = 128


class ReceptiveFields(nn.Module, ABC):
    """Pairs of kernels, made anew in every pass from a rate (over time) and a scale (over frequency) for each pair."""

    @abstractmethod
    def kernels(self) -> Tensor:
        """The kernels as they are now, [2 · pairs, time, frequency], both sizes odd."""

    def forward(self, maps: Tensor) -> Tensor:
        """Cross-correlation with zeros around: [batch, 1, time, frequency] → [batch, 2 · pairs, time, frequency]."""
        kernels = self.kernels()[:, None]
        time, frequency = kernels.shape[2:]
        return functional.conv2d(maps, kernels.to(maps.dtype), padding=(time // 2, frequency // 2))


class Gabor(ReceptiveFields):
    """Waves under a window: cos(r n) · cos(s k) for each rate r and scale s, then sin(r n) · sin(s k).

    ``n`` and ``k`` count frames and bands from the middle. Both factors are multiplied by the window of the published
    code, 0.5 − 0.5 cos(2πj / (N + 1)) with j = 0 … N − 1, whose first value is zero and whose last is not.

    Args:
        pairs: how many rates and scales, which begin anywhere from 0 to π radians per frame and per band.
        time: frames of a kernel; the next odd number if even.
        frequency: bands of a kernel; likewise.
    """

    frames: Tensor
    bands: Tensor
    window: Tensor

    def __init__(self, pairs: int, time: int, frequency: int) -> None:
        super().__init__()
        self.rates = nn.Parameter(math.pi * torch.rand(pairs))
        self.scales = nn.Parameter(math.pi * torch.rand(pairs))
        frames, bands = (torch.arange(size) - size // 2 for size in (odd(time), odd(frequency)))
        self.register_buffer("frames", frames, persistent=False)
        self.register_buffer("bands", bands, persistent=False)
        window = _window(len(frames))[:, None] * _window(len(bands))
        self.register_buffer("window", window, persistent=False)

    def kernels(self) -> Tensor:
        """[2 · pairs, time, frequency], the cosines first."""
        over_time = (self.rates[:, None] * self.frames)[:, :, None]
        over_frequency = (self.scales[:, None] * self.bands)[:, None]
        waves = [over_time.cos() * over_frequency.cos(), over_time.sin() * over_frequency.sin()]
        return torch.cat(waves) * self.window


class Wavelet(ReceptiveFields):
    """What cortical neurons respond to: ripples that move down (the first half of the kernels) or up in frequency.

    With a rate r in Hz and a scale s in cycles per octave, over times t ≥ 0 and distances x in octaves, the seeds are

        h(t) = r (r t)² exp(−3.5 r t) sin(2π r t),  h(x) = s (1 − (2π s x)²) exp(−(2π s x)² / 2)

    Each is turned by a phase, h cos(phase) + ĥ sin(phase) with ĥ its Hilbert transform; of the analytic signals A(t)
    and B(x) of both come the kernels Re A Re B − Im A Im B and Re A Re B + Im A Im B. Bands should be spaced like a
    logarithm of frequency, as mel bands above 1 kHz are.

    Args:
        pairs: how many rates (which begin anywhere from 0 to 10 Hz), scales (0 to 0.2) and two phases each (0 to 2π).
        frame_rate: frames per second.
        bands_per_octave: how dense bands are.
        seconds: duration of a kernel; its frames are the next odd number if even.
        octaves: how far a kernel reaches to either side in frequency.
    """

    times: Tensor
    distances: Tensor

    def __init__(self, pairs: int, frame_rate: float, bands_per_octave: float, seconds: float, octaves: float) -> None:
        super().__init__()
        self.rates = nn.Parameter(10 * torch.rand(pairs))
        self.scales = nn.Parameter(0.2 * torch.rand(pairs))
        self.spectral_phases = nn.Parameter(2 * math.pi * torch.rand(pairs))
        self.temporal_phases = nn.Parameter(2 * math.pi * torch.rand(pairs))
        times = torch.arange(odd(int(frame_rate * seconds))) / frame_rate
        self.register_buffer("times", times, persistent=False)
        distances = torch.linspace(-octaves, octaves, 2 * int(octaves * bands_per_octave) + 1)
        self.register_buffer("distances", distances, persistent=False)
        longest = max(len(times), len(distances))
        self.points = max(FEWEST_POINTS, 2 ** math.ceil(math.log2(longest)))

    def kernels(self) -> Tensor:
        """[2 · pairs, time, frequency], Re A Re B − Im A Im B first."""
        cycles = self.rates[:, None] * self.times
        over_time = self.rates[:, None] * cycles.square() * (-3.5 * cycles).exp() * (2 * math.pi * cycles).sin()
        squares = (2 * math.pi * self.scales[:, None] * self.distances).square()
        over_frequency = self.scales[:, None] * (1 - squares) * (-squares / 2).exp()
        a = analytic(self._turned(over_time, self.temporal_phases), self.points)[:, :, None]
        b = analytic(self._turned(over_frequency, self.spectral_phases), self.points)[:, None]
        real, imaginary = a.real * b.real, a.imag * b.imag
        return torch.cat([real - imaginary, real + imaginary])

    def _turned(self, seeds: Tensor, phases: Tensor) -> Tensor:
        """h cos(phase) + ĥ sin(phase) of seeds [pairs, length]."""
        transformed = analytic(seeds, self.points).imag
        return seeds * phases.cos()[:, None] + transformed * phases.sin()[:, None]


def analytic(signals: Tensor, points: int) -> Tensor:
    """The analytic signals of real ones [..., length], complex, by a Fourier transform of ``points`` ≥ length.

    The real part is the signal, the imaginary part its Hilbert transform.

    >>> cosine = torch.cos(2 * torch.pi * torch.arange(8, dtype=torch.float64) / 8)
    >>> analytic(cosine, 8).imag[1:3].round(decimals=6).tolist()
    [0.707107, 1.0]
    """
    spectrum = torch.fft.fft(signals, n=points)
    weight = torch.zeros(points, dtype=signals.dtype, device=signals.device)
    weight[0] = 1
    weight[1 : (points + 1) // 2] = 2
    if points % 2 == 0:
        weight[points // 2] = 1
    signal: Tensor = torch.fft.ifft(spectrum * weight)
    return signal[..., : signals.shape[-1]]


def odd(size: int) -> int:
    """The size, or the next one if it is even.

    >>> odd(16), odd(17)
    (17, 17)
    """
    return size + 1 - size % 2


def _window(size: int) -> Tensor:
    return 0.5 - 0.5 * torch.cos(2 * math.pi * torch.arange(size) / (size + 1))
