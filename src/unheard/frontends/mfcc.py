"""Kaldi's MFCC with derivatives and energy activity detection, the front end of Tu et al. (2019)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Tensor

from unheard.frontends.activity import energy_activity, select_frames
from unheard.frontends.deltas import add_deltas
from unheard.frontends.framing import FEWEST_FRAMES, frame_counts
from unheard.frontends.front_end import FrontEnd, Layout
from unheard.frontends.kaldi import FRAME, SHIFT, TRANSFORM, KaldiMfcc
from unheard.frontends.statistics import (
    mean_and_deviation_of,
    standardize_utterances,
    subtract_sliding_mean,
    valid_frames,
)


class Mfcc(FrontEnd):
    """MFCC, Δ and ΔΔ of voiced frames, 39 values every 10 ms by default.

    The order is that of Kaldi's pipelines: cepstra and derivatives of all frames, the sliding mean if asked for, then
    the voiced frames alone. An item comes out with 20 frames or more: one with fewer voiced frames keeps all, and a
    still shorter one repeats its last. One shorter than a frame (25 ms) is filled up with silence.

    Args:
        coefficients: Cepstra, the zeroth included.
        bands: Mel bands.
        deltas: The highest derivative.
        use_energy: Put raw log energy in the place of the zeroth cepstrum.
        activity: ``kaldi`` keeps frames by their log energy, ``none`` keeps all.
        vad_energy_threshold: Kaldi's option of this name, as the next three; the defaults are of its x-vector recipes.
        vad_energy_mean_scale: Share of the mean log energy that is added to the threshold.
        vad_frames_context: Frames on either side that vote.
        vad_proportion_threshold: Share of them that must be above the threshold.
        normalize: ``global`` makes zero mean and unit variance over the training part, ``utterance`` over each
            utterance's kept frames; ``sliding`` subtracts the mean over 300 frames (3 s).

    >>> Mfcc()(torch.zeros(1, 16000), torch.tensor([16000]))[0].shape
    torch.Size([1, 98, 39])
    """

    layout: ClassVar[Layout] = "sequence"
    fixed_settings: ClassVar[tuple[str, ...]] = (
        "coefficients",
        "bands",
        "deltas",
        "use_energy",
        "activity",
        "vad_energy_threshold",
        "vad_energy_mean_scale",
        "vad_frames_context",
        "vad_proportion_threshold",
        "normalize",
    )
    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        *,
        coefficients: PositiveInt = 13,
        bands: Annotated[int, Field(ge=1, le=TRANSFORM // 2)] = 23,
        deltas: Literal[0, 1, 2] = 2,
        use_energy: bool = True,
        activity: Literal["kaldi", "none"] = "kaldi",
        vad_energy_threshold: float = 5.5,
        vad_energy_mean_scale: float = 0.5,
        vad_frames_context: NonNegativeInt = 2,
        vad_proportion_threshold: float = 0.12,
        normalize: Literal["none", "global", "utterance", "sliding"] = "none",
    ) -> None:
        super().__init__()
        self.deltas = deltas
        self.activity = activity
        self.vad_energy_threshold = vad_energy_threshold
        self.vad_energy_mean_scale = vad_energy_mean_scale
        self.vad_frames_context = vad_frames_context
        self.vad_proportion_threshold = vad_proportion_threshold
        self.normalize = normalize
        self.cepstra = KaldiMfcc(coefficients, bands, use_energy)
        self.shape = (coefficients * (1 + deltas),)
        self.register_buffer("mean", torch.zeros(self.shape))
        self.register_buffer("deviation", torch.ones(self.shape))

    def fixed(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] in ±1 → [batch, time, bands] of the voiced frames, padded with zeros, and their lengths.

        Differentiable in the waveform; which frames are voiced counts as given.
        """
        lengths = lengths.to(waveforms.device)
        features, energy = self.cepstra(waveforms, lengths)
        frames = frame_counts(lengths, FRAME, SHIFT)
        features = add_deltas(features, frames, self.deltas)
        if self.normalize == "sliding":
            features = subtract_sliding_mean(features, frames)
        return select_frames(features, self._voiced(energy.detach(), frames), FEWEST_FRAMES)

    def _voiced(self, energy: Tensor, frames: Tensor) -> Tensor:
        """True for the frames to keep, [batch, time]."""
        every = valid_frames(frames, energy.shape[1])
        if self.activity == "none":
            return every
        voiced = energy_activity(
            energy,
            frames,
            self.vad_energy_threshold,
            self.vad_energy_mean_scale,
            self.vad_frames_context,
            self.vad_proportion_threshold,
        )
        return voiced | (every & (voiced.sum(1, keepdim=True) < FEWEST_FRAMES))

    def fit(self, items: Iterable[Tensor]) -> None:
        """Set the mean and deviation of ``normalize="global"`` from the training utterances' features [time, bands]."""
        if self.normalize == "global":
            mean, deviation = mean_and_deviation_of(items)
            self.mean.copy_(mean)
            self.deviation.copy_(deviation)

    def draw(
        self, features: Tensor, lengths: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Normalise as asked for; padding stays zero. Nothing here is random."""
        if self.normalize == "utterance":
            return standardize_utterances(features, lengths), lengths
        if self.normalize == "global":
            valid = valid_frames(lengths, features.shape[1])[..., None]
            features = torch.where(valid, (features - self.mean) / self.deviation, 0).to(features.dtype)
        return features, lengths
