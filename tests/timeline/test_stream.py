"""A stream gives what the timeline of the whole gives, as soon as it is due, and takes no more memory over time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.errors import InputError
from unheard.recognizer import Recognizer
from unheard.timeline.stream import Window
from unheard.timeline.timeline import Timeline

Speak = Callable[..., np.ndarray]


def streamed(recognizer: Recognizer, samples: np.ndarray, sizes: Sequence[int], **settings) -> list[Window]:
    stream = recognizer.stream(**settings)
    cuts = np.cumsum(sizes)
    windows = [window for chunk in np.split(samples, cuts[cuts < len(samples)]) for window in stream.push(chunk)]
    return [*windows, *stream.finish()]


def agree(windows: list[Window], timeline: Timeline) -> None:
    found = Timeline.of(windows)
    np.testing.assert_allclose(found.end, timeline.end, atol=1e-9)
    np.testing.assert_array_equal(found.speech, timeline.speech)
    np.testing.assert_allclose(found.posteriors, timeline.posteriors, atol=1e-4)
    assert [segment.emotion for segment in found.segments] == [segment.emotion for segment in timeline.segments]


@pytest.fixture(scope="module")
def sound(speak: Speak) -> np.ndarray:
    """Speech, a pause of 5 s, speech; it ends within a frame."""
    return np.concatenate([speak(4), np.zeros(80_000, np.float32), speak(3.4567, seed=1)])


@given(sizes=st.lists(st.integers(1, 60_000), min_size=1, max_size=40))
@settings(max_examples=8)
def test_a_stream_is_the_timeline(recognizer: Recognizer, sound: np.ndarray, sizes: list[int]):
    agree(streamed(recognizer, sound, sizes), recognizer.timeline(sound))


@given(sizes=st.lists(st.integers(1, 40_000), min_size=1, max_size=40), rate=st.sampled_from([8_000, 22_050, 44_100]))
@settings(max_examples=6)
def test_so_it_is_at_other_rates(recognizer: Recognizer, sound: np.ndarray, sizes: list[int], rate: int):
    samples = soxr.resample(sound, 16_000, rate)
    agree(streamed(recognizer, samples, sizes, rate=rate), recognizer.timeline(samples, rate=rate))


def test_single_samples_can_be_pushed(recognizer: Recognizer, speak: Speak):
    samples = speak(1.3)
    agree(streamed(recognizer, samples, [1] * len(samples), hop=0.5, window=0.9),
          recognizer.timeline(samples, hop=0.5, window=0.9))  # fmt: skip


def test_each_window_is_scored_alone(recognizer: Recognizer, sound: np.ndarray):
    """What the recognizer says of the window as a recording of its own is what the timeline says of its middle."""
    timeline = recognizer.timeline(sound)
    for row in np.flatnonzero(~np.isnan(timeline.posteriors[:, 0])):
        window = sound[max(0, round(16_000 * (timeline.start[row] - 1))) : round(16_000 * (timeline.end[row] + 1))]
        alone = list(recognizer.predict(window).probabilities.values())
        np.testing.assert_allclose(timeline.posteriors[row], alone, atol=1e-4)


@pytest.mark.parametrize("rate", [16_000, 8_000, 44_100, 48_000])
@pytest.mark.parametrize(("window", "hop"), [(3, 1), (1, 1), (2, 0.5)])
def test_the_delay_is_what_it_is_said_to_be(recognizer: Recognizer, speak: Speak, rate: int, window: float, hop: float):
    stream = recognizer.stream(rate=rate, window=window, hop=hop)
    samples, step, received = speak(6, rate), rate // 100, 0
    assert stream.delay == pytest.approx((window + hop) / 2)
    for start in range(0, len(samples), step):
        received += len(samples[start : start + step])
        for found in stream.push(samples[start : start + step]):
            assert received / rate - found.start <= stream.delay + (0.12 if rate != 16_000 else 1e-9)
            assert received / rate - found.start > stream.delay - 0.011
    assert found.end >= 6 - hop - (window - hop) / 2 - 0.2


def test_integers_are_at_full_scale(recognizer: Recognizer, sound: np.ndarray):
    whole = (sound * 32768).astype(np.int16)
    agree(streamed(recognizer, whole, [7_000] * 30), recognizer.timeline(whole))


@pytest.mark.parametrize(
    ("chunk", "said"),
    [
        (np.zeros((2, 100)), "one channel"),
        (np.array([np.nan]), "NaN"),
        (np.full(9, 1000.0), "full scale"),
        (np.array(["a"]), "full scale"),
        (0.5, "one channel"),
    ],
)
def test_what_is_no_chunk_gets_one_sentence(recognizer: Recognizer, chunk: np.ndarray, said: str):
    with pytest.raises(InputError, match=said):
        recognizer.stream().push(chunk)


def test_a_stream_ends_once(recognizer: Recognizer):
    with pytest.raises(InputError, match="the stream: 10 samples per second"):
        recognizer.stream(rate=10)
    stream = recognizer.stream()
    assert stream.push(np.zeros(0)) == stream.finish() == []
    with pytest.raises(InputError, match="has ended"):
        stream.push(np.zeros(100))


def test_memory_does_not_grow_with_length(recognizer: Recognizer, speak: Speak, tmp_path: Path):
    """Ten minutes of every length take what two take, but for a kilobyte or two a second of answers."""

    def peak(minutes: int) -> int:
        path = tmp_path / f"{minutes}.wav"
        quiet = np.concatenate([speak(3), np.zeros(57 * 16_000, np.float32)])
        with soundfile.SoundFile(path, "w", 16_000, 1) as file:
            for _ in range(minutes):
                file.write(quiet)
        tracemalloc.start()
        timeline = recognizer.timeline(path)
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert timeline.duration == 60 * minutes
        assert timeline.speech.sum() / 100 == pytest.approx(3 * minutes, rel=0.1)
        return taken

    short, long = peak(2), peak(10)
    assert long - short < 480 * 2_000
    assert long < 40e6
