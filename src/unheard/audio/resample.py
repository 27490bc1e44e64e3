"""Any rate → 16 kHz, a chunk after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from unheard.audio.decode import Samples
from unheard.audio.sources import SAMPLE_RATE


class Resampler:
    """Takes a recording in chunks [samples] of any size; what it gives does not depend on how it was cut."""

    def __init__(self, rate: int) -> None:
        self._stream = None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32", "HQ")

    def push(self, chunk: Samples) -> Samples:
        """What can be said so far and was not said yet."""
        return chunk if self._stream is None else self._stream.resample_chunk(chunk)

    def finish(self) -> Samples:
        """The rest."""
        nothing = np.zeros(0, np.float32)
        return nothing if self._stream is None else self._stream.resample_chunk(nothing, last=True)


def resampled(blocks: Iterable[Samples], rate: int) -> Iterator[Samples]:
    """Blocks [samples] of ``rate`` → blocks of 16 kHz."""
    resampler = Resampler(rate)
    for block in blocks:
        yield resampler.push(block)
    yield resampler.finish()
