"""Layers that look at the valid frames only, shared by the networks."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn


class FrameNorm(nn.BatchNorm1d):
    """Batch normalisation of [batch, time, channels] whose statistics come from valid frames only.

    Padded frames come out as zero.
    """

    def forward(self, frames: Tensor, valid: Tensor) -> Tensor:  # type: ignore[override]
        """Normalise ``frames`` [batch, time, channels] where ``valid`` [batch, time] is true."""
        if not self.training:
            return super().forward(frames.flatten(0, 1)).view_as(frames) * valid[:, :, None]
        rows = valid.flatten().nonzero().squeeze(1)
        flat = frames.flatten(0, 1)
        normal = super().forward(flat.index_select(0, rows))
        return torch.zeros_like(flat, dtype=normal.dtype).index_copy(0, rows, normal).view_as(frames)


class FrameBlock(nn.Module):
    """ReLU, batch normalisation over valid frames, dropout: what follows every layer of Tu et al. 2019, Table 1.

    The dropout mask is one per utterance and channel, the same for all frames. With a mask of its own for every frame
    the standard deviation over time is much larger in training than in use, and what reads it fails on unseen and seen
    utterances alike.
    """

    def __init__(self, channels: int, dropout: float, *, rectify: bool = True) -> None:
        super().__init__()
        self.rectify = rectify
        self.norm = FrameNorm(channels)
        self.dropout = nn.Dropout1d(dropout)

    def forward(self, frames: Tensor, valid: Tensor) -> Tensor:
        """[batch, time, channels] → the same shape."""
        normal = self.norm(frames.relu() if self.rectify else frames, valid)
        dropped: Tensor = self.dropout(normal.mT).mT
        return dropped


class FrameRecurrence(nn.Module):
    """A bidirectional recurrent layer over [batch, time, channels] whose valid frames never see padding.

    Each direction is a layer of its own: the one ahead meets padding only after the valid frames, the one back runs
    over the valid frames turned round. Packed sequences would do the same, ten times slower on a CPU.
    """

    cell: ClassVar[type[nn.LSTM] | type[nn.GRU]]

    def __init__(self, channels: int, hidden: int, layers: int = 1) -> None:
        super().__init__()
        widths = [channels] + [2 * hidden] * (layers - 1)
        self.ahead = nn.ModuleList(self.cell(width, hidden, batch_first=True) for width in widths)
        self.back = nn.ModuleList(self.cell(width, hidden, batch_first=True) for width in widths)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """[batch, time, channels] with [batch] lengths → [batch, time, 2 · hidden]."""
        time = torch.arange(frames.shape[1], device=frames.device).expand(frames.shape[:2])
        turned = torch.where(time < lengths[:, None], lengths[:, None] - 1 - time, time)
        for ahead, back in zip(self.ahead, self.back, strict=True):
            backwards, _ = back(_reorder(frames, turned))
            frames = torch.cat([ahead(frames)[0], _reorder(backwards, turned)], dim=2)
        return frames


class FrameLstm(FrameRecurrence):
    """Bidirectional LSTMs."""

    cell = nn.LSTM


class FrameGru(FrameRecurrence):
    """Bidirectional GRUs (Cho et al. 2014)."""

    cell = nn.GRU


def _reorder(frames: Tensor, order: Tensor) -> Tensor:
    """The frames [batch, time, channels] of each item in its own order [batch, time]."""
    return frames.gather(1, order[:, :, None].expand(-1, -1, frames.shape[2]))


def mean_and_deviation(frames: Tensor, valid: Tensor) -> Tensor:
    """Statistics pooling: [batch, time, channels] → [batch, 2 · channels], mean ‖ standard deviation over valid frames.

    The deviation is sqrt(max(population variance, 1e-8)). Half precision is pooled in float32.

    >>> frames = torch.tensor([[[1.0], [3.0], [99.0]]])
    >>> mean_and_deviation(frames, torch.tensor([[True, True, False]])).tolist()
    [[2.0, 1.0]]
    """
    weight = _weight(frames, valid)
    count = weight.sum(1).clamp(min=1)
    mean = (frames * weight).sum(1) / count
    variance = ((frames - mean[:, None]).square() * weight).sum(1) / count
    return torch.cat([mean, variance.clamp(min=1e-8).sqrt()], dim=1)


def mean_over_time(frames: Tensor, valid: Tensor) -> Tensor:
    """[batch, time, channels] → [batch, channels], the mean over valid frames."""
    weight = _weight(frames, valid)
    return (frames * weight).sum(1) / weight.sum(1).clamp(min=1)


def _weight(frames: Tensor, valid: Tensor) -> Tensor:
    """1 for valid frames, 0 for others, [batch, time, 1]; in float32 at least: bfloat16 counts no further than 256."""
    return valid[:, :, None].to(torch.promote_types(frames.dtype, torch.float32))


def hidden_layers(width: int, hidden: tuple[int, ...], dropout: float, *, batch_norm: bool = True) -> nn.Sequential:
    """Linear layers, each followed by ReLU, batch normalisation and dropout: [batch, width] → [batch, last]."""
    blocks: list[nn.Module] = []
    for before, after in pairwise((width, *hidden)):
        norm = [nn.BatchNorm1d(after)] if batch_norm else []
        blocks += [nn.Linear(before, after), nn.ReLU(), *norm, nn.Dropout(dropout)]
    return nn.Sequential(*blocks)


class Perceptron(nn.Module):
    """Hidden layers and a linear one."""

    def __init__(
        self, width: int, hidden: tuple[int, ...], outputs: int, dropout: float, *, batch_norm: bool = True
    ) -> None:
        super().__init__()
        self.hidden = hidden_layers(width, hidden, dropout, batch_norm=batch_norm)
        self.output = nn.Linear((width, *hidden)[-1], outputs)

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, width] → (last hidden layer [batch, hidden], outputs [batch, outputs])."""
        hidden = self.hidden(values)
        return hidden, self.output(hidden)
