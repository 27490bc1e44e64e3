"""What ONNX lacks or does slowly, said in operators that every runtime has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from unheard.networks.layers import FrameRecurrence

#: Constants below this are hidden from optimisers of graphs.
TINY = 1e-6


class Spectrum(NamedTuple):
    """The two parts of a complex spectrum; ONNX has no complex numbers."""

    real: Tensor
    imag: Tensor


class PortableOperators(TorchFunctionMode):
    """While it is active, Fourier transforms are products with cosines and sines, and frames are a lookup.

    For frames of 25 ms such a product is as fast as the transform, and it runs where ONNX's ``DFT`` does not.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Compute ``func``, or what stands in for it."""
        stand_in = STAND_INS.get(func, func)
        return stand_in(*args, **(kwargs or {}))


def spectrum(frames: Tensor, n: int) -> Spectrum:
    """``torch.fft.rfft`` of [..., samples], filled up with zeros to ``n`` → [..., n // 2 + 1]."""
    # Whole turns are taken off as integers: a float32 knows no angle of a thousand of them.
    turns = torch.arange(frames.shape[-1])[:, None] * torch.arange(n // 2 + 1) % n
    angle = turns.double() * (2 * math.pi / n)
    return Spectrum(frames @ angle.cos().to(frames.dtype), frames @ -angle.sin().to(frames.dtype))


def unfolded(values: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """``Tensor.unfold``: slices of ``size``, one every ``step``, as a new last dimension."""
    first = step * torch.arange((values.shape[dimension] - size) // step + 1)
    slices = (first[:, None] + torch.arange(size)).flatten()
    chosen = values.index_select(dimension, slices)
    return torch.unflatten(chosen, dimension, (-1, size)).movedim(dimension + 1, -1)


def added(values: Tensor, other: Tensor | float, **options: Any) -> Tensor:
    """``Tensor.add``, with a constant for every band in the place of a tiny one for all.

    Optimisers of graphs take a constant below about 1e-8 for zero and drop the addition; digital silence then becomes
    the logarithm of zero.
    """
    if isinstance(other, float) and 0 < abs(other) < TINY:
        other = torch.full(values.shape[-1:], other, dtype=values.dtype)
    return torch.add(values, other, **options)


STAND_INS: dict[Callable[..., Any], Callable[..., Any]] = {
    torch.fft.rfft: spectrum,
    Tensor.unfold: unfolded,
    Tensor.add: added,
}


class OnnxLstm(nn.Module):
    """The weights of a :class:`~unheard.networks.layers.FrameLstm` in ONNX's ``LSTM``, which knows lengths itself.

    It can be traced for export only.
    """

    def __init__(self, recurrence: FrameRecurrence) -> None:
        super().__init__()
        self.layers = len(recurrence.ahead)
        for layer, both in enumerate(zip(recurrence.ahead, recurrence.back, strict=True)):
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                stacked = torch.stack([_in_onnx_order(getattr(one, f"{name}_l0").detach()) for one in both])
                self.register_buffer(f"{name}{layer}", stacked)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """[batch, time, channels] with [batch] lengths → [batch, time, 2 · hidden]; zero behind an item's length."""
        values = frames.transpose(0, 1)
        for layer in range(self.layers):
            inputs, states, *biases = (
                self.get_buffer(f"{name}{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            hidden = states.shape[-1]
            values = torch.onnx.ops.symbolic(
                "LSTM",
                (values, inputs, states, torch.cat(biases, 1), lengths.int()),
                attrs={"hidden_size": hidden, "direction": "bidirectional"},
                dtype=frames.dtype,
                shape=(values.shape[0], 2, values.shape[1], hidden),
            )
            values = values.transpose(1, 2).flatten(2)
        return values.transpose(0, 1)


def _in_onnx_order(values: Tensor) -> Tensor:
    """Rows of the gates input, forget, cell, output → input, output, forget, cell."""
    into, forget, cell, out = values.chunk(4)
    return torch.cat([into, out, forget, cell])
