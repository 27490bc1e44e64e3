"""Pitch pulses are where Praat hears them, padding and silence included, and beside the whole signal if asked for."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.errors import InputError
from unheard.frontends import FRONT_ENDS
from unheard.frontends.filterbank import Filterbank
from unheard.frontends.mel import BINS
from unheard.frontends.pitch_pulse import FilterbankAndPulse, PitchPulse, nearest_samples, pulse_times
from unheard.recipe import Recipe
from unheard.seeds import torch_generator
from unheard.settings import make

PAPER: dict[str, Any] = {
    "peak": True, "crop": 1.0, "gain": 40.0, "warp": 0.15, "frequency_masks": 2, "time_masks": 2
}  # fmt: skip

pytest.importorskip("parselmouth", reason="the extra [praat] is not installed")


def voice(samples: int, pitch: float = 160.0, seed: int = 0) -> torch.Tensor:
    """A falling buzz that comes and goes three times a second, with a little noise, in ±1."""
    time = np.arange(samples) / 16000
    phase = 2 * np.pi * pitch * (time - 0.05 * time**2)
    buzz = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 12)) * (np.sin(6 * np.pi * time) > -0.3)
    noise = np.random.default_rng(seed).standard_normal(samples)
    return torch.from_numpy((0.2 * buzz + 0.001 * noise).astype(np.float32))


def heard(front_end: PitchPulse, waveform: torch.Tensor) -> torch.Tensor:
    return front_end.heard(waveform[None], torch.tensor([len(waveform)]))[0]


def test_they_are_registered_and_have_the_settings_of_the_filterbank() -> None:
    assert FRONT_ENDS["pitch_pulse"] is PitchPulse
    assert FRONT_ENDS["filterbank_and_pulse"] is FilterbankAndPulse
    made = make(PitchPulse, {"bands": 20, "warp": 0.1, "pitch_floor": 60})
    assert (made.shape, made.warp, made.pitch) == ((20,), 0.1, (60.0, 600.0))
    assert make(FilterbankAndPulse, {"bands": 20}).shape == (2, 20)
    assert set(PitchPulse.fixed_settings) == {"window", "hop", "peak", "silence", "pitch_floor", "pitch_ceiling"}
    with pytest.raises(InputError, match=r'there is no key "wrap"; did you mean "warp"'):
        Recipe.load("strfnet-pulse", ["front_end.wrap=0.1"])


def test_pulses_keep_their_heights_and_come_once_a_period() -> None:
    waveform = voice(16000)
    pulses = heard(PitchPulse(), waveform)
    at = pulses.nonzero()[:, 0]
    assert torch.equal(pulses[at], waveform[at])
    spacing = at.diff()
    assert 16000 / 165 < spacing.median() < 16000 / 140
    assert len(at) > 60
    assert not heard(PitchPulse(pitch_floor=300), waveform).any()


def test_a_sample_is_heard_in_its_middle() -> None:
    assert nearest_samples((np.array([0, 7, 100]) + 0.5) / 16000).tolist() == [0, 7, 100]
    assert nearest_samples(np.array([100.9, 101.1]) / 16000).tolist() == [100, 101]


@pytest.mark.parametrize("samples", [1, 399, 639, 640, 2000])
def test_short_recordings_and_silence_have_no_pulses(samples: int) -> None:
    assert len(pulse_times(np.zeros(samples), 75, 600)) == 0
    features, lengths = PitchPulse(peak=True)(torch.zeros(1, samples), torch.tensor([samples]))
    assert lengths.tolist() == [20]
    torch.testing.assert_close(features, torch.full_like(features, np.log(1e-8)), atol=1e-4, rtol=0)


@given(
    st.lists(st.tuples(st.integers(1, 20000), st.integers(90, 300)), min_size=1, max_size=3),
    st.integers(0, 2000),
    st.sampled_from([PitchPulse, FilterbankAndPulse]),
    st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_padding_never_changes_an_item(
    items: list[tuple[int, int]], padding: int, kind: type[PitchPulse], peak: bool
) -> None:
    front_end = kind(peak=peak, normalize="mean")
    samples = [length for length, _ in items]
    batch = torch.full((len(items), max(samples) + padding), torch.nan)
    for row, (length, pitch) in zip(batch, items, strict=True):
        row[:length] = voice(length, pitch)
    features, lengths = front_end(batch, torch.tensor(samples))
    for row, length in enumerate(samples):
        alone, alone_length = front_end(batch[row : row + 1, :length], torch.tensor([length]))
        assert alone_length == lengths[row]
        valid = [features[row, ..., : lengths[row]], features[row, : lengths[row]]][kind is PitchPulse]
        torch.testing.assert_close(valid, alone[0], atol=1e-4, rtol=1e-4)


def test_the_peak_is_that_of_the_signal() -> None:
    waveform = voice(16000)
    waveform[200] = 0.9  # not at a pulse
    power, _ = PitchPulse(peak=True).fixed(waveform[None], torch.tensor([16000]))
    expected, _ = Filterbank().fixed(heard(PitchPulse(), waveform)[None] / 0.9, torch.tensor([16000]))
    torch.testing.assert_close(power, expected)


def test_gradients_reach_the_heights() -> None:
    waveform = voice(16000).requires_grad_()
    features, _ = PitchPulse()(waveform[None], torch.tensor([16000]))
    (gradient,) = torch.autograd.grad(features.square().mean(), waveform)
    assert torch.equal(gradient != 0, heard(PitchPulse(), waveform.detach()) != 0)


@pytest.mark.parametrize("silence", ["keep", "remove"])
def test_both_are_those_of_the_two_front_ends(silence: str) -> None:
    batch, samples = torch.stack([voice(24000), voice(24000, 220.0)]), torch.tensor([24000, 17000])
    batch[:, 6000:12000] = 0
    both, lengths = FilterbankAndPulse(peak=True, silence=silence)(batch, samples)
    for channel, kind in enumerate((Filterbank, PitchPulse)):
        front_end = kind(peak=True, silence=silence)
        alone, alone_lengths = front_end(batch, samples)
        assert torch.equal(lengths, alone_lengths)
        torch.testing.assert_close(both[:, channel].mT, alone)


def test_what_is_drawn_is_the_same_in_both() -> None:
    front_end = FilterbankAndPulse(**PAPER, noise=20.0, speed=0.1)
    power, lengths = Filterbank(peak=True).fixed(
        torch.stack([voice(40000), voice(40000, 220.0)]), torch.tensor([40000] * 2)
    )
    twice = torch.cat([power, power], dim=2)
    drawn, _ = front_end.draw(twice, lengths, torch_generator(0))
    assert torch.equal(drawn[:, 0], drawn[:, 1])
    again, _ = front_end.draw(twice, lengths, torch_generator(0))
    other, _ = front_end.draw(twice, lengths, torch_generator(1))
    assert torch.equal(drawn, again)
    assert not torch.equal(drawn, other)
    one, _ = Filterbank(**PAPER, noise=20.0, speed=0.1).draw(power, lengths, torch_generator(0))
    assert drawn[:, 0].mT.shape == one.shape


def test_each_channel_has_statistics_of_its_own() -> None:
    front_end = FilterbankAndPulse(normalize="global")
    items = [front_end.fixed(voice(length)[None], torch.tensor([length]))[0][0] for length in (16000, 20000)]
    front_end.fit(iter(items))
    drawn = torch.cat([front_end.draw(item[None], torch.tensor([len(item)]))[0][0] for item in items], dim=2)
    torch.testing.assert_close(drawn.mean(2), torch.zeros(2, 30), atol=1e-3, rtol=0)
    torch.testing.assert_close(drawn.std(2, correction=0), torch.ones(2, 30), atol=1e-3, rtol=0)
    again = FilterbankAndPulse(normalize="global")
    again.load_state_dict(front_end.state_dict())
    assert torch.equal(
        again.draw(items[0][None], torch.tensor([79]))[0], front_end.draw(items[0][None], torch.tensor([79]))[0]
    )
    assert items[0].shape[1] == 2 * BINS


def test_without_praat_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "parselmouth", None)
    front_end = PitchPulse()
    with pytest.raises(InputError, match=r"needs Praat, which is under the GPL: pip install 'unheard\[praat\]'"):
        front_end.fixed(voice(16000)[None], torch.tensor([16000]))


@pytest.mark.parametrize(("floor", "ceiling"), [(600, 75), (75, 75), (75, 9000)])
def test_an_empty_range_of_pitches_is_refused(floor: float, ceiling: float) -> None:
    with pytest.raises(InputError, match=f"no pitch lies between {floor} and {ceiling} Hz"):
        PitchPulse(pitch_floor=floor, pitch_ceiling=ceiling)
