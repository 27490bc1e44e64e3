"""Speech or not, every 10 ms, by energy alone.

It finds what is loud enough, rises and falls as speech does, and lasts. Hum and steady noise are no speech; music, and
other things that rise and fall, are taken for some.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unheard.audio import SAMPLE_RATE

#: Samples of a frame: 10 ms.
FRAME = SAMPLE_RATE // 100
#: What stays below this level (dB relative to a root mean square of 1) is silence.
FAINTEST = -70.0
#: Speech is so many dB louder than its pauses. The level of steady noise varies by 1 dB, of rumble by 7.
RISE = 9.0
#: Pauses that lie lower than this below the loudest (dB) count as if they did not: a digital silence says nothing.
DEEPEST = 60.0
#: Seconds: a shorter sound is a click, and a shorter pause belongs to speech.
SHORTEST_SOUND, SHORTEST_PAUSE = 0.1, 0.3


def speech_frames(waveform: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether there is speech in each frame of 10 ms of samples in ±1; the last frame may be a shorter one.

    The level of a frame is that of the 30 ms around it. With the level L that the loudest tenth of a second reaches
    and the level Q of the quietest tenth of all frames, there is speech if L is above −70 dB and at least 9 dB above Q:
    in the frames above Q + (L − Q) / 3. Pauses below 0.3 s are filled, and then sounds below 0.1 s dropped. Only these
    samples count, so that the answer is the same wherever they come from.
    """
    levels = _levels(waveform)
    least = round(SHORTEST_SOUND * 100)
    if len(levels) < least:
        return np.zeros(len(levels), np.bool_)
    ranked = np.sort(levels)
    loud = ranked[-least]
    quiet = max(ranked[len(ranked) // 10], loud - DEEPEST)
    if loud < FAINTEST or loud - quiet < RISE:
        return np.zeros(len(levels), np.bool_)
    return tidied(levels > quiet + (loud - quiet) / 3)


def tidied(active: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Frames [time] without pauses shorter than 0.3 s between sounds, and then without sounds shorter than 0.1 s."""
    active = active.copy()
    for start, end in runs(~active):
        if start > 0 and end < len(active) and end - start < round(SHORTEST_PAUSE * 100):
            active[start:end] = True
    for start, end in runs(active):
        if end - start < round(SHORTEST_SOUND * 100):
            active[start:end] = False
    return active


def runs(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and behind the last position of every unbroken row of true ones.

    >>> runs(np.array([True, False, True, True]))
    [(0, 1), (2, 4)]
    """
    edges = np.diff(active.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _levels(waveform: NDArray[np.float32]) -> NDArray[np.float64]:
    """dB of every frame with its neighbours."""
    count = -(-len(waveform) // FRAME)
    samples = np.pad(waveform.astype(np.float64), (0, count * FRAME - len(waveform))).reshape(count, FRAME)
    sizes = np.minimum(FRAME, len(waveform) - FRAME * np.arange(count))
    # Less the mean of the frame: rumble rises and falls, too.
    energy = (samples**2).sum(1) - samples.sum(1) ** 2 / sizes
    around = np.ones(3)
    power = np.convolve(energy, around)[1:-1] / np.convolve(sizes, around)[1:-1]
    return np.asarray(10 * np.log10(power.clip(min=0) + 1e-12))
