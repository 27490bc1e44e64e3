"""Frames of a waveform: how many there are, and transforming them in parts that fit the machine."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: Fewer frames than this are too few for a network's context.
FEWEST_FRAMES = 20


def frame_counts(lengths: Tensor, frame: int, shift: int) -> Tensor:
    """Whole frames of ``frame`` samples, one every ``shift``; what is shorter than a frame counts as one.

    >>> frame_counts(torch.tensor([0, 400, 559, 560, 16000]), 400, 160).tolist()
    [1, 1, 1, 2, 98]
    """
    return 1 + (lengths.clamp(min=frame) - frame) // shift


def in_parts(frames: Tensor, transform: Callable[[Tensor], tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """``transform`` of frames [batch, time, samples], which looks at each frame alone, a part of the time at once."""
    if torch.compiler.is_compiling():
        return transform(frames)
    # A processor is fastest on as many frames as its cache holds; a GPU needs many.
    rows = 512 if frames.device.type == "cpu" else 65536
    batch, time, _ = frames.shape
    parts = frames.tensor_split(min(time, -(-batch * time // rows)), dim=1)
    return tuple(torch.cat(results, 1) for results in zip(*map(transform, parts), strict=True))
