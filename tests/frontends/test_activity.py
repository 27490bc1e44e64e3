from itertools import groupby

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.frontends.activity import energy_activity, outside_pauses, select_frames

ENERGIES = st.lists(st.integers(0, 160), min_size=1, max_size=30).map(lambda tenths: [value / 8 for value in tenths])


def by_hand(energy: list[float], threshold: float, scale: float, context: int, proportion: float) -> list[bool]:
    limit = threshold + scale * sum(energy) / len(energy)
    voiced = []
    for frame in range(len(energy)):
        near = energy[max(0, frame - context) : frame + context + 1]
        voiced.append(sum(value > limit for value in near) >= len(near) * proportion)
    return voiced


def padded(items: list[list[float]], padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = torch.tensor([len(item) for item in items])
    batch = torch.full((len(items), int(lengths.max()) + padding), 99.0)
    for row, item in enumerate(items):
        batch[row, : len(item)] = torch.tensor(item)
    return batch, lengths


@given(
    st.lists(ENERGIES, min_size=1, max_size=4),
    st.integers(0, 5),
    st.sampled_from([(5.5, 0.5, 2, 0.12), (5.5, 0.5, 0, 0.6), (5.0, 0.5, 0, 0.6), (7.0, 0.25, 3, 0.5)]),
)
@settings(max_examples=60, deadline=None)
def test_decisions_are_those_of_the_rule(
    items: list[list[float]], padding: int, rule: tuple[float, float, int, float]
) -> None:
    energy, lengths = padded(items, padding)
    voiced = energy_activity(energy, lengths, *rule)
    for row, item in enumerate(items):
        assert voiced[row, : len(item)].tolist() == by_hand(item, *rule)
        assert not voiced[row, len(item) :].any()


def test_the_rule_depends_on_the_gain() -> None:
    energy = torch.tensor([[4.0, 14.0, 4.0, 14.0, 4.0, 4.0, 4.0]])
    lengths = torch.tensor([7])
    assert energy_activity(energy, lengths).tolist() == [[True] * 6 + [False]]
    assert not energy_activity(energy - 20.794, lengths).any()


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=4), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_kept_frames_move_to_the_front_in_order(rows: list[list[bool]], at_least: int) -> None:
    keep = torch.tensor([row if any(row) else [True, *row[1:]] for row in rows])
    features = torch.arange(1.0, 1 + 12 * len(rows)).view(len(rows), 6, 2)
    selected, lengths = select_frames(features, keep, at_least)
    assert selected.shape[1] == lengths.max()
    for row, length in enumerate(lengths.tolist()):
        expected = features[row][keep[row]]
        repeated = expected[-1:].expand(max(0, at_least - len(expected)), 2)
        assert torch.equal(selected[row, :length], torch.cat([expected, repeated]))
        assert not selected[row, length:].any()


def test_selection_passes_gradients_to_kept_frames_only() -> None:
    features = torch.ones(1, 4, 1, requires_grad=True)
    selected, _ = select_frames(features, torch.tensor([[True, False, True, False]]), 3)
    selected.sum().backward()
    assert features.grad is not None
    assert features.grad[0, :, 0].tolist() == [1.0, 0.0, 2.0, 0.0]


def pauses_by_hand(energy: list[float], longest: int) -> list[bool]:
    """True outside runs of more than ``longest`` frames 40 dB below the 95th percentile."""
    limit = 1e-4 * float(np.quantile(energy, 0.95))
    outside: list[bool] = []
    for silent, run in groupby(value < limit for value in energy):
        length = len(list(run))
        outside += [not silent or length <= longest] * length
    return outside


LEVELS = st.lists(st.sampled_from([0.0, 1e-6, 0.99e-4, 1.01e-4, 0.5, 1.0, 1.0, 1.0]), min_size=1, max_size=40)


@given(st.lists(LEVELS, min_size=1, max_size=4), st.integers(0, 5), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_pauses_are_long_silences(items: list[list[float]], padding: int, longest: int) -> None:
    energy, lengths = padded(items, padding)
    keep = outside_pauses(energy.double(), lengths, longest)
    for row, item in enumerate(items):
        assert keep[row, : len(item)].tolist() == pauses_by_hand(item, longest)
        assert not keep[row, len(item) :].any()
        assert torch.equal(outside_pauses(512 * energy.double(), lengths, longest)[row], keep[row])


def test_silence_alone_is_kept() -> None:
    assert outside_pauses(torch.zeros(1, 30), torch.tensor([30]), 10).all()
