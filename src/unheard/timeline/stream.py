"""A recording as it comes in: chunks of any size in, the posteriors of each window out as soon as they are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unheard.audio import SAMPLE_RATE
from unheard.audio.read import check_samples
from unheard.audio.resample import Resampler
from unheard.audio.sources import ArrayDecoder, check_rate
from unheard.errors import InputError
from unheard.timeline.activity import FRAME
from unheard.timeline.score import Score
from unheard.timeline.verdict import surest, verdict
from unheard.timeline.windows import HOP, WINDOW, Cut, Cutter

#: Windows that are scored together.
BATCH = 32


@dataclass(frozen=True)
class Window:
    """What is heard in one stretch of a recording, judged by the window around it and by nothing else.

    Attributes:
        emotions: the classes.
        start: where the stretch begins, in seconds.
        end: where it ends.
        heard: seconds of the window, fewer where the recording begins or ends.
        speech: whether there is speech in each 10 ms of the stretch.
        peaks: the largest magnitude of a sample in each 10 ms.
        posteriors: [rows, emotions], one row, or one for each frame of the stretch; None where there is no speech.
        threshold: an emotion that is less probable is not named.
    """

    emotions: tuple[str, ...]
    start: float
    end: float
    heard: float
    speech: NDArray[np.bool_]
    peaks: NDArray[np.float32]
    posteriors: NDArray[np.float32] | None
    threshold: float = 0.0

    @property
    def probabilities(self) -> dict[str, float] | None:
        """Of each emotion, on average over the stretch; None where there is no speech."""
        if self.posteriors is None:
            return None
        return {name: float(value) for name, value in zip(self.emotions, self.posteriors.mean(0), strict=True)}

    @property
    def emotion(self) -> str | None:
        """The surest one; None where it is not sure enough, and where there is no speech."""
        probabilities = self.probabilities
        return None if probabilities is None else surest(probabilities, self.threshold)

    @property
    def verdict(self) -> str:
        """The emotion, ``not sure`` or ``no speech``."""
        return verdict(self.emotion, self.posteriors is not None)


class Stream:
    """Takes samples of one channel in chunks of any size, and gives each window once, in order.

    A window's numbers are the same however the samples were cut into chunks.

    Args:
        score: what judges windows.
        emotions: the classes.
        rate: samples per second of what comes in; other rates than 16,000 are resampled on the way.
        window: seconds that each judgement hears.
        hop: seconds from one to the next.
        threshold: an emotion that is less probable is not named.
    """

    def __init__(
        self,
        score: Score,
        emotions: tuple[str, ...],
        *,
        rate: int = SAMPLE_RATE,
        window: float = WINDOW,
        hop: float = HOP,
        threshold: float = 0.0,
    ) -> None:
        self.emotions = emotions
        self.threshold = threshold
        self.rate = check_rate(rate, "the stream")
        self._score = score
        self._cutter = Cutter(window, hop)
        self._resampler = Resampler(self.rate)
        self._position = 0
        self._ended = False

    @property
    def delay(self) -> float:
        """Seconds after which a sound is judged at the latest: (window + hop) / 2, which is 2 s by default.

        It has been judged once the window of its stretch is complete. Computing comes on top, and resampling, which
        takes 0.04 s at 44.1 and 48 kHz and 0.12 s at 8 kHz.
        """
        return (self._cutter.hop + self._cutter.margin) / SAMPLE_RATE

    def push(self, chunk: NDArray[Any]) -> list[Window]:
        """The windows that these samples [samples] complete: in ±1, or integers at full scale.

        Raises:
            InputError: the samples are of several channels, not finite or on another scale, or the stream has ended.
        """
        if self._ended:
            raise InputError("the stream has ended, and takes no more samples; begin another")
        if np.ndim(chunk) != 1:
            raise InputError("a stream takes the samples of one channel, [samples]; take the mean of several")
        windows = []
        for block in ArrayDecoder(np.asarray(chunk), self.rate).blocks(0, None):
            check_samples(block, "the stream")
            windows += self._judged(self._cutter.push(self._resampler.push(block[:, 0])))
        return windows

    def finish(self) -> list[Window]:
        """The windows that the end cuts off."""
        self._ended = True
        rest = self._cutter.push(self._resampler.finish())
        return self._judged([*rest, *self._cutter.finish()])

    def _judged(self, cuts: Sequence[Cut]) -> list[Window]:
        speech = [cut.speech for cut in cuts]
        spoken = [index for index, frames in enumerate(speech) if frames.any()]
        posteriors: dict[int, NDArray[np.float32]] = {}
        for start in range(0, len(spoken), BATCH):
            batch = spoken[start : start + BATCH]
            posteriors |= dict(zip(batch, self._score([cuts[index] for index in batch]), strict=True))
        windows = []
        for index, cut in enumerate(cuts):
            start, self._position = self._position, self._position + cut.stop - cut.first
            stretch = np.abs(cut.window[cut.first : cut.stop])
            windows.append(
                Window(
                    self.emotions,
                    start / SAMPLE_RATE,
                    self._position / SAMPLE_RATE,
                    len(cut.window) / SAMPLE_RATE,
                    speech[index],
                    np.maximum.reduceat(stretch, np.arange(0, len(stretch), FRAME)),
                    posteriors.get(index),
                    self.threshold,
                )
            )
        return windows
