import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.frontends.augmentation import masked, retimed, spans, with_noise
from unheard.seeds import torch_generator

LENGTHS = st.lists(st.integers(20, 90), min_size=1, max_size=5)


def ramp(lengths: list[int], padding: int = 0) -> torch.Tensor:
    """The number of each frame and its double, padded with zeros, [batch, time, 2]."""
    frames = torch.arange(max(lengths) + padding)
    valid = frames < torch.tensor(lengths)[:, None]
    return (torch.where(valid, frames, 0)[..., None] * torch.tensor([1, 2])).float()


@given(LENGTHS, st.sampled_from([0.0, 0.1, 0.5]), st.sampled_from([None, 20, 45]), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_retimed_items_keep_their_course(lengths: list[int], speed: float, longest: int | None, seed: int) -> None:
    counts = torch.tensor(lengths)
    moved, kept = retimed(ramp(lengths), counts, speed, longest, torch_generator(seed))
    assert moved.shape[1] == kept.max()
    for item, length, count in zip(moved, lengths, kept.tolist(), strict=True):
        assert count >= 20
        assert count == length or speed or longest
        low, high = round(length * (1 - speed)), round(length * (1 + speed))
        assert min(longest or 999, max(20, low)) <= count <= min(longest or 999, max(20, high))
        steps = item[:count, 0].diff()
        torch.testing.assert_close(steps, steps[:1].expand(count - 1), atol=1e-3, rtol=0)
        assert 1 / (1 + speed) - 0.05 <= steps[0] <= 1 / (1 - speed) + 0.05
        torch.testing.assert_close(item[:, 1], 2 * item[:, 0])
        assert item[0, 0] >= 0
        assert item[count - 1, 0] <= length - 1
        if not longest:
            torch.testing.assert_close(item[[0, count - 1], 0], torch.tensor([0.0, length - 1]))
        assert not item[count:].any()


def test_crops_begin_anywhere_and_are_whole_frames() -> None:
    lengths = torch.full((4000,), 25)
    moved, kept = retimed(ramp([25]).expand(4000, -1, -1), lengths, 0.0, 20, torch_generator(0))
    assert (kept == 20).all()
    assert torch.equal(moved[..., 0], moved[:, :1, 0] + torch.arange(20))
    assert (moved[:, 0, 0].long().bincount() / 4000 - 1 / 6).abs().max() < 0.03


def test_noise_has_the_power_that_is_asked_for() -> None:
    power = torch.ones(2000, 20, 17) * torch.tensor([1.0, 5.0]).repeat(1000)[:, None, None]
    added = with_noise(power, torch.full((2000,), 20), -10.0, torch_generator(0)) - power
    ratio = -10 * (added.mean((1, 2)) / power.mean((1, 2))).log10()
    assert -11 < ratio.min() < -9
    assert 39 < ratio.max() < 41
    assert ratio.mean() == pytest.approx(15, abs=1)
    assert (added >= 0).all()
    one = with_noise(torch.ones(1, 1000, 257), torch.tensor([1000]), 20.0, torch_generator(1)) - 1
    assert one.std() == pytest.approx(float(one.mean()), rel=0.02)  # so it is for an exponential variable


def test_noise_of_a_silent_item_is_silent() -> None:
    assert not with_noise(torch.zeros(2, 30, 257), torch.tensor([30, 20]), 0.0, torch_generator(0)).any()


@given(LENGTHS, st.integers(0, 40), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_padding_changes_no_draw(lengths: list[int], padding: int, seed: int) -> None:
    counts = torch.tensor(lengths)

    def drawn(padding: int) -> torch.Tensor:
        power, kept = retimed(ramp(lengths, padding), counts, 0.2, 60, torch_generator(seed))
        return masked(with_noise(power, kept, 0.0, torch_generator(seed)), kept, (1, 1), (2, 20), torch_generator(seed))

    assert torch.equal(drawn(padding), drawn(0))
    noisy = with_noise(ramp(lengths, padding), counts, 0.0, torch_generator(seed))
    torch.testing.assert_close(noisy[:, : max(lengths)], with_noise(ramp(lengths), counts, 0.0, torch_generator(seed)))
    assert not noisy[:, max(lengths) :].any()


@given(st.integers(0, 12), st.integers(0, 30), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_span_is_as_wide_as_allowed_and_inside(widest: int, size: int, seed: int) -> None:
    sizes = torch.full((50,), size)
    covered = spans(sizes, torch.full((50,), min(widest, size)), 1, 35, torch_generator(seed))
    assert covered.sum(1).max() <= min(widest, size)
    assert not covered[:, size:].any()
    starts = (covered.int().diff(dim=1, prepend=torch.zeros(50, 1).int()) == 1).sum(1)
    assert starts.max() <= 1


def test_every_width_and_every_place_is_drawn() -> None:
    covered = spans(torch.full((2000,), 10), torch.full((2000,), 3), 1, 10, torch_generator(0))
    assert (covered.sum(1).bincount() / 2000 - 0.25).abs().max() < 0.04
    assert covered[:, [0, 9]].any(0).all()


@given(LENGTHS, st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_masks_hold_the_mean_of_the_item(lengths: list[int], seed: int) -> None:
    counts = torch.tensor(lengths)
    features = torch.randn(len(lengths), max(lengths), 30, generator=torch_generator(seed))
    hidden = masked(features, counts, (2, 6), (2, 25), torch_generator(seed))
    for before, after, length in zip(features, hidden, lengths, strict=True):
        torch.testing.assert_close(after[length:], before[length:])
        changed = (before != after)[:length]
        torch.testing.assert_close(after[:length][changed], before[:length].mean().expand(int(changed.sum())))
        assert changed.all(0).sum() <= 12
        assert changed.all(1).sum() <= 2 * min(25, length // 4)
        # What is not a whole band or a whole frame is as it was.
        assert not changed[~changed.all(1)][:, ~changed.all(0)].any()
