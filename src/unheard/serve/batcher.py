"""Many small jobs as few large ones: what several requests ask for at about the same time is computed together."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Collects items of any thread for a moment, and runs them together in one thread of its own.

    An item that is cancelled before its turn is left out, and one that fails alone fails alone: the others of its batch
    are none the worse for it.

    Args:
        run: what computes: items → as many results, in their order.
        size: how many items are run together at most.
        wait: seconds that an item waits for others to come along, at most.
        begin: what the thread does first, such as setting how many threads it may use itself.
        watch: is told the size of every batch.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        size: int,
        wait: float,
        begin: Callable[[], object] = lambda: None,
        watch: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._run = run
        self._size = size
        self._wait = wait
        self._begin = begin
        self._watch = watch
        self._waiting: queue.SimpleQueue[tuple[Item, Future[Result]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._closed = False
        self._closing = threading.Lock()
        self._thread.start()

    def submit(self, item: Item) -> Future[Result]:
        """The result, once it is there.

        Raises:
            RuntimeError: the batcher is closed.
        """
        result: Future[Result] = Future()
        with self._closing:  # so that nothing is put behind the end, where nobody would see it
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._waiting.put((item, result))
        return result

    @property
    def open(self) -> bool:
        """Whether it takes items and its thread is at work."""
        return not self._closed and self._thread.is_alive()

    def close(self) -> None:
        """Finish what was submitted, then end the thread."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        self._begin()
        more = True
        while more:
            batch, more = self._collected()
            batch = [(item, result) for item, result in batch if result.set_running_or_notify_cancel()]
            if batch:
                self._watch(len(batch))
                self._finish(batch)

    def _collected(self) -> tuple[list[tuple[Item, Future[Result]]], bool]:
        """The next batch, and whether there can be another."""
        batch: list[tuple[Item, Future[Result]]] = []
        until = 0.0
        while len(batch) < self._size:
            try:
                job = self._waiting.get(timeout=max(0.0, until - time.monotonic()) if batch else None)
            except queue.Empty:
                break
            if job is None:
                return batch, False
            until = until or time.monotonic() + self._wait
            batch.append(job)
        return batch, True

    def _finish(self, batch: list[tuple[Item, Future[Result]]]) -> None:
        try:
            values = list(zip(batch, self._run([item for item, _ in batch]), strict=True))
        except Exception as problem:
            if len(batch) == 1:
                batch[0][1].set_exception(problem)
                return
            for job in batch:  # whose fault it was
                self._finish([job])
            return
        for (_, result), value in values:
            result.set_result(value)
