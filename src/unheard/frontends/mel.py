"""Triangular mel bands, and their warping over frequency, which makes a longer or shorter vocal tract of a voice."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from unheard.audio import SAMPLE_RATE

TRANSFORM = 512
BINS = TRANSFORM // 2 + 1
NYQUIST = SAMPLE_RATE / 2

Triangles = Literal["mel", "hertz"]


def mel(hertz: Tensor) -> Tensor:
    """mel(f) = 2595 log10(1 + f / 700)."""
    return 2595 * torch.log10(1 + hertz / 700)


def mel_edges(bands: int) -> Tensor:
    """The edges in hertz, equally spaced in mel from 0 to 8000 Hz, [bands + 2]; band b reaches from edge b to b + 2.

    >>> mel_edges(30)[[0, 1, 2, 29, 30, 31]].round(decimals=2).tolist()
    [0.0, 59.28, 123.58, 6694.54, 7320.76, 8000.0]
    """
    highest = 2595 * math.log10(1 + NYQUIST / 700)
    return 700 * (10 ** (torch.linspace(0, highest, bands + 2, dtype=torch.float64) / 2595) - 1)


def warp_frequency(hertz: Tensor, alpha: Tensor) -> Tensor:
    """The bilinear warp ω' = ω + 2 atan(α sin ω / (1 − α cos ω)) with ω = π f / 8000, for |α| < 1.

    A positive ``alpha`` moves frequencies up; 0 and 8000 Hz stay, and the warp by −α undoes that by α. It is the phase
    of a first-order all-pass filter (Xia et al. 2021, eq. 1).

    >>> alphas = torch.tensor([-0.15, 0.15], dtype=torch.float64)
    >>> warp_frequency(torch.tensor(1000.0, dtype=torch.float64), alphas).round(decimals=2).tolist()
    [743.45, 1338.88]
    """
    angle = math.pi / NYQUIST * hertz
    return hertz + 2 * NYQUIST / math.pi * torch.atan2(alpha * angle.sin(), 1 - alpha * angle.cos())


def mel_bank(bands: int, alpha: Tensor, triangles: Triangles = "mel") -> Tensor:
    """Weights of the 257 bins of a power spectrum at 16 kHz, for each alpha [...] → float64 [..., 257, bands].

    All edges are warped by ``alpha``, then triangles with peak 1 are put over them, linear in mel or in hertz.
    """
    edges = warp_frequency(mel_edges(bands).to(alpha.device), alpha.double()[..., None])
    hertz = torch.arange(BINS, dtype=torch.float64, device=alpha.device)[:, None] * (SAMPLE_RATE / TRANSFORM)
    if triangles == "mel":
        edges, hertz = mel(edges), mel(hertz)
    left, peak, right = (edges[..., None, first : first + bands] for first in range(3))
    return torch.minimum((hertz - left) / (peak - left), (right - hertz) / (right - peak)).clamp(min=0)
