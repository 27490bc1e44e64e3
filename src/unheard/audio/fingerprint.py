"""Fingerprints by which copies of a recording are found: louder, resampled, coded, noisy, cut, padded, pieces of it.

After Haitsma & Kalker (2002), A Highly Robust Audio Fingerprinting System, ISMIR, section 4: a word of 32 bits per
frame says which differences of neighbouring bands' energies grow, words that occur in two recordings propose a pair and
how the two lie to each other, and the share of different bits decides. Made for a second of speech instead of three of
music: windows are shorter, energies are logarithms over a floor (a constant filter cancels; silence and what lies under
soft noise do not change), and frames in which nothing changes have no word.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.fft
from numpy.typing import NDArray

#: A fingerprint [frames]: the word of each frame, 0 where nothing changes. Frames are 16 ms apart.
Fingerprint = NDArray[np.uint32]

WINDOW, HOP = 2048, 256  # samples: 128 ms and 16 ms at 16 kHz
#: A word compares a frame with the one 48 ms before it.
LAG = 3
#: Edges of the bands, as bins of the spectrum: 33 bands of equal ratio from 250 to 2,000 Hz.
EDGES = np.round(np.geomspace(250, 2000, 34) * WINDOW / 16_000).astype(np.intp)
#: What is added to a band's energy before the logarithm, as a share of the mean over bands and frames.
FLOOR = 0.1
#: A frame has a word where the band differences change by this much in the mean (nepers of energy).
STILL = 0.1
#: Recordings are copies where at most this share of bits differs. Over EmoDB and RAVDESS no two takes of a sentence by
#: a speaker come below 0.27 at any offset, and 99.5 % of the copies that ``benchmarks/audit.py`` makes lie below 0.17.
MOST_DIFFERENT = 0.22
#: They are compared where both have words: in at least so many frames (0.26 s), and in this share of what the one with
#: fewer words has.
FEWEST_FRAMES, LEAST_SHARE = 16, 0.3
#: A word proposes a pair with this many of the next recordings that have it. Rare words connect copies; common ones
#: cost no more than this.
NEIGHBOURS = 8
_FRAMES_AT_ONCE, _PAIRS_AT_ONCE = 1024, 20_000


def fingerprint(waveform: NDArray[np.float32]) -> Fingerprint:
    """The words of a waveform [samples] of 16 kHz → [frames].

    Bit m of frame n is the sign of (L(n, m) − L(n, m+1)) − (L(n − 3, m) − L(n − 3, m+1)), equation 1 of the paper with
    L the logarithm of a band's energy.

    >>> fingerprint(np.zeros(16_000, np.float32)).any()
    np.False_
    """
    energies = _band_energies(waveform)
    mean = energies.mean() if energies.size else 0.0
    if len(energies) <= LAG or mean == 0:
        return np.zeros(max(0, len(energies) - LAG), np.uint32)
    levels = np.log(energies / mean + FLOOR)
    slopes = levels[:, :-1] - levels[:, 1:]
    changes = slopes[LAG:] - slopes[:-LAG]
    words = np.packbits(changes > 0, axis=1, bitorder="little").view("<u4")[:, 0].astype(np.uint32)
    words[np.abs(changes).mean(axis=1) < STILL] = 0
    return words


def _band_energies(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Energy of each frame's bands, [frames, 33]; a frame's window is centred on it."""
    padded = np.pad(np.asarray(waveform, dtype=np.float32), WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    window = np.hanning(WINDOW).astype(np.float32)
    energies = np.empty((len(frames), len(EDGES) - 1), dtype=np.float32)
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        part = slice(start, start + _FRAMES_AT_ONCE)
        spectrum = scipy.fft.rfft(frames[part] * window)[:, : EDGES[-1]]  # half the time of numpy's
        energies[part] = np.add.reduceat(spectrum.real**2 + spectrum.imag**2, EDGES[:-1], axis=1)
    return energies


def copies(fingerprints: Sequence[Fingerprint]) -> NDArray[np.intp]:
    """Pairs of copies among fingerprints, as positions [pairs, 2], the smaller one first.

    Of many copies of one recording not every pair is there, but enough to connect them all.
    """
    lengths = np.array([len(words) for words in fingerprints], dtype=np.int64)
    starts = lengths.cumsum() - lengths
    words = np.concatenate([*fingerprints, np.zeros(0, np.uint32)])
    owner = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    heard = np.bincount(owner[words != 0], minlength=len(lengths))
    places = _first_places(words, owner)
    sorted_words = words[places]
    longest = int(lengths.max(initial=0))
    found = [np.zeros((0, 2), np.intp)]
    for step in range(1, NEIGHBOURS + 1):
        same = np.flatnonzero(sorted_words[step:] == sorted_words[:-step])
        one, other = places[same], places[same + step]
        first, second = owner[one].astype(np.int64), owner[other].astype(np.int64)
        shift = (one - starts[first]) - (other - starts[second])
        # A pair and how it lies, as one number: several words propose the same, and it is tried once.
        proposals = np.unique((first * len(lengths) + second) * 2 * longest + shift + longest)
        pair, shift = proposals // (2 * longest or 1), proposals % (2 * longest or 1) - longest
        first, second = pair // len(lengths), pair % len(lengths)
        for start in range(0, len(pair), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            a, b, by = first[part], second[part], shift[part]
            common, different = _compared(words, starts, lengths, a, b, by)
            enough = np.maximum(FEWEST_FRAMES, LEAST_SHARE * np.minimum(heard[a], heard[b]))
            alike = (common >= enough) & (different <= MOST_DIFFERENT * 32 * common)
            found.append(np.stack([a[alike], b[alike]], axis=1).astype(np.intp))
    return np.unique(np.concatenate(found), axis=0)


def _first_places(words: Fingerprint, owner: NDArray[np.int32]) -> NDArray[np.int64]:
    """Where each recording has each of its words for the first time, in the order of words, then of recordings."""
    places = np.flatnonzero(words)
    keys = words[places].astype(np.uint64) << np.uint64(32) | places.astype(np.uint64)
    keys.sort()
    places = (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    again = np.zeros(len(places), dtype=bool)
    again[1:] = (np.diff(keys >> np.uint64(32)) == 0) & (np.diff(owner[places]) == 0)
    return places[~again]


def _compared(
    words: Fingerprint,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    shift: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """In how many frames both of a pair have a word, and how many bits of these words differ, [pairs] each.

    Frame n of the second lies at frame n + shift of the first.
    """
    begin = np.maximum(0, shift)
    overlap = np.minimum(lengths[first], lengths[second] + shift) - begin  # at least 1: a word lies in it
    offsets = overlap.cumsum() - overlap
    step = np.arange(overlap.sum()) - np.repeat(offsets, overlap)
    one = words[np.repeat(starts[first] + begin, overlap) + step]
    other = words[np.repeat(starts[second] + begin - shift, overlap) + step]
    both = (one != 0) & (other != 0)
    different = np.where(both, np.bitwise_count(one ^ other), 0)
    if not len(offsets):
        return overlap, overlap
    return np.add.reduceat(both, offsets, dtype=np.int64), np.add.reduceat(different, offsets, dtype=np.int64)
