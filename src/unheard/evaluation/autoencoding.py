"""What an autoencoder makes of recordings that it has not learned from: its error, its code beside the prior."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from unheard.evaluation.projection import keep_arrays, read_arrays
from unheard.methods.discriminator import Discriminator
from unheard.methods.reconstruction import Reconstruction
from unheard.networks.network import Maps
from unheard.training.batches import Items, evaluation_batches
from unheard.training.fitted import Fitted, FittedNetwork

Array = NDArray[np.float32]
Floats = NDArray[np.float64]

#: The file in which a run keeps it.
AUTOENCODER = "autoencoder.npz"
#: Edges of the histogram of the code; what lies outside counts in the last bin of its side.
EDGES = np.linspace(-5, 5, 101)
#: So many utterances are kept as pictures, the first piece of each.
PICTURES = 3


@dataclass(frozen=True, eq=False)
class Autoencoded:
    """What came out over the pieces of some utterances.

    Attributes:
        error: mean of the squared differences between target and output, over values and pieces.
        mean, variance: of every value of the code over pieces, [width]; the variance is NaN of one piece.
        histogram: how many values of all codes lie between neighbouring :data:`EDGES`, [100].
        inputs, outputs: pictures and what was made of them, [pictures, rows, frames]; none where the target holds none.
    """

    error: float
    mean: Floats
    variance: Floats
    histogram: Floats
    inputs: Array
    outputs: Array

    @property
    def columns(self) -> dict[str, float | None]:
        """Those of ``results.csv``, see the guide; None what one piece does not tell."""
        values = {
            "reconstruction": self.error,
            "latent_distance": prior_distance(self.mean, self.variance),
            "latent_mean": float(np.abs(self.mean).mean()),
            "latent_variance": float(np.abs(self.variance - 1).mean()),
        }
        return {name: value if np.isfinite(value) else None for name, value in values.items()}


def prior_distance(mean: Floats, variance: Floats) -> float:
    """How far values with these means and variances [width] are from N(0, 1), mean over values.

    It is the squared 2-Wasserstein distance of normal distributions, mean² + (√variance − 1)².

    >>> prior_distance(np.array([0.0, 1.0]), np.array([1.0, 4.0]))
    1.0
    """
    return float((np.square(mean) + np.square(np.sqrt(variance) - 1)).mean())


@torch.inference_mode()
def autoencoded(fitted: Fitted, features: Sequence[Array]) -> Autoencoded | None:
    """Encode and decode utterances, nothing drawn at random; None for a recipe without a reconstruction.

    The code is the tap that a discriminator reads, or else the one that is decoded. Pieces are not averaged: a mean of
    several draws from a prior is no draw from it.
    """
    if not isinstance(fitted, FittedNetwork):
        return None
    terms = {name: fitted.model.term(name) for name in fitted.model.terms}
    name, decoder = next(((name, term) for name, term in terms.items() if isinstance(term, Reconstruction)), ("", None))
    if decoder is None:
        return None
    code = next((term.tap for term in terms.values() if isinstance(term, Discriminator)), decoder.tap)
    fitted.model.eval()

    def parts(items: Items, size: int) -> Iterator[tuple[torch.Tensor, ...]]:
        for _, batch in evaluation_batches(items, fitted.front_end, size):
            taps, _ = fitted.model(batch.to(fitted.device), terms=list(terms), losses=False)
            wanted = (taps[decoder.target], taps[f"{name}.output"], taps[code])
            yield tuple(tap.per_utterance().double().cpu() for tap in wanted)

    items = Items.cut(fitted.front_end, features)
    count, error = 0, 0.0
    sums = squares = np.zeros(1)
    histogram = np.zeros(len(EDGES) - 1)
    for target, output, values in parts(items, fitted.recipe.training.batch_size):
        count += len(values)
        error += float((target - output).square().mean(dim=1).sum())
        numbers = values.numpy()
        sums, squares = sums + numbers.sum(axis=0), squares + np.square(numbers).sum(axis=0)
        histogram += np.histogram(numbers.clip(EDGES[0], EDGES[-1]), EDGES)[0]
    mean = sums / count
    variance = (
        (squares - count * np.square(mean)).clip(min=0) / (count - 1) if count > 1 else np.full_like(mean, np.nan)
    )
    shown = np.unique(np.linspace(0, len(features) - 1, PICTURES).astype(np.int64))
    first = np.searchsorted(items.owner, shown)
    pictures = [part for piece in first for part in parts(items.take(np.array([piece])), 1)]
    inputs, outputs = (_pictures([part[index] for part in pictures], decoder.taps["output"]) for index in (0, 1))
    return Autoencoded(error / count, mean, variance, histogram, inputs, outputs)


def keep_autoencoded(folder: Path, found: Autoencoded) -> None:
    """Write ``autoencoder.npz``; pictures in half precision."""
    kept: Mapping[str, NDArray[np.floating]] = {
        "mean": found.mean.astype(np.float32),
        "variance": found.variance.astype(np.float32),
        "histogram": found.histogram,
        "inputs": found.inputs.astype(np.float16),
        "outputs": found.outputs.astype(np.float16),
    }
    keep_arrays(folder / AUTOENCODER, kept)


def read_autoencoded(folder: Path) -> dict[str, Array]:
    """``mean``, ``variance``, ``histogram``, ``inputs`` and ``outputs`` of a run; empty where it kept none."""
    return read_arrays(folder / AUTOENCODER)


def _pictures(values: Sequence[torch.Tensor], width: int) -> Array:
    """[1, width] each → [pictures, rows, frames], the first channel; empty where they are no pictures."""
    if not isinstance(width, Maps):
        return np.zeros((0, 1, 1), dtype=np.float32)
    return np.asarray(width.of(torch.cat(list(values)))[:, 0].float().numpy(), dtype=np.float32)
