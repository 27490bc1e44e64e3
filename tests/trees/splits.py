"""A small training and dev part that a network learns in seconds, and recipes as small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from unheard.recipe import Recipe
from unheard.training.split import Split

SMALL = ("network.channels=[8,8]", "network.lstm=4", "network.width=12", "training.batch_size=8")


def split(utterances: int, seed: int) -> Split:
    """Utterances whose emotion is the level of their features, and whose speaker is the level of the first band."""
    draw = np.random.default_rng(seed)
    emotions = draw.integers(0, 2, utterances)
    speakers = draw.integers(0, 3, utterances)
    features = [draw.standard_normal((draw.integers(20, 40), 39), dtype=np.float32) for _ in range(utterances)]
    for values, emotion, speaker in zip(features, emotions, speakers, strict=True):
        values[:, 1:] += 2 * emotion
        values[:, 0] += 3 * speaker
    table = pd.DataFrame(
        {
            "id": [f"u{index}" for index in range(utterances)],
            "emotion": np.array(["happy", "sad"])[emotions],
            "speaker": np.array(["s0", "s1", "s2"])[speakers],
        }
    )
    return Split(table, features)


def recipe(name: str = "tdnn-dat", *overrides: str) -> Recipe:
    """A small one."""
    return Recipe.load(name, (*SMALL, *overrides))


def history(folder: Path) -> list[dict[str, float]]:
    """What a run noted of its epochs, but for the time."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


TRAIN, DEV = split(36, 0), split(12, 1)
