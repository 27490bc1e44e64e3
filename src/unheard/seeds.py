"""Randomness by name: every random thing has a generator of its own, so that adding one never changes another.

The one exception is what torch draws inside a training step (dropout): all parts of a model share that stream.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def derive(seed: int, *names: object) -> int:
    """A 63-bit seed for the thing called ``names``, from the run's seed.

    >>> derive(0, "batches", 1) == derive(0, "batches", 1) != derive(0, "batches", 2)
    True
    """
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: object) -> np.random.Generator:
    """A numpy generator for the thing called ``names``."""
    return np.random.default_rng(derive(seed, *names))


def torch_generator(seed: int, *names: object) -> torch.Generator:
    """A torch generator (on the CPU) for the thing called ``names``."""
    import torch

    return torch.Generator().manual_seed(derive(seed, *names))


@contextmanager
def seeded(seed: int, *names: object) -> Iterator[None]:
    """Inside, what torch draws by itself (initial weights, dropout) belongs to the thing called ``names``."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, *names))
        yield
