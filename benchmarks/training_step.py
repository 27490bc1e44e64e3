"""What the training loop costs: an epoch through ``unheard`` against the same network in a bare PyTorch loop.

Run: ``OMP_NUM_THREADS=1 python benchmarks/training_step.py``. It prints a table and writes it to
``benchmarks/results/training_step.md``. Both sides train the network of ``tdnn`` on the same random utterances of about
250 frames; ours draws batches from arrays, keeps metrics and calls the update rule, the other has its padded batches
ready and does forward, loss, backward and step only.
"""

import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from unheard.methods.batch import Batch
from unheard.recipe import Recipe
from unheard.training.batches import training_batches
from unheard.training.loop import NetworkRun
from unheard.training.split import Split

UTTERANCES, REPEATS, RATE = 320, 7, 1e-3
RESULT = Path(__file__).parent / "results" / "training_step.md"
RECIPES = ("tdnn", "tdnn-mtl", "tdnn-dat")


def split() -> Split:
    draw = np.random.default_rng(0)
    lengths = draw.integers(150, 350, UTTERANCES)
    table = pd.DataFrame(
        {
            "emotion": draw.choice(["angry", "happy", "neutral", "sad"], UTTERANCES),
            "speaker": draw.choice([f"s{index}" for index in range(8)], UTTERANCES),
        }
    )
    return Split(table, [draw.standard_normal((length, 39), dtype=np.float32) for length in lengths])


def ours(run: NetworkRun, epoch: int) -> float:
    started = time.process_time()
    run.train_epoch(epoch)
    return time.process_time() - started


def bare(network: torch.nn.Module, head: torch.nn.Module, batches: list[Batch]) -> float:
    parameters = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=RATE, momentum=0.9, nesterov=True)
    started = time.process_time()
    for batch in batches:
        optimizer.zero_grad()
        _, logits = head(network(batch.features, batch.lengths)["embedding"].values)
        functional.cross_entropy(logits, batch.labels["emotion"]).backward()
        optimizer.step()
    return time.process_time() - started


def main() -> None:
    torch.set_num_threads(1)
    data = split()
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: NetworkRun(Recipe.load(name), data, data, 0, Path(folder) / name, "cpu") for name in RECIPES}
        plain = runs["tdnn"]
        model = plain.method.module
        batches = list(training_batches(plain.items, plain.front_end, 32, 0, 0))
        times: dict[str, list[float]] = {"bare": [], **{name: [] for name in RECIPES}}
        for repeat in range(REPEATS + 1):
            measured = {"bare": bare(model.network, model.term("emotion").head, batches)}
            measured |= {name: ours(run, repeat) for name, run in runs.items()}
            if repeat:  # the first round warms up
                for name, seconds in measured.items():
                    times[name].append(seconds)
    lines = [
        "# A training step",
        "",
        f"{UTTERANCES} utterances of 150 to 350 frames, batches of 32, one thread, processor time, "
        f"median of {REPEATS} interleaved epochs. Made by `OMP_NUM_THREADS=1 python benchmarks/training_step.py`.",
        "",
        "| | ms per step | × bare PyTorch loop |",
        "|---|---:|---:|",
    ]
    for name, seconds in times.items():
        ratio = median(mine / other for mine, other in zip(seconds, times["bare"], strict=True))
        label = "bare PyTorch loop, emotion only" if name == "bare" else f"`{name}` through unheard"
        lines.append(f"| {label} | {1000 * median(seconds) / len(batches):.1f} | {ratio:.2f} |")
    lines += [
        "",
        f"torch {version('torch')}, Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text)


if __name__ == "__main__":
    main()
