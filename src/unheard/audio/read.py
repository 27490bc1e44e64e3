"""From a path, bytes or an array to one waveform: 16 kHz, mono, float32, ±1."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unheard.audio.channels import Channels
from unheard.audio.decode import Decoder, Samples
from unheard.audio.resample import resampled
from unheard.audio.sources import SAMPLE_RATE, open_source
from unheard.errors import InputError

#: An end may lie this far (seconds) behind the end of the recording: labels are often rounded to tenths.
ROUNDED = 0.1
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
    with open_source(source, rate) as (decoder, name):
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
    with open_source(source, None) as (decoder, name):
        if decoder.frames is not None:
            return decoder.frames / decoder.rate
        frames = 0
        for block in decoder.blocks(0, None):
            frames += len(block)
            if frames > limit * decoder.rate:
                raise _too_long(name, limit)
        return frames / decoder.rate


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

    channels = Channels()
    with np.errstate(over="ignore", invalid="ignore"):
        waveform = _joined(resampled(map(channels.sum, blocks()), decoder.rate))
        if channels.cancel:
            one = (np.ascontiguousarray(block[:, channels.loudest]) for block in blocks())
            return _joined(resampled(one, decoder.rate))
        return np.divide(waveform, channels.heard, dtype=np.float32)


def _joined(blocks: Iterable[Samples]) -> Samples:
    return np.concatenate([np.zeros(0, np.float32), *blocks])


def _part(waveform: Samples, first: int, begin: float, end: float | None, name: str) -> Samples:
    """Cut the part out of what was read from the second ``first`` on, and see that it is sound."""
    seconds = first + len(waveform) / SAMPLE_RATE
    if len(waveform) == 0 and begin == 0:
        raise nothing_in(name)
    if begin >= seconds:
        raise InputError(f"{name}: the part from {begin:g} s on lies behind its end; correct the start")
    if end is not None and end > seconds + ROUNDED:
        raise InputError(f"{name}: the part up to {end:g} s reaches beyond its end at {seconds:.3f} s; correct the end")
    stop = None if end is None else round((end - first) * SAMPLE_RATE)
    part = np.ascontiguousarray(waveform[round((begin - first) * SAMPLE_RATE) : stop], dtype=np.float32)
    if len(part) == 0:
        raise InputError(f"{name}: the part from {begin:g} s on holds not a single sample; correct start and end")
    check_samples(part, name)
    return part


def check_samples(waveform: Samples, name: str) -> None:
    """See that samples are on a scale of ±1.

    Raises:
        InputError: they are not finite, or so large that they must be on another scale.
    """
    peak = float(np.abs(waveform).max(initial=0))
    if not math.isfinite(peak):
        raise InputError(f"{name}: it holds samples that are no numbers (NaN or infinite); repair or remove it")
    if peak > PEAK:
        raise InputError(f"{name}: its samples reach {peak:g}, but full scale is ±1; divide 16-bit samples by 32768")


def nothing_in(name: str) -> InputError:
    """What is said of a recording without a sample."""
    return InputError(f"{name}: there is not a single sample in it; copy or download it again")


def _too_long(name: str, limit: float) -> InputError:
    return InputError(f"{name}: it is longer than the limit of {limit:g} s; read a part of it, or raise the limit")
