"""What Whisper hears (Radford et al. 2023): log-mel spectra of windows of one length, 30 s."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from unheard.audio import SAMPLE_RATE

WINDOW, HOP = 400, 160
#: The encoder's second convolution halves the frames.
SAMPLES_PER_FRAME = 2 * HOP


class Windows(nn.Module):
    """Cuts recordings into windows, the last filled up with silence, and puts what is made of them together again.

    Args:
        config: transformers' configuration of the model.
    """

    bank: Tensor
    hann: Tensor

    def __init__(self, config: Any) -> None:
        super().__init__()
        from transformers.audio_utils import mel_filter_bank

        self.positions = int(config.max_source_positions)
        self.samples = self.positions * SAMPLES_PER_FRAME
        bands = int(config.num_mel_bins)
        bank = mel_filter_bank(1 + WINDOW // 2, bands, 0.0, SAMPLE_RATE / 2, SAMPLE_RATE, "slaney", "slaney")
        self.register_buffer("bank", torch.from_numpy(bank).float(), persistent=False)
        self.register_buffer("hann", torch.hann_window(WINDOW, device="cpu"), persistent=False)

    def cut(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] → spectra [windows, bands, time] and which item each window is of."""
        counts = (lengths.clamp(min=1) + self.samples - 1) // self.samples
        width = int(counts.max()) * self.samples
        filled = functional.pad(waveforms[:, :width], (0, max(0, width - waveforms.shape[1])))
        windows = filled.view(len(filled), -1, self.samples)
        heard = torch.arange(windows.shape[1], device=counts.device) < counts[:, None]
        owners = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
        with torch.autocast(waveforms.device.type, enabled=False):
            return self._log_mel(windows[heard]), owners

    def _log_mel(self, windows: Tensor) -> Tensor:
        """log10 of the power in mel bands, at most 80 dB below the loudest, scaled to about ±1."""
        spectrum = torch.stft(windows, WINDOW, HOP, window=self.hann.to(windows.dtype), return_complex=True)[..., :-1]
        power = spectrum.real.square() + spectrum.imag.square()
        level = (self.bank.to(windows.dtype).T @ power).clamp(min=1e-10).log10()
        return (level.maximum(level.amax((1, 2), keepdim=True) - 8) + 4) / 4

    def joined(self, parts: tuple[Tensor, Sequence[Tensor]], owners: Tensor, items: int) -> tuple[Tensor, list[Tensor]]:
        """Frames of windows [windows, time, …], once and per layer → frames of items [items, time, …]."""
        counts = torch.bincount(owners, minlength=items).tolist()

        def put_together(frames: Tensor) -> Tensor:
            each = [part.flatten(0, 1) for part in torch.split(frames, counts)]
            return nn.utils.rnn.pad_sequence(each, batch_first=True)

        local, layers = parts
        return put_together(local), [put_together(layer) for layer in layers]

    def frames(self, lengths: Tensor) -> Tensor:
        """How many frames hold sound, one at least."""
        return (lengths.clamp(min=1) + SAMPLES_PER_FRAME - 1) // SAMPLES_PER_FRAME
