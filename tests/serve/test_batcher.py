"""Small jobs run together, each with the own result."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unheard.serve.batcher import Batcher


class Squares:
    """Squares whole numbers; remembers the batches, fails where one is negative, and can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.begun.set()
        self.go.wait()
        self.batches.append(list(items))
        if min(items) < 0:
            raise ValueError("negative")
        return [item * item for item in items]


@pytest.fixture
def run() -> Squares:
    return Squares()


@pytest.fixture
def batcher(run: Squares) -> Iterator[Batcher[int, int]]:
    batcher = Batcher(run, size=4, wait=0.05)
    yield batcher
    run.go.set()
    batcher.close()


def held_up(run: Squares, batcher: Batcher[int, int]) -> None:
    """Let the thread begin a batch and not go on."""
    run.go.clear()
    batcher.submit(0)
    run.begun.wait()


def test_what_comes_at_the_same_time_is_run_together(run: Squares) -> None:
    batcher = Batcher(run, size=3, wait=60.0)
    waiting = [batcher.submit(item) for item in range(6)]
    assert [one.result() for one in waiting] == [0, 1, 4, 9, 16, 25]
    assert run.batches == [[0, 1, 2], [3, 4, 5]]
    batcher.close()


def test_what_waited_is_run_together_without_waiting_longer(run: Squares) -> None:
    batcher = Batcher(run, size=10, wait=0.0)
    held_up(run, batcher)
    waiting = [batcher.submit(item) for item in (1, 2, 3)]
    run.go.set()
    assert [one.result() for one in waiting] == [1, 4, 9]
    assert run.batches == [[0], [1, 2, 3]]
    batcher.close()


def test_one_alone_does_not_wait_for_a_full_batch(batcher: Batcher[int, int]) -> None:
    started = time.monotonic()
    assert batcher.submit(3).result() == 9
    assert time.monotonic() - started < 2


def test_what_is_cancelled_is_left_out(run: Squares, batcher: Batcher[int, int]) -> None:
    held_up(run, batcher)
    first, second, third = (batcher.submit(item) for item in (1, 2, 3))
    assert second.cancel()
    run.go.set()
    assert (first.result(), third.result()) == (1, 9)
    assert run.batches[1] == [1, 3]


def test_a_batch_of_which_all_is_cancelled_does_not_stop_the_next(run: Squares, batcher: Batcher[int, int]) -> None:
    held_up(run, batcher)
    assert batcher.submit(1).cancel()
    run.go.set()
    assert batcher.submit(2).result() == 4


def test_one_that_fails_leaves_the_others_as_they_are(run: Squares, batcher: Batcher[int, int]) -> None:
    first, second, third = (batcher.submit(item) for item in (1, -2, 3))
    assert (first.result(), third.result()) == (1, 9)
    with pytest.raises(ValueError, match="negative"):
        second.result()
    assert batcher.open


def test_closing_finishes_what_was_submitted(run: Squares) -> None:
    batcher = Batcher(run, size=2, wait=10.0)
    waiting = [batcher.submit(item) for item in range(5)]
    batcher.close()
    assert [one.result(timeout=0) for one in waiting] == [0, 1, 4, 9, 16]
    assert not batcher.open
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(1)
    batcher.close()


def test_the_thread_begins_with_what_it_is_given(run: Squares) -> None:
    began: list[str] = []
    sizes: list[int] = []
    batcher = Batcher(
        run, size=2, wait=60.0, begin=lambda: began.append(threading.current_thread().name), watch=sizes.append
    )
    for one in [batcher.submit(item) for item in range(4)]:
        one.result()
    batcher.close()
    assert began == ["batcher"]
    assert sizes == [2, 2]


@given(items=st.lists(st.integers(0, 100), max_size=40), size=st.integers(1, 9), threads=st.integers(1, 8))
def test_everybody_gets_the_own_result(items: list[int], size: int, threads: int) -> None:
    run = Squares()
    batcher = Batcher(run, size=size, wait=0.0005)
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda item: batcher.submit(item).result(), items))
    batcher.close()
    assert found == [item * item for item in items]
    assert all(len(batch) <= size for batch in run.batches)
    assert sorted(item for batch in run.batches for item in batch) == sorted(items)
