"""Segments cover a recording, frames are told of where there are some, and the smallest recordings have a timeline."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from unheard.errors import InputError
from unheard.recognizer import Recognizer
from unheard.timeline.stream import Window
from unheard.timeline.timeline import Timeline

Speak = Callable[..., np.ndarray]


def window(start: float, posteriors: list[float] | None, speech: slice = slice(None), threshold: float = 0.0) -> Window:
    frames = np.zeros(100, np.bool_)
    frames[speech] = posteriors is not None
    rows = None if posteriors is None else np.array([posteriors], np.float32)
    return Window(("angry", "sad"), start, start + 1, 1.0, frames, np.ones(100, np.float32), rows, threshold)


def test_segments_are_speech_with_one_emotion():
    timeline = Timeline.of([
        window(0, [0.9, 0.1], slice(30, 100)), window(1, [0.9, 0.1]), window(2, None), window(3, [0.02, 0.98]),
        window(4, [0.02, 0.98], slice(0, 50)),
    ])  # fmt: skip
    found = [(segment.start, segment.end, segment.emotion) for segment in timeline.segments]
    assert found == [(0, 0.3, None), (0.3, 2, "angry"), (2, 3, None), (3, 4.5, "sad"), (4.5, 5, None)]
    assert [segment.probability is None for segment in timeline.segments] == [True, False, True, False, True]
    assert timeline.segments[1].probability == pytest.approx(timeline.smoothed[:2, 0] @ [70, 100] / 170)


def test_segments_below_the_threshold_are_not_sure():
    told = [[0.9, 0.1], [0.55, 0.45], None, [0.02, 0.98]]
    timeline = Timeline.of([window(start, one, threshold=0.85) for start, one in enumerate(told)])
    found = [(segment.start, segment.end, segment.emotion, segment.verdict) for segment in timeline.segments]
    best = timeline.smoothed.max(1)
    assert best[0] < 0.85 <= best[3]  # what a window says alone is not what it says among others
    assert found == [(0, 2, None, "not sure"), (2, 3, None, "no speech"), (3, 4, "sad", "sad")]
    assert [segment.speech for segment in timeline.segments] == [True, False, True]
    assert timeline.segments[0].probability == pytest.approx(best[:2].mean())
    assert timeline.segments[1].probability is None
    alone = [window(0, one, threshold=0.85) for one in told]
    assert [one.verdict for one in alone] == ["angry", "not sure", "no speech", "sad"]


def test_segments_follow_each_other(recognizer: Recognizer, speak: Speak):
    sound = np.concatenate([np.zeros(20_000), speak(4.3), np.zeros(30_000)])
    timeline = recognizer.timeline(sound)
    segments = timeline.segments
    assert segments[0].start == 0
    assert segments[-1].end == timeline.duration == len(sound) / 16_000
    assert all(one.end == other.start for one, other in pairwise(segments))
    assert segments[0].emotion is segments[-1].emotion is None
    assert {segment.emotion for segment in segments[1:-1]} <= {"angry", "sad"}
    assert (segments[1].start, segments[-1].start) == pytest.approx((1.25, 5.55), abs=0.15)


@pytest.mark.parametrize("samples", [1, 159, 161, 16_000, 16_001, 48_000])
def test_silence_of_any_length_is_no_speech(recognizer: Recognizer, samples: int):
    timeline = recognizer.timeline(np.zeros(samples))
    (segment,) = timeline.segments
    assert (segment.start, segment.end, segment.emotion) == (0, samples / 16_000, None)
    assert np.isnan(timeline.posteriors).all()


@pytest.mark.parametrize("seconds", [0.3, 0.7, 1.0, 1.2, 2.9])
def test_a_short_recording_is_heard_whole(recognizer: Recognizer, speak: Speak, seconds: float):
    sound = speak(seconds)
    timeline = recognizer.timeline(sound)
    assert {segment.emotion for segment in timeline.segments} - {None}
    if seconds <= 1:
        alone = list(recognizer.predict(sound).probabilities.values())
        np.testing.assert_allclose(timeline.smoothed[0], alone, atol=1e-4)


def test_no_sound_gets_one_sentence(recognizer: Recognizer):
    for source in (np.zeros(0), b"", b"no sound", "no such file.wav"):
        with pytest.raises(InputError):
            recognizer.timeline(source)


def test_a_recognizer_with_segments_tells_of_frames(of_segments: Recognizer, speak: Speak):
    sound = speak(3.5)
    timeline, coarse = of_segments.timeline(sound, frames=True), of_segments.timeline(sound)
    assert len(timeline.start) == pytest.approx(100 * 3.5, abs=40)  # the network's context leaves some out
    assert len(coarse.start) == 4
    np.testing.assert_allclose(timeline.posteriors.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(timeline.speech, coarse.speech)
    assert timeline.posteriors.std(0).max() > 0


def test_frames_lie_where_they_are_heard(of_segments: Recognizer, speak: Speak):
    """What changes in one place changes the frames there, and those a frame's context away."""
    sound = speak(3)
    louder = sound.copy()
    louder[24_000:25_600] *= 3
    before, after = (of_segments.timeline(one, frames=True, window=3, hop=3).posteriors for one in (sound, louder))
    changed = np.flatnonzero(np.abs(before - after).max(1) > 1e-4)
    assert len(changed)
    assert changed.min() > 120
    assert changed.max() < 190


def test_without_segments_there_are_no_frames(recognizer: Recognizer):
    with pytest.raises(InputError, match="tells no emotion of frames"):
        recognizer.timeline(np.zeros(16_000), frames=True)
