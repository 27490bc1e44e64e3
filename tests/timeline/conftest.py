"""A recognizer, and sounds that rise and fall like speech."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unheard.corpora import Corpus
from unheard.frontends.store import FeatureStore
from unheard.recipe import Recipe
from unheard.recognizer import Recognizer
from unheard.seeds import generator
from unheard.studies.study import train_one


def babble(seconds: float, rate: int = 16_000, seed: int = 0) -> np.ndarray:
    """Tones of changing pitch that come and go four times a second, on a floor of noise, [samples]."""
    time = np.arange(round(rate * seconds)) / rate
    pitch = 200 + 60 * np.sin(2 * np.pi * 0.3 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    tones = sum(0.6**k * np.sin(k * phase) for k in range(1, 6))
    noise = generator(seed, "babble").standard_normal(len(time))
    return np.asarray(0.1 * tones * (1 - np.cos(2 * np.pi * 4 * time)) / 2 + 0.001 * noise, dtype=np.float32)


@pytest.fixture(scope="session")
def speak() -> Callable[..., np.ndarray]:
    return babble


@pytest.fixture(scope="session")
def recognizer(small_run: Path) -> Recognizer:
    return Recognizer.load(small_run)


@pytest.fixture(scope="session")
def of_segments(tiny_corpus: Corpus, small_overrides: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory):
    """A recognizer that tells the emotion of frames too."""
    folder = tmp_path_factory.mktemp("segments")
    recipe = Recipe.load(
        "tdnn",
        [*small_overrides, "terms.segments={kind: segments, column: emotion, hidden: [8]}", "front_end.activity=none"],
    )
    train_one(tiny_corpus, recipe, folder, FeatureStore(folder / "features"))
    return Recognizer.load(folder)
