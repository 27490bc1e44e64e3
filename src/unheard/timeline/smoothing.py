"""From the posteriors of windows, each judged alone, to posteriors over time that do not flicker."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Seconds after which a speaker is taken to have had an occasion to change the emotion, on average.
LASTING = 10.0
#: No window alone rules an emotion out.
LEAST = 1e-4

Array = NDArray[np.float64]


def smoothed(posteriors: Array, seconds: Array, heard: Array) -> Array:
    """Posteriors [rows, emotions] given the whole recording, from those of every row alone.

    A hidden Markov model: from row to row an emotion lasts with probability a = exp(−seconds / 10), and otherwise any
    of them follows, itself included. Row i says p_i to the power of seconds_i / heard_i, where it was judged by as many
    seconds: windows overlap, and this way every second counts once. A row without speech says nothing, so that
    what was before a long pause is forgotten. All emotions are taken to be equally likely beforehand. The
    forward-backward algorithm (Rabiner 1989, equations 19 to 27) gives the posteriors of each row.

    Args:
        posteriors: [rows, emotions]; NaN in a row without speech.
        seconds: how long each row lasts, [rows].
        heard: the seconds that each row was judged by, [rows].
    """
    exponents = (seconds / heard)[:, None]
    said = np.where(np.isnan(posteriors), 1.0, np.maximum(posteriors, LEAST) ** exponents)
    lasting = np.exp(-seconds / LASTING)
    forward, backward = np.ones_like(said), np.ones_like(said)
    for row in range(len(said)):
        before = 1.0 if row == 0 else _passed(forward[row - 1], lasting[row])
        forward[row] = _normalized(before * said[row])
    for row in range(len(said) - 1, 0, -1):
        backward[row - 1] = _normalized(_passed(backward[row] * said[row], lasting[row]))
    both = forward * backward
    return np.asarray(both / both.sum(1, keepdims=True))


def _passed(weights: Array, lasting: float) -> Array:
    """One step of the chain, which is the same in both directions."""
    return np.asarray(lasting * weights + (1 - lasting) * weights.mean())


def _normalized(weights: Array) -> Array:
    return np.asarray(weights / weights.sum())
