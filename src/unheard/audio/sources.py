"""What a recording may come as: a path, the bytes of a file, or samples in an array, each as a decoder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unheard.audio.decode import BLOCK, Decoder, Samples, open_decoder, opened
from unheard.errors import InputError

#: Samples per second of every waveform in this package.
SAMPLE_RATE = 16_000
#: Samples per second of what can be speech; others come from broken headers.
RATES = (1_000, 1_000_000)


@contextmanager
def open_source(source: str | Path | bytes | npt.NDArray[Any], rate: int | None) -> Iterator[tuple[Decoder, str]]:
    """The decoder of a recording, and what error sentences call it; ``rate`` (Hz, 16,000 by default) is of an array.

    Raises:
        InputError: it cannot be read, or is no recording.
    """
    if isinstance(source, np.ndarray):
        yield _with_sound_rate(ArrayDecoder(source, SAMPLE_RATE if rate is None else rate), "the array"), "the array"
    elif not isinstance(source, (str, Path, bytes)):
        raise InputError(f"audio is a path, bytes or a numpy array, not {type(source).__name__}")
    elif rate is not None:
        raise InputError("a rate is only given with an array; a file brings its own")
    else:
        with opened(source) as (file, name):
            yield _with_sound_rate(open_decoder(file, name), name), name


def _with_sound_rate(decoder: Decoder, name: str) -> Decoder:
    check_rate(decoder.rate, name)
    return decoder


def check_rate(rate: int, name: str) -> int:
    """The rate, if it can be that of a recording.

    Raises:
        InputError: it is not a whole number of samples per second, or none that a recording has.
    """
    if not isinstance(rate, (int, np.integer)):
        raise InputError(f"{name}: its rate must be a whole number of samples per second, not {rate}")
    if not RATES[0] <= rate <= RATES[1]:
        allowed = f"expected are {RATES[0]} to {RATES[1]}"
        raise InputError(f"{name}: {rate} samples per second is no rate of a recording; {allowed}")
    return int(rate)


class ArrayDecoder:
    """Samples that are decoded already."""

    def __init__(self, array: npt.NDArray[Any], rate: int) -> None:
        if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[0] > array.shape[1] > 0):
            shape = " × ".join(map(str, array.shape)) or "a single number"
            raise InputError(
                f"the array: its shape must be [samples] or [channels, samples], not {shape}; transpose it?"
            )
        whole = array.dtype.kind in "iu"
        if (whole and array.dtype.itemsize > 4) or not (whole or array.dtype.kind == "f"):
            raise InputError(
                f"the array: {array.dtype} samples have no known full scale; "
                "give floating-point samples at a scale of ±1, or integers of at most 32 bits"
            )
        self._array = np.atleast_2d(array)
        self.rate = rate
        self.frames: int | None = self._array.shape[1]

    def blocks(self, first: int, stop: int | None) -> Iterator[Samples]:
        """See :meth:`Decoder.blocks`."""
        part = self._array[:, first:stop]
        size = max(1, BLOCK // len(part)) if len(part) else 1
        for start in range(0, part.shape[1], size):
            yield _in_full_scale(part[:, start : start + size].T)


def _in_full_scale(block: npt.NDArray[Any]) -> Samples:
    """Numbers of any kind → float32 at a scale of ±1."""
    if block.dtype.kind == "f":
        return block.astype(np.float32)
    half = 2.0 ** (8 * block.dtype.itemsize - 1)
    scaled: Samples = ((block - (half if block.dtype.kind == "u" else 0.0)) / half).astype(np.float32)
    return scaled
