"""What all tests share: property tests that give the same cases every time, where the data lies, and a tiny corpus."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import settings

from unheard.corpora import Corpus
from unheard.recipe import Recipe
from unheard.seeds import generator

settings.register_profile("deterministic", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("deterministic")

# Tests run side by side: one thread each is faster, and numbers do not depend on the machine's cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

#: Overrides that make a TDNN-LSTM small and quick.
SMALL = (
    "network.channels=[8,8]", "network.lstm=8", "network.width=16", "terms.emotion.hidden=[8]", "training.epochs=2",
    "training.batch_size=4",
)  # fmt: skip


def data_folder(variable: str) -> Path | None:
    """The folder that an environment variable names, or None."""
    value = os.environ.get(variable)
    return Path(value) if value else None


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A feature cache of the test's own."""
    return tmp_path / "cache"


def write_tiny_corpus(folder: Path, speakers: int = 4, each: int = 2, corpus: str = "tiny") -> Corpus:
    """A manifest and audio, ``each`` of every speaker and emotion: the emotion is a pitch, the speaker a timbre."""
    rows = []
    for speaker in range(speakers):
        for emotion, pitch in (("angry", 300), ("sad", 150)):
            for take in range(each):
                name = f"s{speaker}-{emotion}-{take}.wav"
                draw = generator(0, "tiny corpus", name)
                time = np.arange(int(16000 * draw.uniform(0.4, 0.7))) / 16000
                tones = [0.6 ** (k * (1 + speaker / 4)) * np.sin(2 * np.pi * pitch * k * time) for k in range(1, 8)]
                sound = 0.1 * np.sum(tones, axis=0) * (1 + np.sin(2 * np.pi * 4 * time)) / 2
                soundfile.write(folder / name, sound + 0.003 * draw.standard_normal(len(time)), 16000)
                gender = ("female", "male")[speaker % 2]
                rows.append(
                    {"audio": name, "speaker": f"00{speaker}", "gender": gender, "emotion": emotion, "corpus": corpus}
                )
    made = Corpus.from_table(pd.DataFrame(rows), folder, str(folder / "manifest.csv"))
    made.write(folder / "manifest.csv")
    return made


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Four speakers, two emotions, two utterances of about half a second each; its folder holds ``manifest.csv``."""
    return write_tiny_corpus(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def make_tiny_corpus() -> Callable[..., Corpus]:
    """A corpus of the test's own: folder, number of speakers, utterances of each speaker and emotion."""
    return write_tiny_corpus


@pytest.fixture(scope="session")
def small_overrides() -> tuple[str, ...]:
    """What makes a network recipe small."""
    return SMALL


@pytest.fixture(scope="session")
def small_recipe() -> Recipe:
    """The emotion-only recipe, small."""
    return Recipe.load("tdnn", SMALL)


@pytest.fixture(scope="session")
def small_run(tiny_corpus: Corpus, small_recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one finished run of the small recipe; to be read only."""
    from unheard.frontends.store import FeatureStore
    from unheard.studies.study import train_one

    folder = tmp_path_factory.mktemp("small-run")
    train_one(tiny_corpus, small_recipe, folder, FeatureStore(tmp_path_factory.mktemp("features")))
    return folder
