"""What a training step of ``adarl`` costs: against the same layers in bare PyTorch, and layer by layer.

Run: ``OMP_NUM_THREADS=1 python benchmarks/domain_aware.py``. It prints a table and writes it to
``benchmarks/results/domain_aware.md``. Memory in pages of 2 MB is chosen when torch is first loaded, so everything is
measured twice, in processes with THP_MEM_ALLOC_ENABLE=1 and in others without.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from statistics import median

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.batch import Batch
from unheard.methods.descent import Descent
from unheard.networks.domain_aware import BLOCKS, DomainAware
from unheard.recipe import Recipe
from unheard.training.fitted import build_front_end, build_model

REPEATS, SIZE = 3, 32
SIZES = (8, 16, 32, 64)
PICTURE = (3, 400, 300)
OURS = "`adarl` through unheard"
RESULT = Path(__file__).parent / "results" / "domain_aware.md"
VOCABULARIES = {
    name: Vocabulary(column, classes)
    for name, column, classes in (
        ("emotion", "emotion", ("angry", "happy", "neutral", "sad")),
        ("center", "emotion", ("angry", "happy", "neutral", "sad")),
        ("gender", "gender", ("female", "male")),
    )
}


class BareBlock(nn.Module):
    """A block as one writes it down from Table 1."""

    def __init__(self, inputs: int, outputs: int, pooling: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.rest = nn.Sequential(nn.BatchNorm2d(2 * outputs), nn.ReLU(), nn.AvgPool2d(pooling))

    def forward(self, maps: Tensor) -> Tensor:
        return self.rest(torch.cat([self.first(maps), self.second(maps)], 1))


class Bare(nn.Module):
    """The whole of the paper's Table 1, with the centres."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (3, *(2 * outputs for outputs, _ in BLOCKS))
        self.domain, self.emotion = (
            nn.Sequential(*(BareBlock(before, *block) for before, block in zip(inputs, BLOCKS, strict=False)))
            for _ in range(2)
        )
        self.attention = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 8), nn.Sigmoid())
        self.channelwise = nn.Parameter(torch.randn(64, 8) / 3)
        self.domain_head = nn.Sequential(nn.Linear(3072, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Linear(64, 2))
        self.hidden = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.BatchNorm1d(64))
        self.output = nn.Linear(64, 4)
        self.centres = nn.Parameter(torch.randn(4, 64) / 4)

    def forward(self, pictures: Tensor, emotion: Tensor, gender: Tensor) -> Tensor:
        domain, maps = self.domain(pictures), self.emotion(pictures)
        rows = (maps * self.attention(domain.mean((1, 3)))[:, None, :, None]).mean(3)
        deep = self.hidden((rows * self.channelwise).sum(2))
        center = (deep - self.centres[emotion]).square().sum(1).mean()
        logits = self.domain_head(domain.flatten(1))
        return (
            functional.cross_entropy(self.output(deep), emotion) + functional.cross_entropy(logits, gender) + center / 2
        )


def batch(size: int) -> Batch:
    draw = torch.Generator().manual_seed(0)
    labels = {"emotion": torch.arange(size) % 4, "gender": torch.arange(size) % 2}
    return Batch(torch.randn(size, *PICTURE, generator=draw), torch.full((size,), PICTURE[2]), labels)


def bare(pictures: Batch, *, channels_last: bool = False) -> Callable[[], object]:
    model = Bare()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, weight_decay=4e-5)
    features = pictures.features
    if channels_last:
        model, features = model.to(memory_format=torch.channels_last), features.to(memory_format=torch.channels_last)

    def step() -> None:
        optimizer.zero_grad()
        model(features, pictures.labels["emotion"], pictures.labels["gender"]).backward()
        optimizer.step()

    return step


def ours(pictures: Batch, precision: str = "32-true") -> Callable[[], object]:
    recipe = Recipe.load("adarl", ["optimizer.learning_rate=0.001"])
    model = build_model(recipe, build_front_end(recipe), VOCABULARIES)
    rule = Descent(model, recipe.optimizer, Fabric(accelerator="cpu", devices=1, precision=precision))
    return lambda: rule.update(pictures)


