"""What may happen to a spectrogram in training: another tempo, a crop, noise, masks; batched, each item for itself.

A batch is padded with zeros. How far it is padded changes no item, also not with the same generator.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unheard.frontends.framing import FEWEST_FRAMES
from unheard.frontends.statistics import valid_frames

#: The highest signal-to-noise ratio in dB at which noise is added.
QUIETEST_NOISE = 40.0
#: The share of an item's frames that a mask over time takes at most.
LARGEST_MASK = 1 / 4


def uniform(generator: torch.Generator, *size: int) -> Tensor:
    """Float64 numbers in [0, 1)."""
    return torch.rand(size, generator=generator, dtype=torch.float64, device=generator.device)


def retimed(
    power: Tensor, lengths: Tensor, speed: float, longest: int | None, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Each item at a tempo of its own, then a crop of at most ``longest`` frames at a random place.

    The duration of an item is multiplied by 1 + U(−``speed``, ``speed``): its frames are interpolated linearly, the
    first and the last stay, and at least 20 come out. [batch, time, bins] → [batch, new time, bins] and lengths.
    """
    batch, time, _ = power.shape
    change, place = uniform(generator, 2, batch).to(power.device)
    stretched = (lengths * (1 + speed * (2 * change - 1))).round().long().clamp(min=FEWEST_FRAMES)
    kept = stretched if longest is None else stretched.clamp(max=longest)
    start = (place * (stretched - kept + 1)).long()
    frame = start[:, None] + torch.arange(int(kept.max()), device=power.device)
    last = lengths[:, None] - 1
    position = frame * (last / (stretched[:, None] - 1))
    before = position.long().minimum(last)
    item = time * torch.arange(batch, device=power.device)[:, None]
    frames = power.flatten(0, 1)
    share = (position - before).clamp(max=1).to(power.dtype)[..., None]
    moved = frames[item + before].lerp(frames[item + (before + 1).minimum(last)], share)
    return torch.where(valid_frames(kept, moved.shape[1])[..., None], moved, 0), kept


def with_noise(power: Tensor, lengths: Tensor, lowest: float, generator: torch.Generator) -> Tensor:
    """White noise in a power spectrum [batch, time, bins], at a signal-to-noise ratio of U(``lowest``, 40) dB per item.

    Each bin of each frame gets the item's mean power at that ratio times an exponential variable, which is how the
    periodogram of white noise is distributed; the phase between speech and noise is left out.
    """
    batch, time, bins = power.shape
    valid = valid_frames(lengths, time)
    ratio = lowest + (QUIETEST_NOISE - lowest) * uniform(generator, batch).to(power.device)
    level: Tensor = torch.where(valid, power.mean(2), 0).sum(1) / lengths * 10 ** (-ratio / 10)
    # Drawn frame by frame, so that frames of padding come last.
    drawn = torch.rand((time, batch, bins), generator=generator, dtype=power.dtype, device=generator.device)
    noise = drawn.to(power.device).transpose(0, 1).neg().log1p().neg()
    return power + noise * (level[:, None] * valid).to(power.dtype)[..., None]


def spans(sizes: Tensor, widest: Tensor, count: int, length: int, generator: torch.Generator) -> Tensor:
    """True where one of ``count`` spans lies, [batch, ``length``].

    A span of an item is between 0 and ``widest`` [batch] long and lies anywhere in its first ``sizes`` [batch] places.
    """
    width, place = uniform(generator, 2, len(sizes), count).to(sizes.device)
    width = (width * (widest[:, None] + 1)).long()
    start = (place * (sizes[:, None] - width + 1)).long()[..., None]
    position = torch.arange(length, device=sizes.device)
    inside: Tensor = (position >= start) & (position < start + width[..., None])
    return inside.any(1)


def masked(
    features: Tensor, lengths: Tensor, frequency: tuple[int, int], time: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """SpecAugment without its warp over time (Park et al. 2019): masks filled with the item's mean over time and bands.

    ``frequency`` and ``time`` are how many masks and how wide at most, in bands and in frames, of [batch, time, bands];
    a mask over time takes no more than a quarter of the item's frames.
    """
    _, frames, bands = features.shape
    valid = valid_frames(lengths, frames)[..., None]
    mean = torch.where(valid, features, 0).sum((1, 2)) / (lengths * bands)
    every = torch.full_like(lengths, bands)
    quarter = (lengths * LARGEST_MASK).long()
    mask = spans(every, every.clamp(max=frequency[1]), frequency[0], bands, generator)[:, None]
    mask = mask | spans(lengths, quarter.clamp(max=time[1]), time[0], frames, generator)[..., None]
    return torch.where(mask & valid, mean.to(features.dtype)[:, None, None], features)
