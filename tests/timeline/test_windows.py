"""Every sample lies in one stretch, each stretch in the middle of its window, however the samples come."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unheard.errors import InputError
from unheard.timeline.windows import Cutter


@given(
    length=st.integers(0, 60_000),
    sizes=st.lists(st.integers(0, 9_000), max_size=12),
    hop=st.integers(1, 60),
    margin=st.integers(0, 50),
)
def test_chunks_do_not_matter(length: int, sizes: list[int], hop: int, margin: int):
    samples = np.arange(length, dtype=np.float32)
    cutter = Cutter((hop + 2 * margin) / 100, hop / 100)
    cuts, position = [], 0
    for size in sizes:
        cuts += cutter.push(samples[position : position + size])
        position += size
    received = min(position, length)
    assert len(cuts) == max(0, (received - margin * 160) // (hop * 160))  # each as soon as it is complete
    cuts += [*cutter.push(samples[position:]), *cutter.finish()]
    assert [len(cut.window[cut.first : cut.stop]) for cut in cuts[:-1]] == [hop * 160] * (len(cuts) - 1)
    stretches = [cut.window[cut.first : cut.stop] for cut in cuts]
    np.testing.assert_array_equal(np.concatenate([np.zeros(0), *stretches]), samples)
    for cut in cuts:
        first, last = cut.window[cut.first], cut.window[cut.stop - 1]
        assert cut.window[0] == max(0, first - margin * 160)
        assert cut.window[-1] == min(length - 1, last + margin * 160)


@pytest.mark.parametrize(
    ("window", "hop"), [(1, 2), (3, 0), (3, -1), (3, 0.99), (3.001, 1), (math.nan, 1), (math.inf, 1)]
)
def test_what_does_not_go_together_gets_one_sentence(window: float, hop: float):
    with pytest.raises(InputError, match="cannot be had: both are multiples"):
        Cutter(window, hop)


def test_memory_is_that_of_a_window():
    cutter = Cutter(3, 1)
    for _ in range(100):
        cutter.push(np.zeros(16_000, np.float32))
    assert sum(len(chunk) for chunk in cutter._chunks) <= 48_000
