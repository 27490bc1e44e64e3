"""Means and variances of features: of a training part, of an utterance, of a sliding window."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

from unheard.errors import InputError

#: Standard deviations below this are taken for those of a constant, which becomes zero rather than amplified rounding.
SMALLEST_DEVIATION = 1e-5


class RunningMoments:
    """Mean and population standard deviation over the first axis, item by item, in float64.

    Items are merged by the parallel rule of Chan, Golub and LeVeque (1979), which loses no digits to a large mean.

    >>> moments = RunningMoments()
    >>> for item in torch.tensor([[[1.0], [3.0]], [[5.0], [7.0]]]):
    ...     moments.update(item)
    >>> moments.count, moments.mean.tolist(), moments.deviation.tolist()
    (4, [4.0], [2.23606797749979])
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = torch.zeros((), dtype=torch.float64)
        self._squares = torch.zeros((), dtype=torch.float64)

    def update(self, item: Tensor) -> None:
        """Add the rows of ``item`` [rows, ...]."""
        if not len(item):
            return
        item = item.detach().to("cpu", torch.float64)
        mean = item.mean(0)
        total = self.count + len(item)
        difference = mean - self.mean
        self._squares = self._squares + (item - mean).square().sum(0)
        self._squares = self._squares + difference.square() * (self.count * len(item) / total)
        self.mean = self.mean + difference * (len(item) / total)
        self.count = total

    @property
    def deviation(self) -> Tensor:
        """The population standard deviation."""
        return (self._squares / max(1, self.count)).sqrt()


def mean_and_deviation_of(items: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and deviation over the frames of the training utterances, each [time, bands], to standardise with.

    Raises:
        InputError: there is no utterance.
    """
    moments = RunningMoments()
    for item in items:
        moments.update(item)
    if not moments.count:
        raise InputError("the training part holds no utterance to take a mean and variance from; give it at least one")
    return moments.mean, moments.deviation.clamp(min=SMALLEST_DEVIATION)


def valid_frames(lengths: Tensor, time: int) -> Tensor:
    """True where a frame of a padded batch belongs to its item, [batch, time]."""
    return torch.arange(time, device=lengths.device) < lengths[:, None]


def centre_utterances(features: Tensor, lengths: Tensor) -> Tensor:
    """Zero mean over each item's valid frames, [batch, time, bands]; padding becomes zero."""
    valid = valid_frames(lengths, features.shape[1])[..., None]
    wide = torch.where(valid, features, 0).double()
    centred = wide - wide.sum(1, keepdim=True) / lengths[:, None, None]
    return torch.where(valid, centred, 0).to(features.dtype)


def standardize_utterances(features: Tensor, lengths: Tensor) -> Tensor:
    """Zero mean and unit variance over each item's valid frames, [batch, time, bands]; padding becomes zero."""
    # In float64, so that a constant column has no deviation but its rounding.
    centred = centre_utterances(features.double(), lengths)
    variance = centred.square().sum(1, keepdim=True) / lengths[:, None, None]
    return (centred / variance.clamp(min=SMALLEST_DEVIATION**2).sqrt()).to(features.dtype)


def windowed_sum(values: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Sums over the frames start ≤ t < end of values [batch, time, bands]; start, end [batch, windows]."""
    prefix = functional.pad(values.cumsum(1), (0, 0, 1, 0))
    bands = values.shape[2]
    return prefix.gather(1, end[..., None].expand(-1, -1, bands)) - prefix.gather(
        1, start[..., None].expand(-1, -1, bands)
    )


def subtract_sliding_mean(features: Tensor, lengths: Tensor, window: int = 300) -> Tensor:
    """Kaldi's ``apply-cmvn-sliding --center=true --norm-vars=false``: minus the mean of the frames around each.

    The window is centred and, near the ends of an item, moved inside it; a shorter item is one window.
    Frames after an item mean nothing.
    """
    time = torch.arange(features.shape[1], device=features.device)
    lengths = lengths[:, None]
    start = (time - window // 2).clamp(min=0).minimum((lengths - window).clamp(min=0))
    end = (start + window).minimum(lengths)
    # Prefix sums of a long recording need more digits than float32 has.
    mean = windowed_sum(features.double(), start, end) / (end - start)[..., None]
    return (features - mean).to(features.dtype)
