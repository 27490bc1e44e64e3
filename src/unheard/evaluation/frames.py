"""The emotion of every frame, as a term of kind ``segments`` tells it (Xia et al. 2021, equation 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unheard.errors import InputError
from unheard.methods.segments import Segments
from unheard.training.batches import Items, evaluation_batches
from unheard.training.fitted import Fitted, FittedNetwork

Array = NDArray[np.float32]


def frame_term(fitted: Fitted) -> str | None:
    """The term that tells the emotion of frames, if there is one."""
    terms = fitted.model.terms.items() if isinstance(fitted, FittedNetwork) else []
    return next((name for name, term in terms if isinstance(term, Segments) and term.column == "emotion"), None)


def require_frames(fitted: Fitted) -> tuple[FittedNetwork, str]:
    """The network, and its term that tells the emotion of frames.

    Raises:
        InputError: there is none.
    """
    name = frame_term(fitted)
    if name is None or not isinstance(fitted, FittedNetwork):
        raise InputError(
            f'the recognizer "{fitted.recipe.name}" tells no emotion of frames, since it was trained without a term of '
            "kind segments; ask for windows, or train one with it, such as wav2vec-segments"
        )
    return fitted, name


@torch.inference_mode()
def frame_posteriors(fitted: Fitted, features: Sequence[Array]) -> list[Array]:
    """Fixed features of utterances [time, ...] → [frames, emotions] of each, calibrated; pieces one after the other.

    Raises:
        InputError: no term tells the emotion of frames.
    """
    network, name = require_frames(fitted)
    network.model.eval()
    items = Items.cut(network.front_end, features)
    found: list[Array] = [np.empty(0, np.float32)] * len(items)
    for pieces, batch in evaluation_batches(items, network.front_end, network.recipe.training.batch_size):
        taps, _ = network.model(batch.to(network.device), terms=[name], losses=False)
        values, lengths = taps[f"{name}.frames"]
        assert lengths is not None
        for piece, frames, count in zip(pieces, values.float().cpu().numpy(), lengths.tolist(), strict=True):
            found[piece] = network.calibration.applied(frames[:count])
    return [
        np.concatenate([found[piece] for piece in np.flatnonzero(items.owner == row)]) for row in range(len(features))
    ]
