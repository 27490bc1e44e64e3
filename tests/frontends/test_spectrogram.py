from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.errors import InputError
from unheard.frontends import FRONT_ENDS
from unheard.frontends.deltas import add_deltas
from unheard.frontends.spectrogram import Spectrogram, jet
from unheard.settings import make
from unheard.training.batches import Items

SMALL: dict[str, Any] = {"transform": 640, "highest": 1000.0, "piece": 0.5, "frames": 50}
EVERY_WAY: list[dict[str, Any]] = [
    {},
    {"normalize": "utterance"},
    {"normalize": "train", "channels": "single", "piece": None},
    {"normalize": "none", "channels": "repeat"},
    {"channels": "delta"},
    {"channels": "multires", "window": (20.0, 40.0)},
    {"level": "log_power", "floor": 1e-6, "average": 2},
    {"silence": "remove", "normalize": "utterance"},
]
ways = pytest.mark.parametrize("way", EVERY_WAY, ids=lambda way: "-".join(map(str, way.values())) or "paper")


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(0.1 * np.random.default_rng(seed).standard_normal(samples)).float()


def tone(hertz: float, samples: int = 48000) -> torch.Tensor:
    return 0.5 * torch.sin(2 * torch.pi * hertz * torch.arange(samples) / 16000)


def fixed(front_end: Spectrogram, waveform: torch.Tensor) -> torch.Tensor:
    features, lengths = front_end.fixed(waveform[None], torch.tensor([len(waveform)]))
    assert lengths.tolist() == [features.shape[1]]
    return features[0]


def fitted(**changed: Any) -> Spectrogram:
    front_end = Spectrogram(**(SMALL | changed))
    front_end.fit([fixed(front_end, noise(20000, seed)) for seed in (7, 8)])
    return front_end


def pictures(front_end: Spectrogram, waveform: torch.Tensor) -> torch.Tensor:
    """Of all pieces of an utterance."""
    items = Items.cut(front_end, [fixed(front_end, waveform).numpy()])
    return items.batch(np.arange(len(items)), front_end).features


def test_it_is_registered_and_makes_the_papers_pictures() -> None:
    front_end = make(FRONT_ENDS["spectrogram"], {})
    assert type(front_end) is Spectrogram
    assert front_end.shape == (3, 400)
    made = pictures(front_end, noise(48000 + 20000))
    assert made.shape == (2, 3, 400, 300)
    assert made.is_contiguous()
    assert 0 <= made.min() < made.max() <= 1


def test_settings_read_from_a_recipe() -> None:
    front_end = make(Spectrogram, {"window": [20, 40], "channels": "multires", "piece": None})
    assert front_end.shape == (3, 400)
    assert front_end.pieces(700, training=True) == [(0, 300), (300, 600), (600, 700)]


