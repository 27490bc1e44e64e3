"""What a training step of ``strfnet`` costs: through ``unheard`` against the same layers written out in bare PyTorch.

Run: ``OMP_NUM_THREADS=1 python benchmarks/strfnet.py``. It prints a table and writes it to
``benchmarks/results/strfnet.md``. Both sides make the model of ``strfnet-spectrogram-modulation`` and learn from the
same batches, crops of 3 s in one and utterances of 1.5 to 3 s in the other. The bare layers know of no lengths, as in
the published code: plain batch normalisation, one bidirectional GRU, a softmax over all frames. What they answer about
the second batch hangs on its padding.
"""

import os
import platform
import time
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
from unheard.networks.receptive_fields import Gabor
from unheard.recipe import Recipe
from unheard.training.fitted import build_front_end, build_model

SIZE, FRAMES, REPEATS = 8, 239, 3
RESULT = Path(__file__).parent / "results" / "strfnet.md"
WORDS = Vocabulary("emotion", ("angry", "happy", "neutral", "sad"))


class Block(nn.Module):
    def __init__(self, inputs: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, 32, 3, stride, 1, bias=False), nn.BatchNorm2d(32), nn.LeakyReLU(),
            nn.Conv2d(32, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32),
        )  # fmt: skip
        self.shortcut = nn.Sequential()
        if inputs != 32 or stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, 32, 3, stride, 1, bias=False), nn.BatchNorm2d(32))

    def forward(self, maps: Tensor) -> Tensor:
        return (self.layers(maps) + self.shortcut(maps)).relu()


class Bare(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 64, 5, padding=2)
        self.modulation = Gabor(32, 16, 9)
        self.blocks = nn.Sequential(Block(128, 1), Block(32, 1), Block(32, 2), Block(32, 1), Block(32, 2), Block(32, 1))
        self.linear = nn.Linear(256, 1024)
        self.gru = nn.GRU(1024, 1024, batch_first=True, bidirectional=True)
        self.attention = nn.Sequential(nn.Linear(2048, 256), nn.Tanh(), nn.Linear(256, 1, bias=False))
        self.output = nn.Linear(2048, 4)

    def forward(self, features: Tensor) -> Tensor:
        maps = features[:, None]
        maps = self.blocks(torch.cat([self.convolution(maps), self.modulation(maps)], 1))
        frames, _ = self.gru(self.linear(maps.transpose(1, 2).flatten(2)))
        return self.output((frames * self.attention(frames).softmax(1)).sum(1))


def batch(lengths: Tensor) -> Batch:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(SIZE, int(lengths.max()), 30, generator=generator)
    return Batch(features, lengths, {"emotion": torch.randint(4, (SIZE,), generator=generator)})


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    recipe = Recipe.load("strfnet-spectrogram-modulation")
    model = build_model(recipe, build_front_end(recipe), {"emotion": WORDS})
    ours = Descent(model, recipe.optimizer, Fabric(accelerator="cpu"))
    bare = Bare()
    optimizer = torch.optim.Adam(bare.parameters(), lr=1e-4)
    assert sum(map(Tensor.numel, bare.parameters())) == sum(map(Tensor.numel, model.parameters()))
    batches = {
        f"crops of {FRAMES} frames": batch(torch.full((SIZE,), FRAMES)),
        f"{FRAMES // 2} to {FRAMES} frames": batch(torch.linspace(FRAMES // 2, FRAMES, SIZE).long()),
    }

    def step(of: Batch) -> None:
        optimizer.zero_grad()
        functional.cross_entropy(bare(of.features), of.labels["emotion"]).backward()
        optimizer.step()

    lines = []
    for name, of in batches.items():
        times: dict[str, list[float]] = {"bare": [], "ours": []}
        for repeat in range(REPEATS + 1):
            for side, learn in (("bare", step), ("ours", ours.update)):
                started = time.process_time()
                learn(of)
                if repeat:  # the first round warms up
                    times[side].append(time.process_time() - started)
        ratio = median(mine / other for mine, other in zip(times["ours"], times["bare"], strict=True))
        lines.append(f"| {name} | {median(times['bare']):.2f} | {median(times['ours']):.2f} | {ratio:.2f} |")
    text = "\n".join(
        [
            "# STRFNet",
            "",
            f"A step on {SIZE} utterances, 13.6 million parameters, one thread, processor time, median of {REPEATS} "
            "interleaved steps. Made by `OMP_NUM_THREADS=1 python benchmarks/strfnet.py`.",
            "",
            "| batch | bare PyTorch, s | through unheard, s | × bare |",
            "|---|---:|---:|---:|",
            *lines,
            "",
            f"torch {version('torch')}, Python {platform.python_version()}, {os.cpu_count()} cores, "
            f"{platform.machine()}",
        ]
    )
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text + "\n")


if __name__ == "__main__":
    main()
