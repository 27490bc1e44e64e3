"""First and second time derivatives, as Kaldi's ``add-deltas`` takes them."""

from __future__ import annotations

import torch
from torch import Tensor


def slope(frames: Tensor) -> Tensor:
    """Regression slope Σ n x[t+n] / Σ n² over two frames on either side, [batch, time, …] → [batch, time − 4, …]."""
    near = frames[:, 3:-1] - frames[:, 1:-3]
    far = frames[:, 4:] - frames[:, :-4]
    return 0.1 * near + 0.2 * far


def add_deltas(features: Tensor, lengths: Tensor, order: int = 2) -> Tensor:
    """[batch, time, bands] → [batch, time, (1 + order) · bands]: static, first derivative, second, …

    The first and last valid frame of an item are repeated beyond its ends, and a second derivative is the slope of the
    slopes there (``DeltaFeatures`` in Kaldi's feature-functions.cc). Frames after an item mean nothing.

    >>> squares = torch.arange(6.0).square().view(1, 6, 1)
    >>> add_deltas(squares, torch.tensor([6]), order=1)[0, :, 1]
    tensor([0.9000, 2.2000, 4.0000, 6.0000, 5.8000, 4.1000])
    """
    time = features.shape[1]
    reach = 2 * order
    around = torch.arange(-reach, time + reach, device=features.device)
    around = around.clamp(min=0).minimum(lengths[:, None] - 1)
    derivative = features.gather(1, around[..., None].expand(-1, -1, features.shape[2]))
    columns = [features]
    while reach:
        derivative = slope(derivative)
        reach -= 2
        columns.append(derivative[:, reach : reach + time])
    return torch.cat(columns, -1)
