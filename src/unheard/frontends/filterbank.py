"""Log-mel bands with frequency warping and masks: Xia et al. (2021), and small corpora in general."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat
from torch import Tensor
from torch.nn import functional

from unheard.audio import SAMPLE_RATE
from unheard.errors import InputError
from unheard.frontends.activity import PAUSE, outside_pauses, select_frames
from unheard.frontends.augmentation import QUIETEST_NOISE, masked, retimed, uniform, with_noise
from unheard.frontends.framing import FEWEST_FRAMES, frame_counts, in_parts
from unheard.frontends.front_end import FrontEnd, Layout
from unheard.frontends.mel import BINS, TRANSFORM, Triangles, mel_bank
from unheard.frontends.statistics import (
    centre_utterances,
    mean_and_deviation_of,
    standardize_utterances,
    valid_frames,
)
from unheard.seeds import torch_generator

#: Added to the power in a band before the logarithm (Xia et al. 2021).
FLOOR = 1e-8


class Filterbank(FrontEnd):
    """ln(power in triangular mel bands + 1e-8) of a 512-point transform of Hann-windowed frames.

    What is kept on disk is the power spectrum, so that warp, gain and noise act before the logarithm. Only whole frames
    count; one shorter than a frame is filled up with silence, and an item comes out with 20 frames or more: a shorter
    one repeats its last. Everything random (from ``crop`` on) happens in training only, in the order crop and speed,
    noise, gain, warp, normalisation, masks.

    Args:
        bands: Mel bands from 0 to 8000 Hz.
        window: Length of a frame in ms, at most 32.
        hop: From one frame to the next in ms.
        average: Consecutive frames whose logarithms are averaged to one; what remains at the end is the last one.
        peak: Scale each utterance to a largest sample of 1.
        silence: ``remove`` leaves out frames in pauses: more than 40 dB below the utterance's 95th percentile of the
            energy of a frame, for more than 100 ms.
        dynamic_range: By how many dB a band may lie below the utterance's loudest band and frame; what is lower is
            raised to that. Null is no limit.
        triangles: Linear in ``mel`` or in ``hertz``.
        normalize: ``mean`` subtracts each band's mean over the utterance, ``utterance`` also divides by its deviation,
            ``global`` makes zero mean and unit variance over the training part.
        crop: Seconds to train on at a time, from a random place; 0 is the whole utterance.
        fill: Fill what is shorter than the crop up with silence, which then counts as part of it.
        speed: Largest relative change of an utterance's duration.
        noise: Lowest signal-to-noise ratio in dB; white noise is added at a ratio between this and 40 dB, null is off.
        gain: By how many dB the level is lowered at most.
        warp: Largest |α| of :func:`~unheard.frontends.mel.warp_frequency`.
        frequency_masks: How many masks over frequency.
        frequency_width: How many bands one covers at most.
        time_masks: How many masks over time.
        time_width: How many frames one covers at most; never more than a quarter of the utterance.

    Raises:
        InputError: some bands are so narrow that no bin of the transform lies in them.

    >>> Filterbank()(torch.zeros(1, 48000), torch.tensor([48000]))[0].shape
    torch.Size([1, 239, 30])
    """

    layout: ClassVar[Layout] = "sequence"
    fixed_settings: ClassVar[tuple[str, ...]] = ("window", "hop", "peak", "silence")
    hann: Tensor
    bank: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        *,
        bands: Annotated[int, Field(ge=1, le=BINS)] = 30,
        window: Annotated[float, Field(ge=1, le=1000 * TRANSFORM / SAMPLE_RATE)] = 25.0,
        hop: Annotated[float, Field(ge=1)] = 12.5,
        average: Annotated[int, Field(ge=1, le=100)] = 1,
        peak: bool = False,
        silence: Literal["keep", "remove"] = "keep",
        dynamic_range: PositiveFloat | None = None,
        triangles: Triangles = "mel",
        normalize: Literal["none", "global", "mean", "utterance"] = "none",
        crop: NonNegativeFloat = 0.0,
        fill: bool = False,
        speed: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        noise: Annotated[float, Field(le=QUIETEST_NOISE)] | None = None,
        gain: NonNegativeFloat = 0.0,
        warp: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        frequency_masks: NonNegativeInt = 0,
        frequency_width: NonNegativeInt = 6,
        time_masks: NonNegativeInt = 0,
        time_width: NonNegativeInt = 25,
    ) -> None:
        super().__init__()
        self.bands = bands
        self.frame, self.shift = (round(SAMPLE_RATE * milliseconds / 1000) for milliseconds in (window, hop))
        self.average = average
        self.peak = peak
        self.silence = silence
        self.dynamic_range = dynamic_range
        self.triangles = triangles
        self.normalize = normalize
        samples = torch.tensor(round(SAMPLE_RATE * crop))
        longest = max(FEWEST_FRAMES, int(frame_counts(samples, self.frame, self.shift)))
        self.longest = longest if crop else None
        self.fill = fill
        self.speed = speed
        self.noise = noise
        self.gain = gain
        self.warp = warp
        self.frequency_masks = frequency_masks, frequency_width
        self.time_masks = time_masks, time_width
        # A narrow band may hold a bin at one warp and none at another.
        if not mel_bank(bands, torch.linspace(-warp, warp, 31), triangles).any(-2).all():
            warped = f" under a warp of up to {warp:g}" if warp else ""
            raise InputError(
                f"bands: {bands} mel bands are so narrow that some are empty{warped}; ask for fewer, 30 or 40 are usual"
            )
        # Tables are float64 and take the precision of what they meet, so that float64 in is float64 throughout.
        self.register_buffer("hann", torch.hann_window(self.frame, dtype=torch.float64), persistent=False)
        self.register_buffer("bank", mel_bank(bands, torch.zeros(()), triangles), persistent=False)
        self.shape = (bands,)
        self.register_buffer("mean", torch.zeros(self.shape))
        self.register_buffer("deviation", torch.ones(self.shape))

    def fixed(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] in ±1 → power spectra [batch, time, 257], padded with zeros, and their lengths.

        Differentiable in the waveform.
        """
        lengths = lengths.to(waveforms.device)
        samples = torch.where(valid_frames(lengths, waveforms.shape[1]), waveforms, 0)
        if self.peak:
            largest = samples.abs().amax(1, keepdim=True)
            samples = samples / torch.where(largest > 0, largest, 1)
        samples = functional.pad(samples, (0, max(0, self.frame - samples.shape[1])))
        frames = frame_counts(lengths, self.frame, self.shift)
        # Half precision is too coarse for a spectrum, also where a network around this asks for it.
        with torch.autocast(samples.device.type, enabled=False):
            (power,) = in_parts(self._frames(self.heard(samples, lengths)), self._power)
            keep = valid_frames(frames, power.shape[1])
            if self.silence == "remove":
                (energy,) = in_parts(self._frames(samples), lambda part: (part.square().mean(-1),))
                keep = outside_pauses(energy, frames, round(PAUSE * SAMPLE_RATE / self.shift))
        return select_frames(power, keep, FEWEST_FRAMES)

    def _frames(self, samples: Tensor) -> Tensor:
        """[batch, samples] → [batch, time, samples of a frame]."""
        return samples.unfold(1, self.frame, self.shift)

    def heard(self, samples: Tensor, lengths: Tensor) -> Tensor:
        """What of the samples [batch, samples], zero behind an item's length, the spectrum is taken of: all of it."""
        return samples

    def _power(self, frames: Tensor) -> tuple[Tensor]:
        """Frames [batch, time, samples] → power spectra [batch, time, 257]."""
        spectrum = torch.fft.rfft(frames * self.hann.to(frames.dtype), n=TRANSFORM)
        return (torch.addcmul(spectrum.real.square(), spectrum.imag, spectrum.imag),)

    def fit(self, items: Iterable[Tensor]) -> None:
        """Set the mean and deviation of ``normalize="global"`` from the training utterances' spectra [time, 257]."""
        if self.normalize == "global":
            features = (self._log_mel(item[None], torch.tensor([len(item)]), self.bank)[0][0] for item in items)
            mean, deviation = mean_and_deviation_of(features)
            self.mean.copy_(mean)
            self.deviation.copy_(deviation)

    def draw(
        self, features: Tensor, lengths: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Power spectra [batch, time, 257] → [batch, time, bands], padded with zeros, and lengths."""
        if generator is None:
            return self._normalized(*self._log_mel(features, lengths, self.bank))
        # One seed for the batch and a generator for each thing in it: to switch one on changes no other.
        seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
        generator_of = partial(torch_generator, seed)
        if self.speed or self.longest:
            features, lengths = retimed(features, lengths, self.speed, self.longest, generator_of("time"))
        if self.fill and self.longest:
            features = functional.pad(features, (0, 0, 0, self.longest - features.shape[1]))
            lengths = torch.full_like(lengths, self.longest)
        if self.noise is not None:
            features = with_noise(features, lengths, self.noise, generator_of("noise"))
        decibels = -self.gain * uniform(generator_of("gain"), len(lengths))
        alpha = self.warp * (2 * uniform(generator_of("warp"), len(lengths)) - 1)
        bank = self.bank if not self.warp else mel_bank(self.bands, alpha.to(features.device), self.triangles)
        bank = bank * (10 ** (decibels / 10)).to(features.device)[:, None, None]
        features, lengths = self._normalized(*self._log_mel(features, lengths, bank))
        if self.frequency_masks[0] or self.time_masks[0]:
            features = masked(features, lengths, self.frequency_masks, self.time_masks, generator_of("masks"))
        return features, lengths

    def _log_mel(self, power: Tensor, lengths: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, time, 257] and [..., 257, bands] → [batch, time / average, bands] and lengths."""
        with torch.autocast(power.device.type, enabled=False):
            features = (power @ bank.to(power.dtype) + FLOOR).log()
        if self.dynamic_range is not None:
            valid = valid_frames(lengths, features.shape[1])[..., None]
            loudest = torch.where(valid, features, -torch.inf).amax((1, 2), keepdim=True)
            features = features.maximum(loudest - self.dynamic_range * math.log(10) / 10)
        if self.average == 1:
            return features, lengths
        features = torch.where(valid_frames(lengths, features.shape[1])[..., None], features, 0)
        features = functional.pad(features, (0, 0, 0, self.average - 1))
        total = features.unfold(1, self.average, self.average).sum(-1)
        first = self.average * torch.arange(total.shape[1], device=power.device)
        count = (lengths[:, None] - first).clamp(1, self.average)
        lengths = (lengths + self.average - 1) // self.average
        return select_frames(total / count[..., None], valid_frames(lengths, total.shape[1]), FEWEST_FRAMES)

    def _normalized(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised as asked for; padding becomes zero."""
        if self.normalize == "mean":
            return centre_utterances(features, lengths), lengths
        if self.normalize == "utterance":
            return standardize_utterances(features, lengths), lengths
        if self.normalize == "global":
            features = ((features - self.mean) / self.deviation).to(features.dtype)
        return torch.where(valid_frames(lengths, features.shape[1])[..., None], features, 0), lengths
