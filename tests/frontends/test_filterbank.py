from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import unheard.frontends.filterbank as module
from unheard.errors import InputError
from unheard.frontends import FRONT_ENDS
from unheard.frontends.filterbank import Filterbank
from unheard.frontends.mel import mel_bank
from unheard.seeds import torch_generator
from unheard.settings import make

NORMALIZE = ["none", "global", "mean", "utterance"]
#: The paper's way of training (Xia et al. 2021), and that of a small corpus.
PAPER: dict[str, Any] = {"peak": True, "crop": 3.0, "gain": 40.0, "warp": 0.15, "frequency_masks": 2, "time_masks": 2}
SMALL: dict[str, Any] = {
    "bands": 40, "hop": 10.0, "average": 3, "normalize": "mean", "speed": 0.1, "noise": 5.0, "warp": 0.1,
    "frequency_masks": 2, "time_masks": 2, "time_width": 10,
}  # fmt: skip


def speech(samples: int, seed: int = 0) -> torch.Tensor:
    """Noise whose loudness comes and goes twice a second, [samples] in ±1."""
    random = np.random.default_rng(seed)
    loudness = np.exp(2 * np.sin(2 * np.pi * 2 * np.arange(samples) / 16000) - 5)
    return torch.from_numpy((loudness * random.standard_normal(samples)).astype(np.float32))


def fixed(front_end: Filterbank, waveform: torch.Tensor) -> torch.Tensor:
    features, lengths = front_end.fixed(waveform[None], torch.tensor([len(waveform)]))
    assert lengths.tolist() == [features.shape[1]]
    return features[0]


