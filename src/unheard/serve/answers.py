"""What the service answers, as OpenAPI describes it."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, Field

from unheard.timeline.stream import Window
from unheard.timeline.timeline import Timeline
from unheard.timeline.verdict import surest, verdict

#: Values of 10 ms that become one in a picture of the waveform.
PEAKS = 5

Probabilities = dict[str, float]
VERDICT: Any = Field(description='The emotion, "not sure" or "no speech".')
EMOTION: Any = Field(description="The surest one; null where it is not sure enough, and where there is no speech.")


class HeardWindow(BaseModel):
    """What is heard in a stretch of a recording, by the window around it alone."""

    start: float = Field(description="Seconds.")
    end: float
    emotion: str | None = EMOTION
    verdict: str = VERDICT
    probabilities: Probabilities | None = Field(description="null where there is no speech.")

    @classmethod
    def of(cls, window: Window) -> HeardWindow:
        """As JSON says it."""
        found = window.probabilities
        probabilities = None if found is None else {name: round(value, 6) for name, value in found.items()}
        return cls(
            start=window.start,
            end=window.end,
            emotion=window.emotion,
            verdict=window.verdict,
            probabilities=probabilities,
        )


class TimelineWindow(HeardWindow):
    """The same in a whole recording."""

    smoothed: Probabilities = Field(description="Probabilities given the whole recording.")


class HeardSegment(BaseModel):
    """A part of a recording with one emotion."""

    start: float = Field(description="Seconds.")
    end: float
    emotion: str | None = EMOTION
    verdict: str = VERDICT
    probability: float | None = Field(
        description="Mean of the smoothed one, of the surest where it is not sure; null where there is no speech."
    )


class HeardTimeline(BaseModel):
    """Emotion over time."""

    windows: list[TimelineWindow]
    segments: list[HeardSegment] = Field(description="Without a gap, from the beginning to the end.")
    peaks: list[float] = Field(description="The largest magnitude of a sample in each 50 ms.")

    @classmethod
    def of(cls, timeline: Timeline) -> HeardTimeline:
        """As JSON says it."""
        windows = []
        rows = zip(timeline.start, timeline.end, timeline.posteriors, timeline.smoothed, strict=True)
        for start, end, posteriors, smoothed in rows:
            silent = bool(np.isnan(posteriors).any())
            found = dict(zip(timeline.emotions, posteriors.tolist(), strict=True))
            emotion = None if silent else surest(found, timeline.threshold)
            windows.append(
                TimelineWindow(
                    start=float(start),
                    end=float(end),
                    emotion=emotion,
                    verdict=verdict(emotion, not silent),
                    probabilities=None if silent else _named(timeline.emotions, posteriors),
                    smoothed=_named(timeline.emotions, smoothed),
                )
            )
        segments = [
            HeardSegment(
                start=one.start, end=one.end, emotion=one.emotion, verdict=one.verdict, probability=one.probability
            )
            for one in timeline.segments
        ]
        peaks = np.maximum.reduceat(timeline.peaks, np.arange(0, len(timeline.peaks), PEAKS))
        return cls(windows=windows, segments=segments, peaks=[round(float(peak), 4) for peak in peaks])


class Answer(BaseModel):
    """What is heard in one recording."""

    emotion: str | None = EMOTION
    verdict: str = VERDICT
    probabilities: Probabilities = Field(description="They mean nothing where there is no speech.")
    duration: float = Field(description="Seconds.")
    timeline: HeardTimeline | None = Field(default=None, description="Where it was asked for.")


class Limits(BaseModel):
    """What the service takes."""

    max_bytes: int = Field(description="Of the body of one request.")
    max_seconds: float = Field(description="Of one recording, and of one stream.")
    max_requests: int = Field(description="At the same time.")
    max_streams: int = Field(description="At the same time.")
    body_timeout: float = Field(description="Seconds in which a body must arrive, one more for every 50 kB of it.")
    request_timeout: float = Field(description="Seconds in which a recording must be recognized once it is there.")
    idle_timeout: float = Field(description="Seconds that a stream may say nothing.")


class About(BaseModel):
    """The recognizer behind the service."""

    name: str
    version: str = Field(description="Of unheard.")
    emotions: list[str]
    card: str = Field(description="The model card, in Markdown.")
    trained_on: dict[str, Any]
    limits: Limits


class Status(BaseModel):
    """How the service is."""

    status: str


def _named(emotions: tuple[str, ...], values: Any) -> Probabilities:
    return {name: round(float(value), 6) for name, value in zip(emotions, values, strict=True)}