@pytest.mark.parametrize("hertz", [500, 3990])
def test_frequency_rises_with_the_row_and_time_with_the_column(hertz: int) -> None:
    front_end = Spectrogram(normalize="none", channels="single")
    late = torch.cat([torch.zeros(24000), tone(hertz, 24000)])
    (picture,) = pictures(front_end, late)[:, 0]
    assert (picture[:, 150:297].argmax(0) == hertz // 10).all()
    assert (picture[:, :140] < -100).all()


def test_the_rows_say_where_they_lie() -> None:
    assert Spectrogram().row_edges == tuple(range(0, 4001, 10))
    averaged = Spectrogram(lowest=100, highest=3300, average=2)
    assert averaged.row_edges is not None
    assert averaged.row_edges[:2] == (100, 120)
    assert averaged.row_edges[-1] == 3300
    assert len(averaged.row_edges) == averaged.shape[1] + 1


@pytest.mark.parametrize("window", [20, 40])
def test_three_seconds_are_one_piece_of_as_many_frames_as_fit(window: int) -> None:
    front_end = Spectrogram(window=window)
    frames = {20: 299, 40: 297}[window]
    assert front_end.pieces(len(fixed(front_end, noise(48000))), training=True) == [(0, frames)]
    shortest = 48000 + window * 16  # a remainder that holds a frame
    assert front_end.pieces(len(fixed(front_end, noise(shortest - 1))), training=True) == [(0, frames)]
    assert front_end.pieces(len(fixed(front_end, noise(shortest))), training=True) == [(0, frames), (300, 301)]


@pytest.mark.parametrize("way", [{}, {"channels": "delta"}, {"channels": "multires", "window": (40.0, 20.0)}], ids=str)
def test_pieces_are_what_a_cut_recording_gives(way: dict[str, Any]) -> None:
    front_end = fitted(**way)
    waveform = noise(8000 + 8000 + 3000)
    made = pictures(front_end, waveform)
    assert len(made) == 3
    for picture, start in zip(made, (0, 8000, 16000), strict=True):
        (alone,) = pictures(front_end, waveform[start : start + 8000])
        torch.testing.assert_close(picture, alone, atol=1e-3, rtol=1e-5)


def test_without_seconds_nothing_is_left_out() -> None:
    front_end = fitted(normalize="none", channels="single", piece=None)
    waveform = noise(30000)
    levels = fixed(front_end, waveform)
    made = pictures(front_end, waveform)[:, 0]
    assert torch.equal(made.mT.reshape(-1, 40)[: len(levels)], levels)
    assert made.shape == (-(-len(levels) // 50), 40, 50)


@ways
@given(st.lists(st.integers(1, 7000), min_size=1, max_size=4), st.integers(0, 2000))
@settings(max_examples=10)
def test_padding_and_batching_never_change_a_picture(way: dict[str, Any], samples: list[int], padding: int) -> None:
    front_end = fitted(**way)
    batch = torch.full((len(samples), max(samples) + padding), torch.nan)
    for row, length in enumerate(samples):
        batch[row, :length] = noise(length, seed=row)
    made, lengths = front_end(batch, torch.tensor(samples))
    for row, length in enumerate(samples):
        alone, alone_length = front_end(batch[row : row + 1, :length], torch.tensor([length]))
        assert alone_length == lengths[row] == max(1, 1 + (length - 640) // 160)
        torch.testing.assert_close(made[row], alone[0], atol=1e-3, rtol=1e-5)


def test_pauses_are_taken_out_and_the_rest_is_as_it_was() -> None:
    loud = [tone(hertz, 8000) + 0.01 * noise(8000) for hertz in (200, 400, 800)]
    waveform = torch.cat([loud[0], torch.zeros(8000), loud[1], torch.zeros(1600), loud[2], 1e-3 * tone(300, 4800)])
    kept, left = (
        fixed(Spectrogram(normalize="none", channels="single", silence=way), waveform) for way in ("keep", "remove")
    )
    # 40 ms windows every 10 ms: those that lie wholly in a silence of d ms are d / 10 - 3 in a row.
    assert len(kept) - len(left) == (50 - 3) + 0 + (30 - 3)
    assert torch.equal(left, torch.cat([kept[:50], kept[97:-27]]))


@given(st.floats(1e-3, 1.0), st.integers(0, 99))
@settings(max_examples=10)
def test_what_a_pause_is_does_not_depend_on_the_gain(gain: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    steps = torch.from_numpy(np.repeat(draw.choice([0.0, 1e-3, 1.0], 30), 800)).float()
    front_end = Spectrogram(normalize="none", channels="single", silence="remove")
    assert len(fixed(front_end, steps * noise(24000))) == len(fixed(front_end, gain * steps * noise(24000)))


@ways
def test_padding_is_the_mean_level(way: dict[str, Any]) -> None:
    front_end = fitted(**way)
    made, lengths = front_end(noise(4000)[None], torch.tensor([4000]))
    colours = torch.tensor([0.5, 1.0, 0.5]) if front_end.channels == "rgb" else torch.zeros(front_end.shape[0])
    padding = made[0, :, :, lengths[0] :]
    assert padding.shape[2] == 50 - 22
    assert (padding == colours[:, None, None]).all()


@ways
def test_digital_silence_works(way: dict[str, Any]) -> None:
    front_end = Spectrogram(**(SMALL | way))
    front_end.fit([fixed(front_end, torch.zeros(8000))])
    made, _ = front_end(torch.zeros(1, 8000), torch.tensor([8000]))
    assert made.isfinite().all()
    assert made.abs().max() <= 200


def test_fit_gives_each_row_of_the_training_part_zero_mean_and_unit_variance() -> None:
    front_end = fitted(channels="single")
    values = torch.cat([front_end(noise(20000, seed)[None], torch.tensor([20000]))[0][0, 0].mT for seed in (7, 8)])
    torch.testing.assert_close(values.mean(0), torch.zeros(40), atol=1e-4, rtol=0)
    torch.testing.assert_close(values.std(0, correction=0), torch.ones(40), atol=1e-4, rtol=0)


def test_all_rows_together_keep_their_differences() -> None:
    low = tone(300, 20000) + 0.01 * noise(20000)
    front_end = Spectrogram(**SMALL, normalize="train", channels="single")
    front_end.fit([fixed(front_end, low)])
    made = front_end(low[None], torch.tensor([20000]))[0][0, 0]
    assert abs(float(made.mean())) < 1e-4
    assert abs(float(made.std(correction=0)) - 1) < 1e-4
    assert made.mean(1).argmax() == 12


def test_utterance_normalisation_is_over_all_its_pieces() -> None:
    front_end = Spectrogram(**SMALL, normalize="utterance", channels="single")
    waveform = torch.cat([noise(8000), 0.01 * noise(8000, seed=1)])
    values = fixed(front_end, waveform)
    torch.testing.assert_close(values.mean(0), torch.zeros(40), atol=1e-4, rtol=0)
    torch.testing.assert_close(values.var(0, correction=0), torch.ones(40), atol=1e-4, rtol=0)
    loud, quiet = pictures(front_end, waveform)[:, 0]
    assert loud.mean() > 0.5 > -0.5 > quiet.mean()


def test_fitted_statistics_are_saved_with_the_model() -> None:
    front_end, again = fitted(), Spectrogram(**SMALL)
    again.load_state_dict(front_end.state_dict())
    batch = noise(8000)[None], torch.tensor([8000])
    assert torch.equal(front_end(*batch)[0], again(*batch)[0])
    assert not torch.equal(front_end(*batch)[0], Spectrogram(**SMALL)(*batch)[0])


def test_channels_are_made_of_the_single_one() -> None:
    batch = noise(6000)[None], torch.tensor([6000])
    single, lengths = fitted(channels="single")(*batch)
    assert torch.equal(fitted(channels="repeat")(*batch)[0], single.repeat(1, 3, 1, 1))
    assert torch.equal(fitted()(*batch)[0], jet(single[:, 0], 3))
    assert torch.equal(fitted(clip=1.5)(*batch)[0], jet(2 * single[:, 0], 3))
    delta = add_deltas(single[:, 0].mT, lengths)[0, : lengths[0]].unflatten(1, (3, -1))
    torch.testing.assert_close(fitted(channels="delta")(*batch)[0][0, :, :, : lengths[0]].permute(2, 0, 1), delta)
    long, short, both = fitted(channels="multires", window=(40.0, 20.0))(*batch)[0][0]
    torch.testing.assert_close(long, single[0, 0])
    assert not torch.allclose(long, short, atol=0.1)
    torch.testing.assert_close(both, (long + short) / 2)


def test_colours_are_those_of_matlabs_map() -> None:
    rise = np.arange(1, 65) / 64
    slope = np.concatenate([rise, np.ones(63), rise[::-1]])  # jet(256), written out as its documentation does
    table = np.zeros((256, 3))
    for colour, start in enumerate((96, 32, -32)):
        rows = start + np.arange(len(slope))
        inside = (rows >= 0) & (rows < 256)
        table[rows[inside], colour] = slope[inside]
    assert table[0].tolist() == [0, 0, 33 / 64]
    assert table[-1].tolist() == [0.5, 0, 0]
    values = torch.linspace(-3, 3, 10001)
    nearest = np.minimum(255, np.floor((values.numpy() + 3) / 6 * 256)).astype(int)
    np.testing.assert_allclose(jet(values[None], 3)[0].T, table[nearest], atol=1 / 64 + 1e-6, rtol=0)
    assert torch.equal(jet(torch.tensor([[-99.0, 99.0]]), 3), jet(torch.tensor([[-3.0, 3.0]]), 3))


@ways
def test_gradients_reach_the_waveform(way: dict[str, Any]) -> None:
    front_end = fitted(**way)
    waveform = torch.cat([noise(4000), torch.zeros(4000)])[None].requires_grad_()
    front_end(waveform, torch.tensor([8000]))[0].square().mean().backward()
    assert waveform.grad is not None
    assert waveform.grad.isfinite().all()
    assert waveform.grad[0, :4000].any()


@ways
def test_float64_stays_float64(way: dict[str, Any]) -> None:
    front_end = fitted(**way)
    batch = noise(8000)[None], torch.tensor([8000])
    wide, _ = front_end(batch[0].double(), batch[1])
    assert wide.dtype == torch.float64
    torch.testing.assert_close(front_end(*batch)[0].double(), wide, atol=2e-3, rtol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"window": (20.0, 40.0)}, "window: channels=rgb takes one length, 2 are given"),
        ({"window": ()}, "window: channels=rgb takes one length, 0 are given"),
        ({"channels": "multires"}, "takes two or more lengths"),
        ({"normalize": "none"}, "channels: rgb colours normalised values"),
        ({"transform": 512}, "transform: 512 points do not hold a window of 640 samples"),
        ({"highest": 9000.0}, "highest: 9000 Hz lie above"),
        ({"lowest": 4000.0}, "average: 4000 to 4000 Hz are 0 bins"),
        ({"average": 3}, "average: 0 to 4000 Hz are 400 bins of 1600 points"),
        ({"piece": 3.001}, "piece: 3.001 s are not a whole number of hops of 160 samples"),
        ({"frames": 256}, "frames: a piece of 3 s has 297 frames, and it takes 1 to 256"),
        ({"piece": 0.03}, "frames: a piece of 0.03 s has 0 frames"),
    ],
)
def test_settings_that_do_not_fit_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        Spectrogram(**wrong)
    assert sentence in str(caught.value)


def test_fit_on_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="training part"):
        Spectrogram(**SMALL).fit([])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@ways
def test_cuda_gives_what_the_cpu_gives(way: dict[str, Any]) -> None:
    front_end = fitted(**way)
    batch = torch.stack([noise(8000), noise(8000, seed=1)])
    lengths = torch.tensor([8000, 5000])
    made, frames = front_end(batch, lengths)
    on_gpu, frames_on_gpu = front_end.cuda()(batch.cuda(), lengths)
    assert frames.tolist() == frames_on_gpu.tolist()
    torch.testing.assert_close(on_gpu.cpu(), made, atol=2e-3, rtol=1e-4)
