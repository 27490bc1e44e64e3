"""Samples as they are: crops in training, the whole utterance in use, and padding that changes nothing."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unheard.frontends.waveform import Waveform, cropped, standardized


def batch(*lengths: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Every sample is a number of its own; padding is wrong."""
    samples = torch.full((len(lengths), max(lengths)), 1e6)
    for row, length in enumerate(lengths):
        samples[row, :length] = 1000 * row + 1 + torch.arange(length)
    return samples, torch.tensor(lengths)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(lengths=st.lists(st.integers(1, 300), min_size=1, max_size=4), normalize=st.booleans())
def test_in_use_an_utterance_is_itself_whatever_the_batch(lengths: list[int], normalize: bool):
    front_end = Waveform(crop=0.01, normalize=normalize)
    samples, counts = batch(*lengths)
    together, kept = front_end(samples, counts)
    assert torch.equal(kept, counts)
    for row, length in enumerate(lengths):
        alone, _ = front_end(samples[row : row + 1, :length], counts[row : row + 1])
        torch.testing.assert_close(together[row, :length], alone[0], atol=1e-4, rtol=1e-6)
        assert not together[row, length:].any()
        if not normalize:
            assert torch.equal(alone[0], samples[row, :length])


@given(lengths=st.lists(st.integers(1, 300), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_a_crop_is_a_run_of_samples(lengths: list[int], seed: int):
    samples, counts = batch(*lengths)
    found, kept = cropped(samples, counts, 100, generator(seed))
    assert kept.tolist() == [min(length, 100) for length in lengths]
    assert found.shape == (len(lengths), int(kept.max()))
    for row, length in enumerate(kept.tolist()):
        assert torch.equal(found[row, :length], found[row, 0] + torch.arange(length))
        assert 1000 * row + 1 <= found[row, 0] <= 1000 * row + 1 + lengths[row] - length
        assert not found[row, length:].any()


def test_crops_begin_anywhere_and_the_seed_decides():
    samples, counts = batch(*[104] * 400)
    found, _ = cropped(samples, counts, 100, generator())
    starts = found[:, 0] - 1000 * torch.arange(400) - 1
    assert torch.bincount(starts.long()).tolist() == pytest.approx([80] * 5, rel=0.4)
    assert torch.equal(found, cropped(samples, counts, 100, generator())[0])
    assert not torch.equal(found, cropped(samples, counts, 100, generator(1))[0])


def test_only_training_crops():
    front_end = Waveform(crop=0.01)
    fixed = front_end.fixed(*batch(500, 40))
    assert front_end.draw(*fixed)[0].shape == (2, 500)
    drawn, kept = front_end.draw(*fixed, generator())
    assert kept.tolist() == [160, 40]
    assert drawn.shape == (2, 160)
    whole = Waveform().draw(*fixed, generator())
    assert torch.equal(whole[0], fixed[0])


def test_normalisation_is_that_of_what_is_left():
    samples, counts = batch(500, 40)
    for drawn, kept in (
        Waveform(normalize=True)(samples, counts),
        Waveform(normalize=True, crop=0.01).draw(samples, counts, generator()),
    ):
        for row, length in enumerate(kept.tolist()):
            assert abs(float(drawn[row, :length].mean())) < 1e-4
            assert float(drawn[row, :length].var(correction=0)) == pytest.approx(1, abs=1e-3)
            assert not drawn[row, length:].any()


def test_silence_stays_silent():
    assert not standardized(torch.full((1, 9), 0.25), torch.tensor([9])).any()


def test_only_training_fills_a_crop():
    fixed = (front_end := Waveform(crop=0.01, fill=True)).fixed(*batch(500, 40))
    assert front_end.draw(*fixed)[1].tolist() == [500, 40]
    drawn, kept = front_end.draw(*fixed, generator())
    assert kept.tolist() == [160, 160]
    assert drawn.shape == (2, 160)
    assert torch.equal(drawn[1, :40], fixed[0][1, :40])
    assert not drawn[1, 40:].any()
    short, kept = front_end.draw(fixed[0][1:, :40], fixed[1][1:], generator())
    assert (kept.tolist(), short.shape) == ([160], (1, 160))


def test_only_training_lowers_the_level_and_evenly_in_decibels():
    front_end, samples = Waveform(gain=40), torch.ones(2000, 3)
    lengths = torch.full((2000,), 3)
    assert torch.equal(front_end.draw(samples, lengths)[0], samples)
    drawn, _ = front_end.draw(samples, lengths, generator())
    assert torch.equal(drawn, drawn[:, :1].expand(-1, 3))
    decibels = 20 * drawn[:, 0].log10()
    assert float(decibels.max()) <= 0
    assert float(decibels.min()) >= -40
    torch.testing.assert_close(torch.histc(decibels, 4, -40, 0), torch.full((4,), 500.0), rtol=0.15, atol=0)