def padded(front_end: Filterbank, samples: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Fixed features of a batch."""
    batch = torch.zeros(len(samples), max(samples))
    for row, length in enumerate(samples):
        batch[row, :length] = speech(length, seed=row)
    return front_end.fixed(batch, torch.tensor(samples))


def test_it_is_registered_and_says_its_shape() -> None:
    assert FRONT_ENDS["filterbank"] is Filterbank
    assert make(Filterbank, {**SMALL, "noise": None}).shape == (40,)
    features, lengths = Filterbank(bands=40)(speech(48000)[None], torch.tensor([48000]))
    assert features.shape == (1, 239, 40)
    assert lengths.tolist() == [239]


@pytest.mark.parametrize(("window", "hop", "frames"), [(25.0, 12.5, 79), (25.0, 10.0, 98), (32.0, 16.0, 61)])
def test_the_power_spectrum_is_that_of_whole_hann_frames(window: float, hop: float, frames: int) -> None:
    waveform = speech(16000).double()
    power = fixed(Filterbank(window=window, hop=hop), waveform)
    assert power.shape == (frames, 257)
    size, shift = round(16 * window), round(16 * hop)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    cut = np.stack([waveform.numpy()[shift * frame : shift * frame + size] for frame in range(frames)])
    np.testing.assert_allclose(power, np.abs(np.fft.rfft(cut * hann, 512)) ** 2, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("average", [2, 3, 4])
def test_averages_are_over_consecutive_frames_and_the_rest(average: int) -> None:
    waveform, length = speech(16100)[None], torch.tensor([16100])
    parts = Filterbank(hop=10)(waveform, length)[0][0].split(average)
    averaged = Filterbank(hop=10, average=average)(waveform, length)[0][0]
    torch.testing.assert_close(averaged[: len(parts)], torch.stack([part.mean(0) for part in parts]))
    assert len(averaged) == max(20, len(parts))


@pytest.mark.parametrize("average", [1, 3])
@pytest.mark.parametrize("samples", [1, 399, 400, 1500, 4200, 6000])
def test_twenty_frames_come_out_at_least(samples: int, average: int) -> None:
    every = -(-max(20, 1 + (samples - 400) // 200) // average)
    stored = fixed(Filterbank(average=average), speech(samples))
    features = Filterbank(average=average).draw(stored[None], torch.tensor([len(stored)]))[0][0]
    assert len(features) == max(20, every)
    assert (features[every:] == features[every - 1]).all()
    front_end = Filterbank(speed=0.5, crop=0.1, average=average)
    drawn, lengths = front_end.draw(stored[None], torch.tensor([len(stored)]), torch_generator(0))
    assert lengths.tolist() == [20]
    assert drawn.shape[1] == 20


def test_a_peak_of_one_makes_the_level_irrelevant() -> None:
    quiet, loud = (fixed(Filterbank(peak=True), speech(8000) * level) for level in (0.01, 3))
    torch.testing.assert_close(quiet, loud)
    torch.testing.assert_close(loud, fixed(Filterbank(), speech(8000) / speech(8000).abs().max()))


@pytest.mark.parametrize("peak", [False, True])
@pytest.mark.parametrize("normalize", NORMALIZE)
def test_digital_silence_works(normalize: str, peak: bool) -> None:
    front_end = Filterbank(normalize=normalize, peak=peak, noise=0.0, speed=0.1, gain=40.0)
    front_end.fit([fixed(front_end, torch.zeros(16000))])
    power, lengths = front_end.fixed(torch.zeros(1, 16000), torch.tensor([16000]))
    for generator in (None, torch_generator(0)):
        features, _ = front_end.draw(power, lengths, generator)
        expected = np.log(1e-8) if normalize == "none" else 0
        torch.testing.assert_close(features, torch.full_like(features, expected), atol=1e-2, rtol=0)


@given(
    st.lists(st.integers(1, 20000), min_size=1, max_size=4),
    st.integers(0, 2000),
    st.sampled_from(NORMALIZE),
    st.sampled_from([1, 3]),
    st.booleans(),
    st.sampled_from(["keep", "remove"]),
)
@settings(max_examples=25, deadline=None)
def test_padding_never_changes_an_item(
    samples: list[int], padding: int, normalize: str, average: int, peak: bool, silence: str
) -> None:
    limit = 60.0 if peak else None
    front_end = Filterbank(normalize=normalize, average=average, peak=peak, dynamic_range=limit, silence=silence)
    front_end.fit([fixed(front_end, speech(16000, seed=9))])
    batch = torch.full((len(samples), max(samples) + padding), torch.nan)
    for row, length in enumerate(samples):
        batch[row, :length] = speech(length, seed=row)
    features, lengths = front_end(batch, torch.tensor(samples))
    for row, length in enumerate(samples):
        alone, alone_length = front_end(batch[row : row + 1, :length], torch.tensor([length]))
        assert alone_length == lengths[row]
        torch.testing.assert_close(features[row, : lengths[row]], alone[0], atol=1e-4, rtol=1e-4)
        assert not features[row, lengths[row] :].any()


@given(st.lists(st.integers(5000, 60000), min_size=1, max_size=3), st.integers(1, 50), st.sampled_from([PAPER, SMALL]))
@settings(max_examples=15, deadline=None)
def test_padding_never_changes_what_is_drawn(samples: list[int], padding: int, chosen: dict[str, Any]) -> None:
    front_end = Filterbank(**chosen)
    power, lengths = padded(front_end, samples)
    wider = torch.nn.functional.pad(power, (0, 0, 0, padding))
    features, frames = front_end.draw(power, lengths, torch_generator(3))
    again, frames_again = front_end.draw(wider, lengths, torch_generator(3))
    assert frames.tolist() == frames_again.tolist()
    torch.testing.assert_close(features, again[:, : features.shape[1]], atol=1e-4, rtol=1e-4)
    for row, length in enumerate(frames.tolist()):
        assert not features[row, length:].any()
        assert not again[row, length:].any()


@pytest.mark.parametrize("chosen", [PAPER, SMALL])
def test_it_is_random_with_a_generator_only(chosen: dict[str, Any]) -> None:
    front_end = Filterbank(**chosen)
    plain = Filterbank(**{name: chosen[name] for name in ("bands", "normalize", "average") if name in chosen})
    power, lengths = padded(front_end, [80000, 30000])
    features, frames = front_end.draw(power, lengths)
    expected, expected_frames = plain.draw(power, lengths)
    assert torch.equal(features, expected)
    assert torch.equal(frames, expected_frames)
    drawn = [front_end.draw(power, lengths, torch_generator(seed))[0] for seed in (1, 1, 2)]
    assert torch.equal(drawn[0], drawn[1])
    assert drawn[0].shape != drawn[2].shape or not torch.allclose(drawn[0], drawn[2])


def test_what_is_off_draws_nothing_and_to_switch_one_on_changes_no_other() -> None:
    power, lengths = padded(Filterbank(), [40000, 50000])
    plain = Filterbank().draw(power, lengths)[0]
    torch.testing.assert_close(Filterbank().draw(power, lengths, torch_generator(0))[0], plain)
    quieter = Filterbank(gain=40.0).draw(power, lengths, torch_generator(0))[0]
    both = Filterbank(gain=40.0, time_masks=2, frequency_masks=1).draw(power, lengths, torch_generator(0))[0]
    masks = Filterbank(time_masks=2, frequency_masks=1).draw(power, lengths, torch_generator(0))[0]
    assert (masks != plain).any()
    assert torch.equal(both == quieter, masks == plain)


def test_each_item_has_a_warp_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[torch.Tensor] = []

    def bank(bands: int, alpha: torch.Tensor, triangles: Any) -> torch.Tensor:
        asked.append(alpha)
        return mel_bank(bands, alpha, triangles)

    front_end = Filterbank(warp=0.15)
    monkeypatch.setattr(module, "mel_bank", bank)
    power = padded(front_end, [8000])[0].expand(500, -1, -1)
    features, _ = front_end.draw(power, torch.full((500,), power.shape[1]), torch_generator(0))
    (alphas,) = asked
    assert -0.15 <= alphas.min() < -0.145
    assert 0.145 < alphas.max() <= 0.15
    assert alphas.mean().abs() < 0.01
    for row in (0, 250, 499):
        expected = (power[row].double() @ mel_bank(30, alphas[row]) + 1e-8).log()
        torch.testing.assert_close(features[row].double(), expected, atol=1e-4, rtol=0)


def test_a_gain_lowers_the_level_before_the_floor() -> None:
    power, _ = padded(Filterbank(peak=True), [8000])
    lengths = torch.full((500,), power.shape[1])
    features, _ = Filterbank(gain=40.0).draw(power.expand(500, -1, -1), lengths, torch_generator(0))
    decibels = 10 * np.log10(np.e) * (features - Filterbank().draw(power, lengths[:1])[0])
    loud = decibels.flatten(1).median(1).values
    assert -40.1 < loud.min() < -39.5
    assert -0.5 < loud.max() < 0.1
    assert loud.mean() == pytest.approx(-20, abs=1.5)


def test_a_crop_is_as_long_as_that_many_seconds() -> None:
    power, lengths = padded(Filterbank(), [80000, 48000, 20000])
    _, frames = Filterbank(crop=3.0).draw(power, lengths, torch_generator(0))
    assert frames.tolist() == [239, 239, 99]
    power, lengths = padded(Filterbank(), [80000, 48000, 20000])
    _, frames = Filterbank(crop=3.0, average=2).draw(power, lengths, torch_generator(0))
    assert frames.tolist() == [120, 120, 50]


def test_what_is_shorter_than_the_crop_may_be_filled_up_with_silence() -> None:
    power, lengths = padded(Filterbank(), [80000, 20000])
    front_end = Filterbank(crop=3.0, fill=True)
    features, frames = front_end.draw(power, lengths, torch_generator(0))
    assert frames.tolist() == [239, 239]
    without, kept = Filterbank(crop=3.0).draw(power, lengths, torch_generator(0))
    torch.testing.assert_close(features[0], without[0])
    torch.testing.assert_close(features[1, : kept[1]], without[1, : kept[1]])
    torch.testing.assert_close(features[1, kept[1] :], torch.full((140, 30), float(np.log(1e-8))), atol=1e-4, rtol=0)
    assert torch.equal(front_end.draw(power, lengths)[0], Filterbank().draw(power, lengths)[0])
    assert Filterbank(fill=True).draw(power, lengths, torch_generator(0))[1].tolist() == lengths.tolist()


def test_pauses_are_taken_out_and_the_rest_is_as_it_was() -> None:
    loud = [speech(8000, seed) for seed in range(3)]
    waveform = torch.cat([loud[0], torch.zeros(8000), loud[1], torch.zeros(1600), loud[2], torch.zeros(4800)])
    kept, left = (fixed(Filterbank(hop=10.0, silence=way), waveform) for way in ("keep", "remove"))
    # 25 ms windows every 10 ms: those that lie wholly in a silence of d ms begin in d - 25 ms, the edge included. A
    # Hann window has nothing at its ends, so the two that reach into the speech by up to 10 ms may be silent too.
    assert 48 + 28 <= len(kept) - len(left) <= 50 + 30
    assert torch.equal(left[:48], kept[:48])
    middle = next(row for row in range(len(left)) if torch.equal(left[row], kept[102]))
    assert torch.equal(left[middle : middle + 105], kept[102:207])


def test_nothing_lies_further_below_the_loudest_than_the_dynamic_range() -> None:
    waveform, length = speech(16000)[None], torch.tensor([16000])
    waveform[0, 4000:9000] = 0
    plain, limited = (Filterbank(dynamic_range=limit)(waveform, length)[0][0] for limit in (None, 40.0))
    lowest = plain.max() - 4 * np.log(10)
    assert plain.min() < lowest
    torch.testing.assert_close(limited, plain.clamp(min=float(lowest)))


def test_the_mean_of_each_band_is_subtracted_over_the_valid_frames() -> None:
    features, lengths = Filterbank(normalize="mean").draw(*padded(Filterbank(), [32000, 20000]))
    plain, _ = Filterbank().draw(*padded(Filterbank(), [32000, 20000]))
    for item, before, length in zip(features, plain, lengths.tolist(), strict=True):
        torch.testing.assert_close(item[:length], before[:length] - before[:length].mean(0), atol=1e-4, rtol=0)


def test_fit_gives_training_frames_zero_mean_and_unit_variance() -> None:
    front_end = Filterbank(normalize="global")
    items = [fixed(front_end, speech(samples, seed)) for seed, samples in enumerate([16000, 30000, 8000])]
    front_end.fit(items)
    drawn = torch.cat([front_end.draw(item[None], torch.tensor([len(item)]))[0][0] for item in items])
    torch.testing.assert_close(drawn.mean(0), torch.zeros(30), atol=1e-4, rtol=0)
    torch.testing.assert_close(drawn.std(0, correction=0), torch.ones(30), atol=1e-4, rtol=0)
    again = Filterbank(normalize="global")
    again.load_state_dict(front_end.state_dict())
    assert torch.equal(again.draw(items[0][None], torch.tensor([79]))[0][0], drawn[:79])


def test_fit_on_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="training part"):
        Filterbank(normalize="global").fit([])


@pytest.mark.parametrize("chosen", [{}, PAPER, SMALL])
def test_gradients_reach_the_waveform(chosen: dict[str, Any]) -> None:
    front_end = Filterbank(**chosen)
    waveform = speech(16000)[None].requires_grad_()
    power, lengths = front_end.fixed(waveform, torch.tensor([16000]))
    for generator in (None, torch_generator(0)):
        (gradient,) = torch.autograd.grad(
            front_end.draw(power, lengths, generator)[0].square().mean(), waveform, retain_graph=True
        )
        assert gradient.isfinite().all()
        assert gradient.any()


def test_the_gradient_is_that_of_finite_differences() -> None:
    front_end, length = Filterbank(peak=True, average=2, normalize="mean"), torch.tensor([9000])
    waveform = speech(9000).double()[None].requires_grad_()
    direction = speech(9000, seed=1).double()[None]
    weights = torch.linspace(-1, 1, 30, dtype=torch.float64)

    def value(x: torch.Tensor) -> torch.Tensor:
        return (front_end(x, length)[0].square() * weights).sum()

    (gradient,) = torch.autograd.grad(value(waveform), waveform)
    with torch.no_grad():
        difference = (value(waveform + 1e-6 * direction) - value(waveform - 1e-6 * direction)) / 2e-6
    torch.testing.assert_close((gradient * direction).sum(), difference, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("normalize", NORMALIZE)
@pytest.mark.parametrize("chosen", [{}, PAPER, {**SMALL, "bands": 30}])
def test_float64_stays_float64(chosen: dict[str, Any], normalize: str) -> None:
    front_end = Filterbank(**{**chosen, "normalize": normalize})
    power, lengths = front_end.fixed(speech(32000).double()[None], torch.tensor([32000]))
    for generator in (None, torch_generator(0)):
        assert front_end.draw(power, lengths, generator)[0].dtype == torch.float64
    exact, close = front_end.draw(power, lengths)[0], front_end.draw(power.float(), lengths)[0]
    assert close.dtype == torch.float32
    torch.testing.assert_close(close.double(), exact, atol=1e-3, rtol=0)


def test_half_precision_around_it_changes_nothing() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        inside = Filterbank()(speech(8000)[None], torch.tensor([8000]))[0]
    assert torch.equal(inside, Filterbank()(speech(8000)[None], torch.tensor([8000]))[0])


def test_empty_bands_are_refused() -> None:
    with pytest.raises(InputError, match="200 mel bands"):
        Filterbank(bands=200)
    assert Filterbank(bands=90).shape == (90,)
    with pytest.raises(InputError, match=r"90 mel bands .* warp of up to 0\.3"):
        Filterbank(bands=90, warp=0.3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window", 33),
        ("hop", 0),
        ("average", 0),
        ("dynamic_range", 0),
        ("warp", 1),
        ("speed", 1),
        ("noise", 41),
        ("gain", -1),
        ("crop", -1),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValidationError):
        make(Filterbank, {name: value})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("chosen", [{}, PAPER, SMALL])
def test_cuda_gives_what_the_cpu_gives(chosen: dict[str, Any]) -> None:
    batch = torch.stack([speech(32000), speech(32000, seed=1)])
    lengths = torch.tensor([32000, 20000])
    front_end = Filterbank(**chosen)
    expected = [front_end.draw(*front_end.fixed(batch, lengths), draw) for draw in (None, torch_generator(0))]
    front_end.cuda()
    power = front_end.fixed(batch.cuda(), lengths)
    for (features, frames), draw in zip(expected, (None, torch_generator(0)), strict=True):
        on_gpu, frames_on_gpu = front_end.draw(*power, draw)
        assert frames.tolist() == frames_on_gpu.tolist()
        torch.testing.assert_close(on_gpu.cpu(), features, atol=2e-3, rtol=0)
