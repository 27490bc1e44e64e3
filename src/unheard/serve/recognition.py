"""What the service computes: recordings become features in some threads, and the features of all of them go to one."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from unheard.audio import SAMPLE_RATE, read_audio
from unheard.audio.decode import Samples
from unheard.recognizer import Heard, Prediction, Recognizer
from unheard.serve.batcher import Batcher
from unheard.serve.settings import Settings
from unheard.timeline.score import fixed_features
from unheard.timeline.stream import Stream, Window
from unheard.timeline.timeline import Timeline
from unheard.timeline.windows import Cut

Result = TypeVar("Result")
Judge = Callable[[Sequence[Heard]], list[Prediction]]
#: Seconds of a recording after which it is looked whether anybody still waits for its timeline.
PIECE = 30


class Recognition:
    """One recognizer for everybody: recordings, timelines and streams share the batches of one thread.

    Args:
        recognizer: what recognizes.
        settings: how large batches are and how many threads there are.
        watch: is told the size of every batch.
    """

    def __init__(self, recognizer: Recognizer, settings: Settings, watch: Callable[[int], object]) -> None:
        self._recognizer = recognizer
        self._limit = settings.max_seconds
        self._batcher: Batcher[Heard, Prediction] = Batcher(
            of_similar_lengths(recognizer.judge),
            size=settings.batch_size,
            wait=settings.batch_wait,
            begin=lambda: torch.set_num_threads(settings.threads),
            watch=watch,
        )
        self._readers = _pool(os.cpu_count() or 1, "reader")
        # These mostly wait for the batcher, so that there may be many.
        self._listeners = _pool(settings.max_streams, "listener")

    @property
    def ready(self) -> bool:
        """Whether it takes more."""
        return self._batcher.open

    async def read(self, body: bytes) -> Samples:
        """The bytes of a file → 16 kHz mono.

        Raises:
            InputError: they are no recording, or one that is too long.
        """
        return await _in(self._readers, lambda: read_audio(body, limit=self._limit))

    async def prediction(self, waveform: Samples) -> Prediction:
        """Of a whole recording."""
        heard = await _in(self._readers, lambda: self._recognizer.hear(waveform))
        return await asyncio.wrap_future(self._batcher.submit(heard))

    async def timeline(self, waveform: Samples) -> Timeline:
        """Of a whole recording; it stops where nobody waits for it any longer."""
        gone = threading.Event()
        try:
            return await _in(self._listeners, lambda: self._listen(waveform, gone))
        finally:
            gone.set()

    def stream(self, rate: int) -> Stream:
        """A recording that comes in chunks.

        Raises:
            InputError: no recording has such a rate.
        """
        threshold = self._recognizer.fitted.calibration.threshold
        return Stream(self._score, self._recognizer.emotions, rate=rate, threshold=threshold)

    async def push(self, stream: Stream, chunk: NDArray[Any]) -> list[Window]:
        """What a chunk completes."""
        return await _in(self._listeners, lambda: stream.push(chunk))

    async def finish(self, stream: Stream) -> list[Window]:
        """What the end of a stream completes."""
        return await _in(self._listeners, stream.finish)

    def close(self) -> None:
        """Finish what was begun."""
        self._readers.shutdown(cancel_futures=True)
        self._listeners.shutdown(cancel_futures=True)
        self._batcher.close()

    def _listen(self, waveform: Samples, gone: threading.Event) -> Timeline:
        stream = self.stream(SAMPLE_RATE)
        windows: list[Window] = []
        for piece in np.split(waveform, range(PIECE * SAMPLE_RATE, len(waveform), PIECE * SAMPLE_RATE)):
            if gone.is_set():
                raise asyncio.CancelledError
            windows += stream.push(piece)
        return Timeline.of([*windows, *stream.finish()])

    def _score(self, cuts: Sequence[Cut]) -> list[NDArray[np.float32]]:
        features = fixed_features(self._recognizer.fitted.front_end, [cut.window for cut in cuts])
        waiting = [
            self._batcher.submit(Heard(values, len(cut.window) / SAMPLE_RATE))
            for values, cut in zip(features, cuts, strict=True)
        ]
        return [np.array([list(one.result().probabilities.values())], np.float32) for one in waiting]


def of_similar_lengths(judge: Judge) -> Judge:
    """Judges a batch in parts in which nothing is padded to more than twice its length.

    >>> def judge(recordings):
    ...     print([len(heard.features) for heard in recordings])
    ...     return [Prediction("", {}, heard.duration) for heard in recordings]
    >>> recordings = [Heard(np.zeros((length, 1)), float(length)) for length in (9, 300, 2, 200, 3)]
    >>> [prediction.duration for prediction in of_similar_lengths(judge)(recordings)]
    [2, 3]
    [9]
    [200, 300]
    [9.0, 300.0, 2.0, 200.0, 3.0]
    """

    def judged(recordings: Sequence[Heard]) -> list[Prediction]:
        lengths = [len(heard.features) for heard in recordings]
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        edges = [0]
        for position, index in enumerate(order):
            if lengths[index] > 2 * lengths[order[edges[-1]]]:
                edges.append(position)
        found: dict[int, Prediction] = {}
        for start, stop in pairwise([*edges, len(order)]):
            part = order[start:stop]
            found |= dict(zip(part, judge([recordings[index] for index in part]), strict=True))
        return [found[index] for index in range(len(recordings))]

    return judged


def _pool(size: int, name: str) -> ThreadPoolExecutor:
    """Threads in which torch does not start others."""
    return ThreadPoolExecutor(size, name, lambda: torch.set_num_threads(1))


async def _in(pool: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(pool, work)
