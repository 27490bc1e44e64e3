"""openSMILE's functionals: one vector per utterance, the features of the classical baselines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PositiveFloat
from torch import Tensor

from unheard.errors import InputError
from unheard.frontends.front_end import FrontEnd, Layout
from unheard.frontends.statistics import SMALLEST_DEVIATION, mean_and_deviation_of

if TYPE_CHECKING:
    import opensmile

FeatureSetName = Literal["eGeMAPSv02", "ComParE_2016"]

SAMPLING_RATE = 16000
#: How many functionals a set has.
SIZES: dict[str, int] = {"eGeMAPSv02": 88, "ComParE_2016": 6373}
#: The length of openSMILE's pitch window (60 ms). For less it gives nothing, so shorter recordings end in silence.
FEWEST_SAMPLES = 960
#: openSMILE takes 16-bit samples, in which +1.0 would wrap around to −1.0.
LARGEST = 32767 / 32768


class OpenSmile(FrontEnd):
    """The functionals of an openSMILE feature set over the whole utterance.

    Needs the extra ``unheard[opensmile]``. openSMILE is free for non-commercial use only.

    Args:
        feature_set: ``eGeMAPSv02`` (88 values; Eyben et al. 2016) or ``ComParE_2016`` (6,373; Schuller et al. 2016).
        normalize: ``train`` makes zero mean and unit variance over the training part; a value that is constant there
            becomes zero. A classical model does that itself.
        clip: How many deviations from the mean a normalised value may be; what lies beyond is moved there. A functional
            such as a ratio has outliers of hundreds of deviations.

    >>> OpenSmile(feature_set="ComParE_2016").shape
    (6373,)
    """

    layout: ClassVar[Layout] = "vector"
    fixed_settings: ClassVar[tuple[str, ...]] = ("feature_set",)

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        *,
        feature_set: FeatureSetName = "eGeMAPSv02",
        normalize: Literal["none", "train"] = "none",
        clip: PositiveFloat = 3.0,
    ) -> None:
        super().__init__()
        self.feature_set, self.normalize, self.clip = feature_set, normalize, clip
        self.shape = (SIZES[feature_set],)
        if normalize == "train":
            self.register_buffer("mean", torch.zeros(self.shape))
            self.register_buffer("deviation", torch.ones(self.shape))
        self._extractor: opensmile.Smile | None = None

    def fixed(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] in ±1 → [batch, 1, values] and lengths of one; a value that is not defined is 0.

        Raises:
            InputError: openSMILE is not installed.
        """
        signals = waveforms.detach().cpu().numpy()
        rows = [self._functionals(signal[: int(length)]) for signal, length in zip(signals, lengths, strict=True)]
        values = torch.from_numpy(np.stack(rows)[:, None]).to(waveforms.device)
        return values, torch.ones_like(lengths)

    def fit(self, items: Iterable[Tensor]) -> None:
        """Set the mean and deviation of ``normalize="train"`` from the training utterances [1, values]."""
        if self.normalize == "train":
            mean, deviation = mean_and_deviation_of(items)
            self.mean.copy_(mean)
            self.deviation.copy_(torch.where(deviation > SMALLEST_DEVIATION, deviation, torch.inf))

    def draw(
        self, features: Tensor, lengths: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """[batch, 1, values] → [batch, values]."""
        values = features[:, 0]
        if self.normalize == "train":
            values = ((values - self.mean) / self.deviation).clamp(-self.clip, self.clip)
        return values, lengths

    def _functionals(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._extractor is None:
            self._extractor = _extractor(self.feature_set)
        filled = np.pad(np.clip(signal, -1.0, LARGEST), (0, max(0, FEWEST_SAMPLES - len(signal))))
        values = np.asarray(self._extractor(filled, SAMPLING_RATE), dtype=np.float32).reshape(self.shape)
        return np.where(np.isfinite(values), values, np.float32(0.0))

    def __getstate__(self) -> dict[str, Any]:
        # openSMILE's handles belong to one process: another makes its own.
        return {**self.__dict__, "_extractor": None}


def _extractor(feature_set: str) -> opensmile.Smile:
    try:
        import opensmile
    except ImportError as problem:
        raise InputError(
            "the front end opensmile needs openSMILE, which is free for non-commercial use only: "
            "pip install 'unheard[opensmile]'"
        ) from problem
    return opensmile.Smile(
        feature_set=opensmile.FeatureSet[feature_set], feature_level=opensmile.FeatureLevel.Functionals
    )
