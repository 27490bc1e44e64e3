"""From a path, bytes or an array to one waveform: 16 kHz, mono, float32, ±1."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from unheard.audio.decode import Decoder, Samples, open_decoder, opened
from unheard.errors import InputError

#: Samples per second of every waveform in this package.
SAMPLE_RATE = 16_000
#: A channel with less than this part of the loudest channel's energy (−60 dB) is silent.
SILENT = 1e-6
#: An end may lie this far (seconds) behind the end of the recording: labels are often rounded to tenths.
ROUNDED = 0.1
#: Samples per second of what can be speech; others come from broken headers.
RATES = (1_000, 1_000_000)
#: Beyond this, samples are not on a scale of ±1 (floating-point recordings do reach a few times full scale).
PEAK = 32.0


def read_audio(
    source: str | Path | bytes | npt.NDArray[Any],
    *,
    rate: int | None = None,
    start: float | None = None,
    end: float | None = None,
    limit: float = 3600.0,
) -> Samples:
    """Read a recording, or a part of it, as a waveform [samples] of 16 kHz mono float32 at a scale of ±1.

    The content decides what a file is, not its extension. Samples beyond ±1 (which floating-point files and
    resampling bring about) are not clipped.

    Several channels become their mean. Channels that are silent (−60 dB below the loudest) do not count, so that a
    voice on one of six channels keeps its level. Where the sum has less than half the energy of the loudest channel
    alone, the channels cancel each other (as in anti-phase stereo) and the loudest is taken; channels that are
    independent of each other, such as the two sides of a telephone call, add up to more than either and never meet
    this rule. Both rules look at the part that is read.

    Args:
        source: Path, the bytes of a file, or samples: [samples] or [channels, samples], floating-point at a scale of
            ±1 or integers of at most 32 bits at full scale.
        rate: Samples per second of an array, 16,000 by default; a file brings its own.
        start: Where the part begins, in seconds; the beginning by default.
        end: Where the part ends, in seconds; the end of the recording by default.
        limit: How many seconds may be decoded at most; it guards the memory against small files of long silence.

    Raises:
        InputError: the source cannot be read, is damaged, cut off, empty, not finite or longer than ``limit``.

    >>> samples = np.sin(2 * np.pi * 440 / 8_000 * np.arange(8_000))
    >>> read_audio(samples, rate=8_000).shape
    (16000,)
    >>> read_audio(np.stack([samples, -samples]), rate=8_000, start=0.25, end=0.75).std().round(3)
    np.float32(0.707)
    """
    with _decoder(source, rate) as (decoder, name):
        begin = _check_part(start, end, limit, name)
        # Whole seconds are where the sampling grids of any two rates meet. Reading a second more on either side makes
        # a part equal the slice of the whole recording.
        first = max(0, math.floor(begin) - 1)
        stop = None if end is None else math.ceil(end) + 1
        if end is None and decoder.frames is not None and decoder.frames / decoder.rate - begin > limit:
            raise _too_long(name, limit)
        most = limit + begin - first if end is None else math.inf
        waveform = _mono(decoder, first, stop, most, name, limit)
    return _part(waveform, first, begin, end, name)


def duration(source: str | Path | bytes, *, limit: float = 3600.0) -> float:
    """Seconds of a recording, from its header where that says it; otherwise it is decoded.

    Raises:
        InputError: as :func:`read_audio`.
    """
    with _decoder(source, None) as (decoder, name):
        if decoder.frames is not None:
            return decoder.frames / decoder.rate
        frames = 0
        for block in decoder.blocks(0, None):
            frames += len(block)
            if frames > limit * decoder.rate:
                raise _too_long(name, limit)
        return frames / decoder.rate


@contextmanager
def _decoder(source: str | Path | bytes | npt.NDArray[Any], rate: int | None) -> Iterator[tuple[Decoder, str]]:
    if isinstance(source, np.ndarray):
        yield _with_sound_rate(_ArrayDecoder(source, SAMPLE_RATE if rate is None else rate), "the array"), "the array"
    elif not isinstance(source, (str, Path, bytes)):
        raise InputError(f"audio is a path, bytes or a numpy array, not {type(source).__name__}")
    elif rate is not None:
        raise InputError("a rate is only given with an array; a file brings its own")
    else:
        with opened(source) as (file, name):
            yield _with_sound_rate(open_decoder(file, name), name), name


def _with_sound_rate(decoder: Decoder, name: str) -> Decoder:
    if not RATES[0] <= decoder.rate <= RATES[1]:
        allowed = f"expected are {RATES[0]} to {RATES[1]}"
        raise InputError(f"{name}: {decoder.rate} samples per second is no rate of a recording; {allowed}")
    return decoder


class _ArrayDecoder:
    """Samples that are decoded already."""

    def __init__(self, array: npt.NDArray[Any], rate: int) -> None:
        if not isinstance(rate, (int, np.integer)):
            raise InputError(f"the array: its rate must be a whole number of samples per second, not {rate}")
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
        self.rate = int(rate)
        self.frames: int | None = self._array.shape[1]

    def blocks(self, first: int, stop: int | None) -> Iterator[Samples]:
        part = self._array[:, first:stop].T
        if part.dtype.kind == "f":
            yield part.astype(np.float32)
        else:
            half = 2.0 ** (8 * part.dtype.itemsize - 1)
            yield ((part - (half if part.dtype.kind == "u" else 0.0)) / half).astype(np.float32)


def _check_part(start: float | None, end: float | None, limit: float, name: str) -> float:
    begin = 0.0 if start is None else float(start)
    if not (math.isfinite(begin) and begin >= 0):
        raise InputError(f"{name}: a part starts at 0 seconds or later, not at {start}")
    if end is not None and not (math.isfinite(end) and end > begin):
        raise InputError(f"{name}: a part that starts at {begin:g} s must end after that, not at {end:g} s")
    if end is not None and end - begin > limit:
        raise _too_long(name, limit)
    return begin


def _mono(decoder: Decoder, first: int, stop: int | None, most: float, name: str, limit: float) -> Samples:
    """The part from the whole seconds ``first`` to ``stop`` as one channel at 16 kHz; of ``most`` seconds at most."""

    def blocks() -> Iterator[Samples]:
        frames = 0
        for block in decoder.blocks(first * decoder.rate, None if stop is None else stop * decoder.rate):
            frames += len(block)
            if frames > most * decoder.rate:
                raise _too_long(name, limit)
            if len(block):
                yield block

    energies = np.zeros(1)
    energy_of_sum = 0.0

    def sums() -> Iterator[Samples]:
        nonlocal energies, energy_of_sum
        for block in blocks():
            if block.shape[1] == 1:
                yield block[:, 0]
                continue
            mixed = block @ np.ones(block.shape[1], np.float32)
            energies = energies + [float(channel @ channel) for channel in block.T]
            energy_of_sum += float(mixed @ mixed)
            yield mixed

    with np.errstate(over="ignore", invalid="ignore"):
        waveform = _resampled(sums(), decoder.rate)
        loudest = float(energies.max())
        if energy_of_sum < loudest / 2:
            channel = int(energies.argmax())
            return _resampled((np.ascontiguousarray(block[:, channel]) for block in blocks()), decoder.rate)
        heard = max(1, int(np.count_nonzero(energies > SILENT * loudest)))
        return np.divide(waveform, heard, dtype=np.float32)


def _resampled(blocks: Iterator[Samples], rate: int) -> Samples:
    if rate != SAMPLE_RATE:
        stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
        pieces = [stream.resample_chunk(block) for block in blocks]
        pieces.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    else:
        pieces = list(blocks)
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _part(waveform: Samples, first: int, begin: float, end: float | None, name: str) -> Samples:
    """Cut the part out of what was read from the second ``first`` on, and see that it is sound."""
    seconds = first + len(waveform) / SAMPLE_RATE
    if len(waveform) == 0 and begin == 0:
        raise InputError(f"{name}: there is not a single sample in it; copy or download it again")
    if begin >= seconds:
        raise InputError(f"{name}: the part from {begin:g} s on lies behind its end; correct the start")
    if end is not None and end > seconds + ROUNDED:
        raise InputError(f"{name}: the part up to {end:g} s reaches beyond its end at {seconds:.3f} s; correct the end")
    stop = None if end is None else round((end - first) * SAMPLE_RATE)
    part = np.ascontiguousarray(waveform[round((begin - first) * SAMPLE_RATE) : stop], dtype=np.float32)
    if len(part) == 0:
        raise InputError(f"{name}: the part from {begin:g} s on holds not a single sample; correct start and end")
    peak = float(np.abs(part).max())
    if not math.isfinite(peak):
        raise InputError(f"{name}: it holds samples that are no numbers (NaN or infinite); repair or remove it")
    if peak > PEAK:
        raise InputError(f"{name}: its samples reach {peak:g}, but full scale is ±1; divide 16-bit samples by 32768")
    return part


def _too_long(name: str, limit: float) -> InputError:
    return InputError(f"{name}: it is longer than the limit of {limit:g} s; read a part of it, or raise the limit")
