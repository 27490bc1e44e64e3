"""What wav2vec costs: the encoder against the same layers in bare PyTorch, and a step of training its small variant.

Run: ``OMP_NUM_THREADS=1 python benchmarks/wav2vec.py``. It prints a table and writes it to
``benchmarks/results/wav2vec.md``. Half a minute.
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
from torch import Tensor, nn

from unheard.methods.batch import Batch
from unheard.methods.contrastive import Contrastive
from unheard.methods.descent import Descent
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks.wav2vec import ENCODER, Wav2vec
from unheard.recipe import Recipe
from unheard.settings import make

SECONDS = 3
RESULT = Path(__file__).parent / "results" / "wav2vec.md"


class Bare(nn.Module):
    """The encoder as one writes it down."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 1
        for channels, kernel, stride in ENCODER:
            layers += [
                nn.Conv1d(inputs, channels, kernel, stride, bias=False), nn.GroupNorm(1, channels), nn.ReLU(),
            ]  # fmt: skip
            inputs = channels
        self.layers = nn.Sequential(*layers)

    def forward(self, waveforms: Tensor) -> Tensor:
        return (self.layers(waveforms[:, None]).abs() + 1).log()


def waveforms(count: int) -> Tensor:
    return 0.1 * torch.randn(count, 16_000 * SECONDS, generator=torch.Generator().manual_seed(0))


def forward(encoder: nn.Module, count: int) -> Callable[[], object]:
    batch = waveforms(count)

    def way() -> None:
        with torch.no_grad():
            encoder(batch)

    return way


def there_and_back(encoder: nn.Module, count: int) -> Callable[[], object]:
    batch = waveforms(count)
    return lambda: torch.autograd.grad(encoder(batch).sum(), [*encoder.parameters()])


def small() -> Wav2vec:
    recipe = Recipe.load("wav2vec-small", ["network.fine_tune=all"])
    assert recipe.network is not None
    return make(Wav2vec, recipe.network.settings, ())


def pretraining(count: int, lengths: Tensor) -> Callable[[], object]:
    """A step of the contrastive objective."""
    network = small()
    model = Model(network, {"future": Contrastive(network.taps, None)})
    rule = Descent(model, OptimizerSettings(), Fabric(accelerator="cpu", devices=1))
    batch = Batch(waveforms(count), lengths)
    return lambda: rule.update(batch)


def medians(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median processor seconds of each way; they take turns, so that what else the machine does meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats + 1):
        for name, way in ways.items():
            start = time.process_time()
            way()
            if repeat:  # the first round warms up
                times[name].append(time.process_time() - start)
    return {name: median(values) for name, values in times.items()}


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1: all are to run on one core")
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    ours, bare = Wav2vec((), lstm_layers=1).encoder.requires_grad_(), Bare()
    encoders = medians({"ours": forward(ours, 1), "bare": forward(bare, 1)}, 21)
    learning = medians({"ours": there_and_back(ours, 1), "bare": there_and_back(bare, 1)}, 7)
    count = 8
    equal = torch.full((count,), 16_000 * SECONDS)
    unequal = equal - 160 * torch.arange(count)
    steps = medians({"equal": pretraining(count, equal), "unequal": pretraining(count, unequal)}, 5)
    rows = [("forward", encoders), ("forward and backward", learning)]
    text = "\n".join(
        [
            "# wav2vec",
            "",
            "One thread, processor time, medians of rounds in which the ways take turns. Made by "
            "`OMP_NUM_THREADS=1 python benchmarks/wav2vec.py`.",
            "",
            f"**The encoder of the large model on {SECONDS} s**, against the same layers in bare PyTorch:",
            "",
            "| | ours, s | bare, s | × bare | × real time |",
            "|---|---:|---:|---:|---:|",
            *(
                f"| {name} | {spent['ours']:.2f} | {spent['bare']:.2f} | {spent['ours'] / spent['bare']:.2f} "
                f"| {SECONDS / spent['ours']:.1f} |"
                for name, spent in rows
            ),
            "",
            f"**A step of pretraining the network of `wav2vec-small`**, batches of {count} of {SECONDS} s:",
            "",
            "| lengths | ms per utterance | × real time |",
            "|---|---:|---:|",
            *(
                f"| {name} | {1000 * steps[key] / count:.0f} | {count * SECONDS / steps[key]:.0f} |"
                for name, key in (("all equal", "equal"), ("all different, so one after the other", "unequal"))
            ),
            "",
            f"torch {version('torch')}, Python {platform.python_version()}, {os.cpu_count()} cores, "
            f"{platform.machine()}; load before it ran {load:.1f}, by other work.",
            "",
        ]
    )
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
