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
from unheard.timeline.verdict import verdict

#: What stands in the place of an emotion's number.
_NOT_SURE, _NO_SPEECH = -1, -2


@dataclass(frozen=True)
class Segment:
    """A part of a recording, in seconds, with one emotion, and its mean smoothed probability.

    Where it is not sure which, there is no emotion, and the probability is that of the surest; without speech there is
    none either.
    """

    start: float
    end: float
    emotion: str | None
    probability: float | None

    @property
    def speech(self) -> bool:
        """Whether there is some."""
        return self.probability is not None

    @property
    def verdict(self) -> str:
        """The emotion, ``not sure`` or ``no speech``."""
        return verdict(self.emotion, self.speech)


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
        threshold: an emotion that is less probable is not named.
    """

    emotions: tuple[str, ...]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    posteriors: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    speech: NDArray[np.bool_]
    peaks: NDArray[np.float32]
    threshold: float = 0.0

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
            windows[0].threshold,
        )

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.end[-1])

    @cached_property
    def segments(self) -> list[Segment]:
        """From the beginning to the end without a gap: parts of one emotion, to 10 ms, unsure ones, and silent ones.

        The emotion at any time is the one that is surest after smoothing, if it is sure enough.
        """
        times = (np.arange(len(self.speech)) + 0.5) / 100
        row = np.searchsorted(self.end, times).clip(max=len(self.end) - 1)
        best = self.smoothed.max(1)
        named = np.where(best >= self.threshold, self.smoothed.argmax(1), _NOT_SURE)
        state = np.where(self.speech, named[row], _NO_SPEECH)
        changes = [0, *(np.flatnonzero(np.diff(state)) + 1).tolist(), len(state)]
        found = []
        for first, stop in pairwise(changes):
            number = int(state[first])
            end = self.duration if stop == len(state) else stop / 100
            probability = None if number == _NO_SPEECH else float(best[row[first:stop]].mean())
            found.append(Segment(first / 100, end, None if number < 0 else self.emotions[number], probability))
        return found
