"""What a step of the adversarial autoencoder costs, against a plain network with the same encoder.

Run: ``OMP_NUM_THREADS=1 THP_MEM_ALLOC_ENABLE=1 python benchmarks/autoencoder.py``. It prints a table and writes it to
``benchmarks/results/autoencoder.md``. With a number behind it, batches are that large and nothing is written.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median

import torch
from lightning_fabric import Fabric

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods import METHODS
from unheard.methods.batch import Batch
from unheard.recipe import Recipe
from unheard.settings import make
from unheard.training.fitted import build_front_end, build_model

REPEATS, SIZE, SPEAKERS = 3, 32, 610
PLAIN = "`cnn` with the encoder of `aae`"
SAME = ("network.channels=[64,32,16]", "network.rectify=false")
WAYS = {
    PLAIN: ("cnn", *SAME),
    "`cnn`": ("cnn",),
    "`cnn-multi`": ("cnn-multi",),
    "`ae-single`": ("ae-single",),
    "`ae`": ("ae",),
    "`aae-single`": ("aae-single",),
    "`aae`": ("aae",),
    "`aae` with `training.precision=bf16-mixed`": ("aae", "training.precision=bf16-mixed"),
}
LIMIT = 4
RESULT = Path(__file__).parent / "results" / "autoencoder.md"
CLASSES = {"emotion": 4, "speaker": SPEAKERS, "gender": 2}


def step(size: int, name: str, *overrides: str) -> tuple[Callable[[], object], int]:
    """A step of a recipe on a batch of random pictures, and how often the encoder runs in it."""
    recipe = Recipe.load(name, overrides)
    front_end = build_front_end(recipe)
    words = {
        term: Vocabulary(term, tuple(map(str, range(count)))) for term, count in CLASSES.items() if term in recipe.terms
    }
    model = build_model(recipe, front_end, words)
    fabric = Fabric(accelerator="cpu", devices=1, precision=recipe.training.precision)
    rule = make(METHODS[recipe.method.name], recipe.method.settings, model, recipe.optimizer, fabric)
    draw = torch.Generator().manual_seed(0)
    labels = {term: torch.arange(size) % count for term, count in CLASSES.items()}
    pictures = torch.randn(size, *front_end.shape, front_end.frames, generator=draw)
    batch = Batch(pictures, torch.full((size,), front_end.frames), labels)
    passes: list[int] = []
    hook = model.network.register_forward_hook(lambda *_: passes.append(1))
    rule.update(batch)
    hook.remove()
    return lambda: rule.update(batch), len(passes)


def medians(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median processor seconds of each way; they take turns, so that what else the machine does meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, way in ways.items():
            start = time.process_time()
            way()
            times[name].append(time.process_time() - start)
    return {name: median(values) for name, values in times.items()}


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1: all are to run on one core")
    torch.set_num_threads(1)
    size = int(sys.argv[1]) if sys.argv[1:] else SIZE
    load = os.getloadavg()[0]
    steps = {name: step(size, *way) for name, way in WAYS.items()}
    seconds = medians({name: way for name, (way, _) in steps.items()})
    pages = "2 MB" if os.environ.get("THP_MEM_ALLOC_ENABLE") == "1" else "4 KB"
    lines = [
        "# A step of the adversarial autoencoder",
        "",
        f"Pictures of 128 × 256 in batches of {size}, four emotions, {SPEAKERS} speakers, both genders; a step is "
        f"everything that a recipe does with a batch. One thread, memory in pages of {pages}, processor time, median "
        f"of {REPEATS} rounds in which the ways take turns. Made by `OMP_NUM_THREADS=1 THP_MEM_ALLOC_ENABLE=1 python "
        f"benchmarks/autoencoder.py`. `aae` shall cost at most {LIMIT} times what the plain network costs.",
        "",
        "| | passes through the encoder | ms per picture | × plain |",
        "|---|---:|---:|---:|",
    ]
    for name, spent in seconds.items():
        lines.append(f"| {name} | {steps[name][1]} | {1000 * spent / size:.1f} | {spent / seconds[PLAIN]:.2f} |")
    lines += [
        "",
        f"torch {version('torch')}, Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}; "
        f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after, by other work.",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if not sys.argv[1:]:
        RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
