"""Waveforms of several lengths without padding: each length goes in by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional


def by_length(model: Callable[[Tensor], Sequence[Tensor]], waveforms: Tensor, lengths: Tensor) -> list[Tensor]:
    """What ``model`` makes of waveforms of one length, for waveforms [batch, samples] of several.

    For what padding would change, such as a normalisation over time. Items of one length go in together; each result
    [batch, time, channels] is filled up with zeros.
    """
    different = sorted(set(lengths.tolist()))
    if len(different) == 1:
        return list(model(waveforms[:, : different[0]]))
    rows = [(lengths == length).nonzero().squeeze(1) for length in different]
    parts = [model(waveforms[row, :length]) for row, length in zip(rows, different, strict=True)]
    back = torch.cat(rows).argsort()
    return [
        torch.cat([functional.pad(each, (0, 0, 0, some[-1].shape[1] - each.shape[1])) for each in some])[back]
        for some in zip(*parts, strict=True)  # lengths come in ascending order, the last result is the longest
    ]
