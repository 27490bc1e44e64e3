"""Waveforms of several lengths go in one length after the other, and come back in their order."""

from __future__ import annotations

import torch
from torch import Tensor

from unheard.frontends.by_length import by_length


def test_items_of_one_length_go_in_together() -> None:
    seen = []

    def model(waveforms: Tensor) -> tuple[Tensor, Tensor]:
        seen.append(tuple(waveforms.shape))
        return waveforms[..., None], waveforms[:, ::2, None]  # the second has a frame for every two samples

    waveforms = torch.arange(24.0).reshape(4, 6)
    found, fewer = by_length(model, waveforms, torch.tensor([3, 5, 3, 5]))
    assert seen == [(2, 3), (2, 5)]
    expected = waveforms[:, :5].clone()
    expected[::2, 3:] = 0
    assert torch.equal(found[..., 0], expected)
    assert torch.equal(fewer[..., 0], expected[:, ::2])


def test_one_length_alone_is_cut_to_it() -> None:
    waveforms = torch.arange(12.0).reshape(2, 6)
    (found,) = by_length(lambda some: [some[..., None]], waveforms, torch.tensor([4, 4]))
    assert torch.equal(found[..., 0], waveforms[:, :4])
