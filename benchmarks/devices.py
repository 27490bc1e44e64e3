"""What several devices save: an epoch of pretraining by one process against two, each of one thread.

Run: ``OMP_NUM_THREADS=1 python benchmarks/devices.py``. It prints a table and writes it to
``benchmarks/results/devices.md``. Both make the same number of steps with batches of the same size over the same
recordings, three seconds of noise each, with the recipe ``wav2vec-small``. The processors of one machine share its
memory and what goes between them; several GPUs were not at hand.
"""

import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric

from page import leave
from unheard.recipe import Recipe
from unheard.training.devices import Devices, gathered
from unheard.training.split import Split
from unheard.training.stages import StageRun

UTTERANCES, SECONDS, EPOCHS = 128, 3, 3
RESULT = Path(__file__).parent / "results" / "devices.md"


def epochs(folder: Path, fabric: Fabric) -> list[float]:
    """Seconds of each epoch, the first one's warming up aside."""
    torch.set_num_threads(1)
    draw = np.random.default_rng(0)
    noise = [0.1 * draw.standard_normal(16_000 * SECONDS, dtype=np.float32) for _ in range(UTTERANCES)]
    recordings = Split(pd.DataFrame({"id": [str(number) for number in range(UTTERANCES)]}), noise)
    recipe = Recipe.load("wav2vec-small")
    stage = recipe.of_stage(recipe.stages[0])
    run = StageRun(stage, recordings, 0, folder, f"{fabric.world_size}xcpu", fabric=fabric)
    seconds = []
    for epoch in range(1 + EPOCHS):
        gathered(fabric, None)  # all begin together
        started = time.perf_counter()
        run.train_epoch(epoch)
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        one = median(epochs(Path(folder), Devices("cpu").one("32-true")))
        two = median(Devices("cpu", 2).launch("32-true", partial(epochs, Path(folder))))
    lines = [
        "# Several devices", "",
        f"Pretraining of `wav2vec-small` on {UTTERANCES} recordings of {SECONDS} s, median of {EPOCHS} epochs.", "",
        "| processes of one thread | seconds an epoch | ratio |", "|---:|---:|---:|",
        f"| 1 | {one:.1f} | 1 |", f"| 2 | {two:.1f} | {one / two:.2f} |",
    ]  # fmt: skip
    leave(RESULT, lines, "unheard", "torch", "lightning-fabric")


if __name__ == "__main__":
    main()
