"""The emotion over the time of one recording: windows, what is smoothed over them, and segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unheard.timeline.activity import tidied
from unheard.timeline.smoothing import smoothed
from unheard.timeline.stream import Window


@dataclass(frozen=True)
class Segment:
    """A part of a recording, in seconds, with one emotion, and its mean smoothed probability; None is no speech."""

    start: float
    end: float
    emotion: str | None
    probability: float | None


@dataclass(frozen=True)
class Timeline:
    """One recording.

    Attributes:
        emotions: the classes.
        start: where each row begins, in seconds, [rows]: a stretch of one hop, or a frame.
        end: where each row ends, [rows]; it is where the next one begins.
        posteriors: of each row by its window alone, [rows, emotions]; NaN where there is no speech.
        smoothed: given the whole recording, [rows, emotions]; also where there is no speech.
        speech: whether there is speech in each 10 ms.
        peaks: the largest magnitude of a sample in each 10 ms.
    """

    emotions: tuple[str, ...]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    posteriors: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    speech: NDArray[np.bool_]
    peaks: NDArray[np.float32]

    @classmethod
    def of(cls, windows: Sequence[Window]) -> Timeline:
        """The timeline of a recording from all its windows."""
        emotions = windows[0].emotions
        rows = [
            np.full((1, len(emotions)), np.nan) if window.posteriors is None else window.posteriors.astype(np.float64)
            for window in windows
        ]
        edges = [np.linspace(window.start, window.end, len(row) + 1) for window, row in zip(windows, rows, strict=True)]
        start, end = (np.concatenate([edge[part] for edge in edges]) for part in (slice(-1), slice(1, None)))
        posteriors = np.concatenate(rows)
        heard = np.repeat([window.heard for window in windows], [len(row) for row in rows])
        return cls(
            emotions,
            start,
            end,
            posteriors,
            smoothed(posteriors, end - start, heard),
            tidied(np.concatenate([window.speech for window in windows])),
            np.concatenate([window.peaks for window in windows]),
        )

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.end[-1])

    @cached_property
    def segments(self) -> list[Segment]:
        """From the beginning to the end without a gap: parts of one emotion, to 10 ms, and parts without speech.

        The emotion at any time is the one that is surest after smoothing.
        """
        times = (np.arange(len(self.speech)) + 0.5) / 100
        row = np.searchsorted(self.end, times).clip(max=len(self.end) - 1)
        state = np.where(self.speech, self.smoothed.argmax(1)[row], -1)
        changes = [0, *(np.flatnonzero(np.diff(state)) + 1).tolist(), len(state)]
        found = []
        for first, stop in pairwise(changes):
            emotion = int(state[first])
            end = self.duration if stop == len(state) else stop / 100
            if emotion < 0:
                found.append(Segment(first / 100, end, None, None))
            else:
                probability = float(self.smoothed[row[first:stop], emotion].mean())
                found.append(Segment(first / 100, end, self.emotions[emotion], probability))
        return found
