"""Log-mel bands of the glottal pulses alone (Xia et al. 2021), or beside those of the whole signal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PositiveFloat
from torch import Tensor

from unheard.audio import SAMPLE_RATE
from unheard.errors import InputError
from unheard.frontends.filterbank import Filterbank
from unheard.frontends.front_end import Layout
from unheard.frontends.mel import BINS
from unheard.frontends.statistics import mean_and_deviation_of
from unheard.seeds import torch_generator

#: Praat looks for a voice in no less than so many periods of the lowest pitch.
FEWEST_PERIODS = 3


class PitchPulse(Filterbank):
    """A :class:`.Filterbank` of x[n] where n is a glottal pulse, and of zero elsewhere (equation 2).

    That keeps pitch, jitter, shimmer and loudness, and drops what tells phones apart. Pulses are found by Praat's "To
    PointProcess (periodic, cc)", and only once: their power spectrum is what is kept on disk. Where there is no voice
    there is no pulse, and a recording without any is silence. Needs the extra ``unheard[praat]``.

    Args:
        pitch_floor: Hz below which no voice is looked for.
        pitch_ceiling: Hz above which none is.
        filterbank: The settings of :class:`.Filterbank`.

    Raises:
        InputError: no pitch lies between floor and ceiling, or the filterbank's settings do not fit together.
    """

    fixed_settings: ClassVar[tuple[str, ...]] = (*Filterbank.fixed_settings, "pitch_floor", "pitch_ceiling")

    def __init__(
        self, *, pitch_floor: PositiveFloat = 75.0, pitch_ceiling: PositiveFloat = 600.0, **filterbank: Any
    ) -> None:
        super().__init__(**filterbank)
        if not pitch_floor < pitch_ceiling <= SAMPLE_RATE / 2:
            raise InputError(
                f"pitch_floor, pitch_ceiling: no pitch lies between {pitch_floor:g} and {pitch_ceiling:g} Hz "
                f"(half the sampling rate at most); 75 and 600 are Praat's"
            )
        self.pitch = pitch_floor, pitch_ceiling

    def heard(self, samples: Tensor, lengths: Tensor) -> Tensor:
        """The samples [batch, samples] at the pulses, zero elsewhere; differentiable, pulses staying where they are.

        Raises:
            InputError: Praat is not installed.
        """
        at = np.zeros(samples.shape, dtype=np.bool_)
        signals = samples.detach().double().cpu().numpy()
        for row, signal, length in zip(at, signals, lengths.tolist(), strict=True):
            row[nearest_samples(pulse_times(signal[:length], *self.pitch))] = True
        return torch.where(torch.from_numpy(at).to(samples.device), samples, 0)


class FilterbankAndPulse(PitchPulse):
    """Two channels: a :class:`.Filterbank` of the whole signal, and one of its glottal pulses.

    Whatever is drawn in training (crop, gain, warp, masks) is the same in both.

    Args:
        pitch_floor: as in :class:`PitchPulse`.
        pitch_ceiling: as in :class:`PitchPulse`.
        filterbank: The settings of :class:`.Filterbank`, for both.
    """

    layout: ClassVar[Layout] = "image"

    def __init__(
        self, *, pitch_floor: PositiveFloat = 75.0, pitch_ceiling: PositiveFloat = 600.0, **filterbank: Any
    ) -> None:
        super().__init__(pitch_floor=pitch_floor, pitch_ceiling=pitch_ceiling, **filterbank)
        self.whole = Filterbank(**filterbank)
        self.shape = (2, self.bands)

    def fixed(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] in ±1 → power spectra, those of the pulses behind the others, [batch, time, 2 · 257]."""
        pulses, frames = super().fixed(waveforms, lengths)
        return torch.cat([self.whole.fixed(waveforms, lengths)[0], pulses], dim=2), frames

    def fit(self, items: Iterable[Tensor]) -> None:
        """Set the statistics of both channels from the training utterances' spectra [time, 2 · 257]."""
        if self.normalize == "global":
            both = (
                torch.cat([self._log_mel(part[None], torch.tensor([len(part)]), self.bank)[0][0] for part in parts], 1)
                for parts in ((item[:, :BINS], item[:, BINS:]) for item in items)
            )
            for name, values in zip(("mean", "deviation"), mean_and_deviation_of(both), strict=True):
                self.whole.get_buffer(name).copy_(values[: self.bands])
                self.get_buffer(name).copy_(values[self.bands :])

    def draw(
        self, features: Tensor, lengths: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Power spectra [batch, time, 2 · 257] → [batch, 2, bands, time], padded with zeros, and lengths."""
        generators: tuple[torch.Generator | None, ...] = (None, None)
        if generator is not None:
            seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
            generators = (torch_generator(seed), torch_generator(seed))
        whole, frames = self.whole.draw(features[..., :BINS], lengths, generators[0])
        pulses, _ = super().draw(features[..., BINS:], lengths, generators[1])
        return torch.stack([whole, pulses], dim=1).mT, frames


def pulse_times(signal: NDArray[np.float64], floor: float, ceiling: float) -> NDArray[np.float64]:
    """When the glottis closes in a signal [samples] at 16 kHz, in seconds, as Praat hears it (Boersma 1993).

    Raises:
        InputError: Praat is not installed.
    """
    try:
        from parselmouth import Sound
        from parselmouth.praat import call
    except ImportError as problem:
        raise InputError(
            "the front end pitch_pulse needs Praat, which is under the GPL: pip install 'unheard[praat]'"
        ) from problem
    if len(signal) * floor < FEWEST_PERIODS * SAMPLE_RATE:
        return np.empty(0)
    pulses = call(Sound(signal, SAMPLE_RATE), "To PointProcess (periodic, cc)", floor, ceiling)
    if call(pulses, "Get number of points") == 0:
        return np.empty(0)
    times: NDArray[np.float64] = call(pulses, "To Matrix").values[0]
    return times


def nearest_samples(times: NDArray[np.float64]) -> NDArray[np.int64]:
    """The samples nearest to times in seconds; the middle of sample n is at (n + 0.5) / 16000 s."""
    return np.round(times * SAMPLE_RATE - 0.5).astype(np.int64)
