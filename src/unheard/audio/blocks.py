"""A recording of any length as blocks of one waveform, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unheard.audio.channels import Channels
from unheard.audio.decode import Decoder, Samples
from unheard.audio.read import check_samples, nothing_in
from unheard.audio.resample import resampled
from unheard.audio.sources import open_source


def read_blocks(source: str | Path | bytes | npt.NDArray[Any], *, rate: int | None = None) -> Iterator[Samples]:
    """What :func:`~unheard.audio.read.read_audio` makes of a whole recording, in blocks [samples] of about a minute.

    A recording of several channels is decoded twice: what each channel holds is known at its end.

    Args:
        source: path, the bytes of a file, or samples: [samples] or [channels, samples].
        rate: samples per second of an array, 16,000 by default; a file brings its own.

    Raises:
        InputError: as :func:`~unheard.audio.read.read_audio`, at the block where it shows.
    """
    with open_source(source, rate) as (decoder, name):
        found = False
        for block in resampled(_mono(decoder), decoder.rate):
            check_samples(block, name)
            if len(block):
                found = True
                yield block
        if not found:
            raise nothing_in(name)


def _mono(decoder: Decoder) -> Iterator[Samples]:
    first = next(decoder.blocks(0, None), None)
    if first is None:
        return
    weights = _weights(decoder) if first.shape[1] > 1 else np.ones(1, np.float32)
    del first
    for block in decoder.blocks(0, None):
        with np.errstate(over="ignore", invalid="ignore"):
            mixed: Samples = block @ weights
        yield mixed


def _weights(decoder: Decoder) -> Samples:
    """What each channel counts in the mean."""
    channels = Channels()
    count = 1
    with np.errstate(over="ignore", invalid="ignore"):
        for block in decoder.blocks(0, None):
            channels.sum(block)
            count = block.shape[1]
    if channels.cancel:
        return np.asarray(np.arange(count) == channels.loudest, dtype=np.float32)
    return np.full(count, 1 / channels.heard, np.float32)
