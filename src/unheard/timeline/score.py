"""What a recognizer hears in windows: posteriors of each as a whole, or of every frame in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unheard.audio.decode import Samples
from unheard.errors import InputError
from unheard.frontends.front_end import FrontEnd
from unheard.methods.batch import Batch
from unheard.methods.segments import Segments
from unheard.timeline.windows import Cut
from unheard.training.fitted import Fitted, FittedNetwork

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
    """A row for each frame of the stretch, from the term of kind ``segments`` (Xia et al. 2021).

    The frames of a window are taken to be evenly spread over it, as they are where a front end keeps them all.

    Raises:
        InputError: the recognizer has no such term.
    """
    terms = fitted.model.terms.items() if isinstance(fitted, FittedNetwork) else []
    names = [name for name, term in terms if isinstance(term, Segments)]
    if not (names and isinstance(fitted, FittedNetwork)):
        raise InputError(
            f'the recognizer "{fitted.recipe.name}" tells no emotion of frames, since it was trained without a term of '
            "kind segments; ask for windows, or train one with it, such as wav2vec-segments"
        )
    model, device = fitted.model, fitted.device

    @torch.inference_mode()
    def score(cuts: Sequence[Cut]) -> list[Array]:
        features, lengths = fitted.front_end(*_padded([cut.window for cut in cuts]))
        taps, _ = model(Batch(features, lengths, {}).to(device), losses=False)
        values, counts = taps[f"{names[0]}.frames"]
        assert counts is not None
        return [
            _of_stretch(fitted.calibration.applied(frames[:count].float().cpu().numpy()), cut)
            for frames, count, cut in zip(values, counts.tolist(), cuts, strict=True)
        ]

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
