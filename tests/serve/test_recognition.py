"""Whatever is computed together is what each gives alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from trees.service import speech, wav
from unheard.errors import InputError
from unheard.recognizer import Recognizer
from unheard.serve.recognition import Recognition
from unheard.serve.settings import Settings

CLOSE = 1e-5


def within(
    recognizer: Recognizer, work: Callable[[Recognition], Coroutine[Any, Any, Any]], **settings: Any
) -> tuple[Any, list[int]]:
    """What comes out of some work, and the sizes of the batches."""
    sizes: list[int] = []
    recognition = Recognition(recognizer, Settings(**settings), sizes.append)
    try:
        return asyncio.run(work(recognition)), sizes
    finally:
        recognition.close()


def test_recordings_at_once_give_what_each_gives_alone(recognizer: Recognizer) -> None:
    sounds = [speech(seconds, pitch) for seconds, pitch in [(0.7, 150), (3.1, 300), (0.4, 220), (9.0, 180), (2.9, 90)]]

    async def work(recognition: Recognition) -> list[Any]:
        return await asyncio.gather(*map(recognition.prediction, sounds))

    found, sizes = within(recognizer, work, batch_wait=60.0, batch_size=5)
    assert sizes == [5]
    for sound, prediction in zip(sounds, found, strict=True):
        alone = recognizer.predict(sound)
        assert (prediction.emotion, prediction.duration) == (alone.emotion, alone.duration)
        assert prediction.probabilities == pytest.approx(alone.probabilities, abs=CLOSE)


def test_timelines_and_streams_share_batches_and_give_what_each_gives_alone(recognizer: Recognizer) -> None:
    sounds = [speech(7.3, 150), speech(5.2, 260), speech(31.0, 200)]

    async def streamed(recognition: Recognition, sound: np.ndarray) -> list[Any]:
        stream = recognition.stream(16_000)
        windows = []
        for chunk in np.array_split(sound, 9):
            windows += await recognition.push(stream, chunk)
        return windows + await recognition.finish(stream)

    async def work(recognition: Recognition) -> list[Any]:
        return await asyncio.gather(
            *map(recognition.timeline, sounds), *(streamed(recognition, sound) for sound in sounds)
        )

    found, sizes = within(recognizer, work, batch_wait=0.02)
    assert max(sizes) > 1
    for sound, timeline, windows in zip(sounds, found[:3], found[3:], strict=True):
        alone = recognizer.timeline(sound)
        np.testing.assert_allclose(timeline.posteriors, alone.posteriors, atol=CLOSE)
        np.testing.assert_allclose(timeline.smoothed, alone.smoothed, atol=1e-4)
        assert [(one.start, one.end, one.emotion) for one in timeline.segments] == [
            (one.start, one.end, one.emotion) for one in alone.segments
        ]
        stream = recognizer.stream()
        for window, other in zip(windows, [*stream.push(sound), *stream.finish()], strict=True):
            assert (window.start, window.end) == (other.start, other.end)
            if other.posteriors is None:
                assert window.posteriors is None
            else:
                np.testing.assert_allclose(window.posteriors, other.posteriors, atol=CLOSE)


def test_one_who_leaves_does_not_stop_the_others(recognizer: Recognizer) -> None:
    async def work(recognition: Recognition) -> list[Any]:
        asked = [asyncio.create_task(recognition.prediction(speech(1.0, 100 + n))) for n in range(6)]
        await asyncio.sleep(0.02)
        for one in asked[::2]:
            one.cancel()
        return await asyncio.gather(*asked, return_exceptions=True)

    found, sizes = within(recognizer, work, batch_wait=0.3)
    assert all(isinstance(one, asyncio.CancelledError) for one in found[::2])
    for n, prediction in zip((1, 3, 5), found[1::2], strict=True):
        assert prediction.probabilities == pytest.approx(
            recognizer.predict(speech(1.0, 100 + n)).probabilities, abs=CLOSE
        )
    assert sum(sizes) <= 6


def test_a_timeline_stops_where_nobody_waits(recognizer: Recognizer) -> None:
    sizes: list[int] = []
    begun = threading.Event()
    recognition = Recognition(recognizer, Settings(max_seconds=4000), lambda size: (begun.set(), sizes.append(size)))

    async def work() -> None:
        asked = asyncio.create_task(recognition.timeline(np.tile(speech(6.0), 50)))
        await asyncio.to_thread(begun.wait)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    asyncio.run(work())
    recognition.close()
    assert 0 < sum(sizes) < 150


def test_long_recordings_are_refused(recognizer: Recognizer) -> None:
    async def work(recognition: Recognition) -> Any:
        return await recognition.read(wav(speech(2.0)))

    with pytest.raises(InputError, match="longer than the limit of 1 s"):
        within(recognizer, work, max_seconds=1.0)
