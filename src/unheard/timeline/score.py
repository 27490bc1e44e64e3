"""What a recognizer hears in windows: posteriors of each as a whole, or of every frame in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unheard.audio.decode import Samples
from unheard.evaluation.frames import frame_posteriors, require_frames
from unheard.frontends.front_end import FrontEnd
from unheard.timeline.windows import Cut
from unheard.training.fitted import Fitted

Array = NDArray[np.float32]
#: Windows → posteriors of the stretch of each, [rows, emotions], the rows evenly spread over the stretch.
Score = Callable[[Sequence[Cut]], list[Array]]


@torch.inference_mode()
def fixed_features(front_end: FrontEnd, waveforms: Sequence[Samples]) -> list[Array]:
    """Waveforms [samples] of 16 kHz → the fixed features [time, ...] of each, computed together."""
    features, lengths = front_end.fixed(*_padded(waveforms))
    return [row[:length].float().numpy() for row, length in zip(features, lengths.tolist(), strict=True)]


def of_windows(fitted: Fitted) -> Score:
    """One row for each window: the posteriors of an utterance that is just this window."""

    def score(cuts: Sequence[Cut]) -> list[Array]:
        return list(fitted.posteriors(fixed_features(fitted.front_end, [cut.window for cut in cuts]))[:, None])

    return score


def of_frames(fitted: Fitted) -> Score:
    """A row for each frame of the stretch, see :func:`unheard.evaluation.frames.frame_posteriors`.

    The frames of a window are taken to be evenly spread over it, as they are where a front end keeps them all.

    Raises:
        InputError: the recognizer has no term that tells the emotion of frames.
    """
    require_frames(fitted)

    def score(cuts: Sequence[Cut]) -> list[Array]:
        found = frame_posteriors(fitted, fixed_features(fitted.front_end, [cut.window for cut in cuts]))
        return [_of_stretch(frames, cut) for frames, cut in zip(found, cuts, strict=True)]

    return score


def _of_stretch(frames: Array, cut: Cut) -> Array:
    """Of the frames of a window those whose middle lies in its stretch, one at least."""
    middles = (np.arange(len(frames)) + 0.5) * len(cut.window) / len(frames)
    first, stop = np.searchsorted(middles, [cut.first, cut.stop])
    first = min(first, len(frames) - 1)
    return frames[first : max(stop, first + 1)]


def _padded(waveforms: Sequence[Samples]) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = [len(waveform) for waveform in waveforms]
    padded = np.zeros((len(waveforms), max(lengths)), np.float32)
    for row, waveform in zip(padded, waveforms, strict=True):
        row[: len(waveform)] = waveform
    return torch.from_numpy(padded), torch.tensor(lengths)