def medians(ways: dict[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, float]:
    """Median processor seconds of each way; they take turns, so that what else the machine does meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats + 1):
        for name, way in ways.items():
            start = time.process_time()
            way()
            if repeat:  # the first round warms up
                times[name].append(time.process_time() - start)
    return {name: median(values) for name, values in times.items()}


def rates() -> dict[str, float]:
    """Operations per second of a product of large matrices, and of a convolution whose maps stay in the cache."""
    left, right = torch.randn(2048, 2048), torch.randn(2048, 2048)
    maps = torch.randn(8, 64, 64, 64).to(memory_format=torch.channels_last)
    kernel = torch.randn(64, 64, 3, 3).to(memory_format=torch.channels_last)
    with torch.no_grad():
        spent = medians(
            {"product": lambda: left @ right, "convolution": lambda: functional.conv2d(maps, kernel, padding=1)}, 9
        )
    return {"product": 2 * 2048**3 / spent["product"], "convolution": 2 * maps.numel() * 64 * 9 / spent["convolution"]}


def there_and_back(module: Callable[[Tensor], Tensor], maps: Tensor, weights: Iterable[Tensor]) -> Callable[[], object]:
    """Forward, and backward to the weights and, where they ask for it, to the maps."""
    wanted = [*weights, *([maps] if maps.requires_grad else [])]
    gradient = torch.randn_like(module(maps).detach())
    return lambda: torch.autograd.grad(module(maps), wanted, gradient)


def layers() -> list[tuple[float, float, float]]:
    """Of each block: operations of its convolutions there and back, their seconds, the seconds of what follows."""
    found = []
    maps = batch(SIZE).features
    for index, block in enumerate(DomainAware(PICTURE[:2]).emotion_extractor):
        convolution = block.branches[0]
        with torch.no_grad():
            convolved = convolution(maps)
        products = convolved.numel() * convolution.weight[0].numel()
        ways = {
            "convolution": there_and_back(convolution, maps.requires_grad_(index > 0), convolution.parameters()),
            "rest": there_and_back(
                lambda maps, block=block: block.pool(block.norm(maps).relu_()),
                convolved.requires_grad_(),
                block.norm.parameters(),
            ),
        }
        seconds = medians(ways)
        found.append((2 * products * (3 if index else 2), seconds["convolution"], seconds["rest"]))
        with torch.no_grad():
            maps = block(maps)
    return found


def steps() -> dict[str, float]:
    return medians(
        {
            "bare PyTorch": bare(batch(SIZE)),
            "bare PyTorch, channels last": bare(batch(SIZE), channels_last=True),
            OURS: ours(batch(SIZE)),
            "the same with `training.precision=bf16-mixed`": ours(batch(SIZE), "bf16-mixed"),
        }
    )


def sizes() -> dict[str, float]:
    """Seconds per picture of a step, by the number of pictures in a batch."""
    return {size: spent / int(size) for size, spent in medians({str(n): ours(batch(n)) for n in SIZES}).items()}


PARTS: dict[str, Callable[[], object]] = {
    "steps": steps,
    "sizes": sizes,
    "layers": layers,
    "rates": rates,
}


def page(measured: dict[str, dict]) -> str:
    plain, large = measured["0"], measured["1"]
    rates = large["rates"]
    lines = [
        "# A training step of the domain-aware network",
        "",
        f"Pictures of 3 × 400 × 300 in batches of {SIZE}, both pathways, heads and center loss, forward, backward and "
        f"step. One thread, processor time, median of {REPEATS} rounds in which the ways take turns. Made by "
        "`OMP_NUM_THREADS=1 python benchmarks/domain_aware.py`.",
        "",
        "| | ms per picture | × bare | ms per picture in pages of 2 MB | × bare |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in plain["steps"]:
        cells = []
        for one in (plain, large):
            seconds = one["steps"][name]
            cells += [f"{1000 * seconds / SIZE:.0f}", f"{seconds / one['steps']['bare PyTorch']:.2f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        "Bare PyTorch is Table 1 of the paper written down: two convolutions and their outputs put together, in the "
        "usual memory layout. Here two convolutions of one shape are one, and weights and maps lie channels last.",
        "",
        "Pages of 2 MB: `THP_MEM_ALLOC_ENABLE=1` in the environment, a switch of PyTorch for Linux. Without it the "
        "kernel clears fresh pages of 4 KB for maps of hundreds of megabytes, again in every step.",
        "",
        "| pictures in a batch | ms per picture | in pages of 2 MB |",
        "|---:|---:|---:|",
    ]
    lines += [f"| {n} | {1000 * spent:.0f} | {1000 * large['sizes'][n]:.0f} |" for n, spent in plain["sizes"].items()]
    lines += [
        "",
        "Where it goes, for one pathway of the two, in pages of 2 MB. On this core PyTorch multiplies large matrices "
        f"with {rates['product'] / 1e9:.0f} GFLOP/s, "
        f"and convolves with {rates['convolution'] / 1e9:.0f} where maps "
        "fit into the cache: oneDNN uses more of this processor than MKL does. The maps of the first block fit into no "
        "cache, so what touches them waits for memory; the gradient of its input is not needed.",
        "",
        "| block | convolution, GFLOP | its ms per picture | of the matrix product's rate "
        "| of the cached convolution's | normalisation, ReLU, pooling, ms |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for number, (operations, convolution, rest) in enumerate(large["layers"], 1):
        lines.append(layer_row(str(number), operations, convolution, rest, rates))
    sums = [sum(column) for column in zip(*large["layers"], strict=True)]
    lines.append(layer_row("all", *sums, rates))
    lines += [
        "",
        f"torch {version('torch')}, Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}; "
        f"load while it ran {measured['load'][0]:.1f} to {measured['load'][1]:.1f}, by other work.",
    ]
    return "\n".join(lines) + "\n"


def layer_row(name: str, operations: float, convolution: float, rest: float, rates: dict[str, float]) -> str:
    cells = [
        f"{operations / SIZE / 1e9:.2f}",
        f"{1000 * convolution / SIZE:.1f}",
        *(f"{operations / convolution / rate:.0%}" for rate in (rates["product"], rates["convolution"])),
        f"{1000 * rest / SIZE:.1f}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1: all are to run on one core")
    torch.set_num_threads(1)
    if sys.argv[1:]:
        print(json.dumps(PARTS[sys.argv[1]]()))
        return
    loads = [os.getloadavg()[0]]
    measured: dict[str, dict] = {"0": {}, "1": {}}
    for pages, part in [*itertools.product(measured, ("steps", "sizes")), ("1", "layers"), ("1", "rates")]:
        environment = os.environ | {"THP_MEM_ALLOC_ENABLE": pages}
        command = [sys.executable, __file__, part]
        told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        measured[pages][part] = json.loads(told.stdout.splitlines()[-1])
        loads.append(os.getloadavg()[0])
    text = page(measured | {"load": (min(loads), max(loads))})
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
