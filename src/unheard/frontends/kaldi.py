"""Kaldi's mel-frequency cepstral coefficients, batched: the arithmetic of ``feature-window.h`` and ``feature-mfcc.h``.

Everything is Kaldi's default at 16 kHz (frames of 25 ms every 10 ms, only whole frames, pre-emphasis 0.97, Povey
window, triangular mel bands from 20 Hz to the Nyquist frequency, orthonormal cosine transform, lifter 22), no dither.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from unheard.audio import SAMPLE_RATE
from unheard.errors import InputError
from unheard.frontends.framing import in_parts

FRAME = 400
SHIFT = 160
TRANSFORM = 512
PREEMPHASIS = 0.97
LOWEST_HERTZ = 20.0
LIFTER = 22
#: The float32 machine epsilon, below which Kaldi lets no energy fall before the logarithm.
FLOOR = torch.finfo(torch.float32).eps
#: Matrix products of fewer rows may add in another order; with these, padding does not change the last digit.
FEWEST_ROWS = 4
#: Waveforms here are in ±1, Kaldi's in the range of 16-bit integers.
INTEGER_RANGE = 32768.0


def povey_window() -> Tensor:
    """Kaldi's default window [400], a Hann window to the power 0.85; its first value is zero."""
    return torch.hann_window(FRAME, periodic=False, dtype=torch.float64).pow(0.85)


def mel_weights(bands: int) -> Tensor:
    """Triangles [257, bands] that are linear in mel(f) = 1127 ln(1 + f / 700); Kaldi leaves the Nyquist bin out."""
    hertz = torch.arange(TRANSFORM // 2, dtype=torch.float64) * SAMPLE_RATE / TRANSFORM
    lowest, highest = (1127 * math.log1p(edge / 700) for edge in (LOWEST_HERTZ, SAMPLE_RATE / 2))
    width = (highest - lowest) / (bands + 1)
    left = lowest + width * torch.arange(bands, dtype=torch.float64)
    rise = (1127 * torch.log1p(hertz / 700)[:, None] - left) / width
    return functional.pad(torch.minimum(rise, 2 - rise).clamp(min=0), (0, 0, 0, 1))


def cepstral_transform(bands: int, coefficients: int) -> Tensor:
    """Orthonormal cosine transform with the lifter 1 + 11 sin(πk / 22) in it, [bands, coefficients]."""
    order = torch.arange(coefficients, dtype=torch.float64)
    band = torch.arange(bands, dtype=torch.float64)[:, None]
    transform = torch.cos(math.pi * order * (band + 0.5) / bands) * math.sqrt(2 / bands)
    transform[:, 0] = math.sqrt(1 / bands)
    return transform * (1 + LIFTER / 2 * torch.sin(math.pi * order / LIFTER))


class KaldiMfcc(nn.Module):
    """Static cepstra of a padded batch, as ``compute-mfcc-feats --dither=0`` gives them.

    The tables are float64 and take the waveform's precision when used, so that float64 in is float64 throughout.
    """

    window: Tensor
    mel: Tensor
    cosines: Tensor

    def __init__(self, coefficients: int = 13, bands: int = 23, use_energy: bool = True) -> None:
        super().__init__()
        if coefficients > bands:
            raise InputError(f"coefficients: {bands} bands give no {coefficients} cepstra; ask for {bands} or fewer")
        mel = mel_weights(bands)
        if not mel.any(0).all():
            raise InputError(
                f"bands: {bands} mel bands are so narrow that some are empty; ask for fewer, Kaldi's default is 23"
            )
        self.use_energy = use_energy
        # The window's first value is zero: a frame's first sample, which has no predecessor, plays no part, and the
        # spectrum of the others, one sample early, has the same power.
        self.register_buffer("window", povey_window()[1:], persistent=False)
        # Empty bands up to a multiple of eight: the matrix product is twice as fast.
        empty = -bands % 8
        self.register_buffer("mel", functional.pad(mel, (0, empty)), persistent=False)
        cosines = cepstral_transform(bands, coefficients)
        self.register_buffer("cosines", functional.pad(cosines, (0, 0, 0, empty)), persistent=False)

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] in ±1 → cepstra [batch, time, coefficients] and raw log energy [batch, time].

        An item has ``frame_counts(lengths, FRAME, SHIFT)`` valid frames; those after it mean nothing.
        """
        shortest = FRAME + (FEWEST_ROWS - 1) * SHIFT
        if waveforms.shape[1] < shortest:
            waveforms = functional.pad(waveforms, (0, shortest - waveforms.shape[1]))
        # Only an item shorter than a frame would see what lies after its end.
        valid = torch.arange(FRAME, device=waveforms.device) < lengths[:, None]
        first = torch.where(valid, waveforms[:, :FRAME], 0)
        samples = torch.cat([first, waveforms[:, FRAME:]], 1) * INTEGER_RANGE
        frames = samples.unfold(1, FRAME, SHIFT)
        tables = [table.to(waveforms.dtype) for table in (self.window, self.mel, self.cosines)]
        # Half precision is too coarse for a spectrum, also where a network around this asks for it.
        with torch.autocast(waveforms.device.type, enabled=False):
            cepstra, energies = in_parts(frames, lambda part: self._cepstra(part, *tables))
            return cepstra, energies

    def _cepstra(self, frames: Tensor, window: Tensor, mel: Tensor, cosines: Tensor) -> tuple[Tensor, Tensor]:
        """Frames [batch, time, 400] → cepstra and log energy, in Kaldi's order."""
        frames = frames - frames.mean(-1, keepdim=True)
        energy = frames.square().sum(-1).clamp(min=FLOOR).log()
        emphasised = torch.sub(frames[..., 1:], frames[..., :-1], alpha=PREEMPHASIS)
        spectrum = torch.fft.rfft(emphasised * window, n=TRANSFORM)
        power = torch.addcmul(spectrum.real.square(), spectrum.imag, spectrum.imag)
        cepstra = (power @ mel).clamp(min=FLOOR).log() @ cosines
        if self.use_energy:
            cepstra = torch.cat([energy[..., None], cepstra[..., 1:]], -1)
        return cepstra, energy
