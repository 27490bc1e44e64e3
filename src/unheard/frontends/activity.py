"""Which frames are speech, or at least no pause, by their energy, and keeping only those."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from unheard.frontends.statistics import valid_frames, windowed_sum

#: Silence that lasts no longer than this many seconds is part of speech (Latif et al. 2022 give no rule).
PAUSE = 0.1


def energy_activity(
    energy: Tensor,
    lengths: Tensor,
    threshold: float = 5.5,
    mean_scale: float = 0.5,
    context: int = 2,
    proportion: float = 0.12,
) -> Tensor:
    """Kaldi's ``compute-vad`` on raw log energy [batch, time] → true where a frame is voiced, [batch, time].

    A frame is voiced where at least ``proportion`` of the frames up to ``context`` away, those outside the item left
    out, lie above ``threshold + mean_scale · mean``. The defaults are those of Kaldi's x-vector recipes. The rule
    depends on the gain: it presumes samples in the range of 16-bit integers. Source: voice-activity-detection.cc.
    """
    time = energy.shape[1]
    valid = valid_frames(lengths, time)
    # A running sum, read at the item's last frame, is the same however much padding follows.
    total = energy.cumsum(1).gather(1, lengths[:, None] - 1)
    above = valid & (energy > threshold + mean_scale * total / lengths[:, None])
    frame = torch.arange(time, device=energy.device)
    start = (frame - context).clamp(min=0).minimum(lengths[:, None])
    end = (frame + context + 1).minimum(lengths[:, None])
    count = windowed_sum(above.long()[..., None], start, end)[..., 0]
    return valid & (count >= (end - start) * proportion)


def outside_pauses(
    energy: Tensor, lengths: Tensor, longest: int, decibels: float = 40.0, share: float = 0.95
) -> Tensor:
    """Energy [batch, time] → true where a frame of an item does not lie in a pause, [batch, time].

    A frame is silent where it is more than ``decibels`` below the energy that the given share of the item's frames does
    not exceed (interpolated as by ``numpy.quantile``), and a pause is a run of more than ``longest`` silent frames. At
    the item's ends, too. The rule does not depend on the gain.
    """
    valid = valid_frames(lengths, energy.shape[1])
    ranked = energy.where(valid, torch.inf).sort(dim=1).values
    rank = share * (lengths[:, None] - 1).to(energy.dtype)
    below, above = (ranked.gather(1, edge.long()) for edge in (rank.floor(), rank.ceil()))
    loud = torch.lerp(below, above, rank.frac())
    silent = valid & (energy < loud * 10 ** (-decibels / 10))
    # A pause is where a window that is one frame longer fits; all frames of such a window belong to it.
    fits = functional.pad(silent, (longest, longest)).unfold(1, longest + 1, 1).all(2)
    return valid & ~fits.unfold(1, longest + 1, 1).any(2)


def select_frames(features: Tensor, keep: Tensor, at_least: int) -> tuple[Tensor, Tensor]:
    """Move the kept frames of [batch, time, bands] to the front → features, padded with zeros, and their lengths.

    An item with fewer than ``at_least`` kept frames repeats its last one; each item keeps at least one.
    """
    batch, time, bands = features.shape
    kept = keep.sum(1)
    lengths = kept.clamp(min=at_least)
    frame = torch.arange(time, device=features.device).expand(batch, -1)
    # Where each kept frame goes; all others go to one place after the end, which is never read.
    place = torch.where(keep, keep.cumsum(1) - 1, time)
    source = torch.zeros(batch, time + 1, dtype=torch.long, device=features.device).scatter(1, place, frame)
    # The widest item decides the width; it is not known where a graph is made for later.
    width = max(time, at_least) if torch.compiler.is_compiling() else int(lengths.max())
    wanted = torch.arange(width, device=features.device)
    source = source.gather(1, wanted.minimum(kept[:, None] - 1))
    selected = features.gather(1, source[..., None].expand(-1, -1, bands))
    return torch.where(valid_frames(lengths, width)[..., None], selected, 0), lengths
