"""Log spectrograms as pictures of pieces of an utterance, the front end of Fan et al. (2020)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar, Literal

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor
from torch.nn import functional

from unheard.audio import SAMPLE_RATE
from unheard.errors import InputError
from unheard.frontends.activity import PAUSE, outside_pauses, select_frames
from unheard.frontends.deltas import add_deltas
from unheard.frontends.framing import frame_counts, in_parts
from unheard.frontends.front_end import FrontEnd, Layout
from unheard.frontends.statistics import mean_and_deviation_of, standardize_utterances, valid_frames

#: Below it a power is taken for zero: the slope of a root is not finite there. Its root is no number beside ``floor``.
SMALLEST_POWER = 1e-37


class Spectrogram(FrontEnd):
    """Level over frequency, low to high, and time, [batch, channels, frequency, time]; 3 × 400 × 300 by default.

    Frame t starts at sample t · hop and lies wholly in the recording; a recording shorter than a frame is filled up
    with silence. Normalised values are padded with zeros to the length of a picture and then spread over the channels.

    The defaults are the paper's, or a choice of ours where it is silent: its Section 3.2 takes "20 ms, 40 ms" windows
    every 10 ms, keeps 400 points of 0–4 kHz (so 1600 of 0–16 kHz), and has MATLAB draw a 3 × 400 × 300 picture.

    Args:
        window: Length of the symmetric Hamming window in ms; several make several spectrograms of frames as long as
            the longest, with the shorter ones in their middle.
        hop: From frame to frame, in ms.
        transform: Points of the Fourier transform, at 16 kHz.
        lowest: First frequency in Hz that is kept.
        highest: First frequency in Hz that is not.
        average: Neighbouring bins whose mean power makes one row.
        level: ``decibel`` is 20 log10(magnitude + floor), ``log_power`` is ln(power + floor); samples lie in ±1.
        floor: What is added before the logarithm.
        silence: ``remove`` leaves out frames in pauses: more than 40 dB below the utterance's 95th percentile of the
            energy of a frame, for more than 100 ms. What is left moves together, before anything is cut.
        normalize: Zero mean and unit variance of each row over the training part (``train_bin``) or over the
            utterance (``utterance``), or of all rows together over the training part (``train``).
        channels: ``rgb`` are the colours of :func:`jet`; ``multires`` each window, then their mean; ``delta`` the
            values with their first and second derivative; ``repeat`` three times the same, ``single`` once.
        clip: The normalised value that has the last colour of ``rgb``.
        piece: Utterances are cut every so many seconds. A frame over a cut belongs to no piece, as if each piece were a
            recording; the remainder is the last piece, if it holds a frame. Without it, every ``frames``.
        frames: Frames of a picture.

    >>> Spectrogram()(torch.zeros(1, 48000), torch.tensor([48000]))[0].shape
    torch.Size([1, 3, 400, 300])
    """

    layout: ClassVar[Layout] = "image"
    fixed_settings: ClassVar[tuple[str, ...]] = (
        "window",
        "hop",
        "transform",
        "lowest",
        "highest",
        "average",
        "level",
        "floor",
        "silence",
        "normalize",
    )
    windows: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        *,
        window: PositiveFloat | tuple[PositiveFloat, ...] = 40.0,
        hop: PositiveFloat = 10.0,
        transform: PositiveInt = 1600,
        lowest: NonNegativeFloat = 0.0,
        highest: PositiveFloat = 4000.0,
        average: PositiveInt = 1,
        level: Literal["decibel", "log_power"] = "decibel",
        floor: PositiveFloat = 1e-10,
        silence: Literal["keep", "remove"] = "keep",
        normalize: Literal["none", "utterance", "train", "train_bin"] = "train_bin",
        channels: Literal["rgb", "multires", "delta", "repeat", "single"] = "rgb",
        clip: PositiveFloat = 3.0,
        piece: PositiveFloat | None = 3.0,
        frames: PositiveInt = 300,
    ) -> None:
        super().__init__()
        lengths = [in_samples(each) for each in (window if isinstance(window, tuple) else (window,))]
        if channels == "multires" and len(lengths) < 2:
            raise InputError("window: channels=multires takes two or more lengths, such as [20, 40]; one is given")
        if channels != "multires" and len(lengths) != 1:
            raise InputError(
                f"window: channels={channels} takes one length, {len(lengths)} are given; several need multires"
            )
        if normalize == "none" and channels == "rgb":
            raise InputError("channels: rgb colours normalised values; take another normalize than none, or single")
        self.transform, self.average = transform, average
        self.level, self.floor, self.silence = level, floor, silence
        self.normalize, self.channels, self.clip = normalize, channels, clip
        self.samples, self.hop, self.frames = max(lengths), in_samples(hop), frames
        if self.samples > transform:
            raise InputError(f"transform: {transform} points do not hold a window of {self.samples} samples")
        self.bins = kept_bins(transform, lowest, highest, average)
        self.rows = len(range(*self.bins.indices(transform))) // average
        self.row_edges = tuple(
            SAMPLE_RATE * edge / transform for edge in range(self.bins.start, self.bins.stop + 1, average)
        )
        self.every, self.longest = self._cuts(piece)
        count = {"single": 1, "multires": len(lengths) + 1}.get(channels, 3)
        self.shape = (count, self.rows)
        self.register_buffer("windows", hamming_windows(lengths), persistent=False)
        self.register_buffer("mean", torch.zeros(len(lengths) * self.rows))
        self.register_buffer("deviation", torch.ones(len(lengths) * self.rows))

    def _cuts(self, piece: float | None) -> tuple[int, int]:
        """Frames from the start of a piece to that of the next, and frames of a piece."""
        if piece is None:
            return self.frames, self.frames
        length = round(piece * SAMPLE_RATE)
        longest = 1 + (length - self.samples) // self.hop
        if length % self.hop:
            raise InputError(f"piece: {piece:g} s are not a whole number of hops of {self.hop} samples")
        if not 0 < longest <= self.frames:
            raise InputError(
                f"frames: a piece of {piece:g} s has {max(0, longest)} frames, and it takes 1 to {self.frames}"
            )
        return length // self.hop, longest

    def fixed(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] in ±1 → levels [batch, time, windows · rows], padded with zeros, and their lengths.

        Differentiable in the waveform.
        """
        lengths = lengths.to(waveforms.device)
        waveforms = functional.pad(waveforms, (0, max(0, self.samples - waveforms.shape[1])))
        # Only an item shorter than a frame would see what lies after its end.
        first = torch.where(valid_frames(lengths, self.samples), waveforms[:, : self.samples], 0)
        frames = torch.cat([first, waveforms[:, self.samples :]], 1).unfold(1, self.samples, self.hop)
        counts = frame_counts(lengths, self.samples, self.hop)
        if not torch.compiler.is_compiling():
            frames = frames[:, : int(counts.max())]  # padding is not transformed, and makes no picture wider
        # Half precision is too coarse for a spectrum, also where a network around this asks for it.
        with torch.autocast(waveforms.device.type, enabled=False):
            (levels,) = in_parts(frames, self._levels)
            if self.silence == "remove":
                (energy,) = in_parts(frames, lambda part: (part.square().mean(-1),))
                keep = outside_pauses(energy, counts, round(PAUSE * SAMPLE_RATE / self.hop))
                levels, counts = select_frames(levels, keep, at_least=1)
        if self.normalize == "utterance":
            return standardize_utterances(levels, counts), counts
        return torch.where(valid_frames(counts, levels.shape[1])[..., None], levels, 0), counts

    def _levels(self, frames: Tensor) -> tuple[Tensor]:
        """Frames [batch, time, samples] → levels [batch, time, windows · rows]."""
        spectrum = torch.fft.rfft(frames[..., None, :] * self.windows.to(frames.dtype), n=self.transform)
        kept = spectrum[..., self.bins]
        power = torch.addcmul(kept.real.square(), kept.imag, kept.imag)
        if self.average > 1:
            power = power.view(*power.shape[:-1], self.rows, self.average).mean(-1)
        if self.level == "decibel":
            return (20 * (power.clamp(min=SMALLEST_POWER).sqrt() + self.floor).log10().flatten(-2),)
        return ((power + self.floor).log().flatten(-2),)

    def fit(self, items: Iterable[Tensor]) -> None:
        """Set the mean and deviation of the training utterances' levels [time, windows · rows]."""
        if self.normalize.startswith("train"):
            together = self.normalize == "train"
            mean, deviation = mean_and_deviation_of(item.reshape(-1, 1) if together else item for item in items)
            self.mean.copy_(mean)
            self.deviation.copy_(deviation)

    def pieces(self, length: int, training: bool) -> list[tuple[int, int]]:
        """Where an utterance of ``length`` frames is cut, the same in training and in use.

        >>> Spectrogram().pieces(700, training=False)
        [(0, 297), (300, 597), (600, 700)]
        """
        return [(start, min(start + self.longest, length)) for start in range(0, length, self.every)]

    def draw(
        self, features: Tensor, lengths: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Levels [batch, time, windows · rows] → pictures [batch, channels, rows, frames] and how many are valid.

        Nothing here is random. An item longer than ``frames``, which only an uncut utterance is, makes a wider picture.
        """
        values = (features - self.mean) / self.deviation if self.normalize.startswith("train") else features
        if self.channels == "delta":
            values = add_deltas(values, lengths)
        values = torch.where(valid_frames(lengths, features.shape[1])[..., None], values, 0).to(features.dtype)
        values = functional.pad(values, (0, 0, 0, max(0, self.frames - features.shape[1])))
        pictures = values.mT.contiguous().view(len(values), -1, self.rows, values.shape[1])
        if self.channels == "rgb":
            pictures = jet(pictures[:, 0], self.clip)
        elif self.channels == "multires":
            pictures = torch.cat([pictures, pictures.mean(1, keepdim=True)], 1)
        elif self.channels == "repeat":
            pictures = pictures.repeat(1, 3, 1, 1)
        return pictures, lengths


def in_samples(milliseconds: float) -> int:
    """The nearest number of samples, one at least."""
    return max(1, round(milliseconds * SAMPLE_RATE / 1000))


def kept_bins(transform: int, lowest: float, highest: float, average: int) -> slice:
    """The bins of lowest ≤ frequency < highest.

    >>> kept_bins(1600, 0, 4000, 1)
    slice(0, 400, None)
    """
    if highest > SAMPLE_RATE / 2:
        raise InputError(f"highest: {highest:g} Hz lie above half the sampling rate; take 8000 or less")
    first, end = (math.ceil(edge * transform / SAMPLE_RATE) for edge in (lowest, highest))
    if end <= first or (end - first) % average:
        raise InputError(
            f"average: {lowest:g} to {highest:g} Hz are {max(0, end - first)} bins of {transform} points; "
            f"give a range of {average} bins or a multiple of it"
        )
    return slice(first, end)


def hamming_windows(lengths: list[int]) -> Tensor:
    """Windows 0.54 − 0.46 cos(2πk / (W − 1)), k = 0 … W − 1, centred in the longest: float64 [windows, longest]."""
    longest = max(lengths)
    windows = torch.zeros(len(lengths), longest, dtype=torch.float64)
    for row, length in zip(windows, lengths, strict=True):
        start = (longest - length) // 2
        row[start : start + length] = torch.hamming_window(length, periodic=False, dtype=torch.float64)
    return windows


def jet(values: Tensor, clip: float) -> Tensor:
    """MATLAB's colour map ``jet`` of values from −clip to clip: [batch, …] → red, green, blue in 0 … 1, [batch, 3, …].

    Blue, cyan, green (at zero), yellow, red; values beyond the clip have the colour of the clip. It has a line
    in the place of the map's 256 steps, at most 1/64 from them, so that gradients pass.

    >>> jet(torch.tensor([[-3.0, 0.0, 1.5, 3.0]]), clip=3)[0].T.tolist()
    [[0.0, 0.0, 0.5], [0.5, 1.0, 0.5], [1.0, 0.5, 0.0], [0.5, 0.0, 0.0]]
    """
    scaled = (values * (2 / clip)).clamp_(-2, 2)[:, None]
    peaks = torch.tensor((1, 0, -1), dtype=values.dtype, device=values.device)
    # In place: a batch of pictures is far larger than a cache, and every new one costs time.
    return (scaled - peaks.view(-1, *[1] * (values.ndim - 1))).abs_().neg_().add_(1.5).clamp_(0, 1)
