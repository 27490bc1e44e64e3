"""Where windows lie: a recording is cut into stretches of one hop, and each is judged by the window around it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unheard.audio.decode import Samples
from unheard.errors import InputError
from unheard.timeline.activity import FRAME, speech_frames

#: Seconds of a window, and from one to the next.
WINDOW, HOP = 3.0, 1.0


@dataclass(frozen=True)
class Cut:
    """A window's samples, and from where to where within them the stretch lies that it is to judge."""

    window: Samples
    first: int
    stop: int

    @property
    def speech(self) -> NDArray[np.bool_]:
        """Whether there is speech in each 10 ms of the stretch."""
        return speech_frames(self.window)[self.first // FRAME : -(-self.stop // FRAME)]


class Cutter:
    """Takes a waveform of 16 kHz in chunks of any size and gives every window once its last sample is there.

    Stretch k is ``hop`` seconds long and begins at k · hop. Its window has it in the middle and is cut off where the
    recording begins and ends; the last stretch ends with the recording. So every sample lies in one stretch, and where
    a window lies does not depend on the chunks.

    Args:
        window: Seconds of a window.
        hop: Seconds of a stretch.

    Raises:
        InputError: the stretch is longer than the window, or they do not lie on frames of 10 ms.

    >>> cutter = Cutter(3, 1)
    >>> [len(cut.window) / 16000 for cut in [*cutter.push(np.zeros(70_000)), *cutter.finish()]]
    [2.0, 3.0, 3.0, 2.375, 1.375]
    """

    def __init__(self, window: float, hop: float) -> None:
        frames = np.rint([100 * window, 100 * hop])
        sound = 0 < frames[1] <= frames[0] < math.inf and (frames[0] - frames[1]) % 2 == 0
        if not (sound and np.allclose(frames, [100 * window, 100 * hop])):
            raise InputError(
                f"a window of {window:g} s every {hop:g} s cannot be had: both are multiples of 0.01 s, and the window "
                "is as long as the hop, or longer by a multiple of 0.02 s; take for example 3 and 1"
            )
        self.hop = int(frames[1]) * FRAME
        self.margin = int(frames[0] - frames[1]) // 2 * FRAME
        self._chunks: list[Samples] = []  # what is still needed, from sample ``_begin`` up to ``_end``
        self._begin = self._end = 0
        self._next = 0  # where the next stretch begins

    def push(self, waveform: Samples) -> list[Cut]:
        """The windows that these samples complete."""
        self._chunks.append(waveform)
        self._end += len(waveform)
        return self._cuts(self._end - self.hop - self.margin)

    def finish(self) -> list[Cut]:
        """The windows that the end cuts off."""
        return self._cuts(self._end - 1)

    def _cuts(self, last: int) -> list[Cut]:
        """The windows of the stretches that begin up to sample ``last``."""
        if self._next > last:
            return []
        waveform = np.concatenate(self._chunks)
        cuts = []
        while self._next <= last:
            stop = min(self._end, self._next + self.hop)
            start = max(0, self._next - self.margin)
            window = waveform[start - self._begin : stop + self.margin - self._begin]
            cuts.append(Cut(window, self._next - start, stop - start))
            self._next += self.hop
        begin = max(0, self._next - self.margin)
        self._chunks, self._begin = [waveform[begin - self._begin :].copy()], begin
        return cuts


def has_speech(waveform: Samples) -> bool:
    """Whether there is speech in any window of a recording [samples], so that its timeline has some."""
    cutter = Cutter(WINDOW, HOP)
    return any(cut.speech.any() for cut in [*cutter.push(waveform), *cutter.finish()])
