"""What learning costs: a step of multi-task, adversarial and cross-gradient training against one of emotion alone.

Run: ``python benchmarks/methods.py``. It prints tables and writes them to ``benchmarks/results/methods.md``. The four
recipes of Tu et al. 2019 take turns on the same batches of random features, as long as the utterances of the paper's
two corpora are; ratios are between steps that follow each other, so what else the machine does cancels. From the steps
follows what the training of the paper's Tables 2 and 3 takes here.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # two threads that spin fight with whatever else runs here

import platform
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from unheard.methods.batch import Batch
from unheard.recipe import Recipe
from unheard.training.batches import training_order
from unheard.training.loop import NetworkRun
from unheard.training.split import Split

METHODS = {"": "SER only", "-mtl": "MTL", "-dat": "DAT", "-cgt": "CGT"}
BATCH, BANDS, EPOCHS, BATCHES, REPEATS = 32, 39, 100, 3, 5
#: Frames a second that the activity detection keeps: 87 % of LibriSpeech's, where people read without long pauses.
VOICED = 87
RESULT = Path(__file__).parent / "results" / "methods.md"


@dataclass(frozen=True)
class Study:
    """A table of the paper: its network, its corpus, and how often everything is trained."""

    table: str
    corpus: str
    suffix: str
    emotions: int
    speakers: int
    seconds: NDArray[np.float64]
    trainings: int

    @property
    def frames(self) -> NDArray[np.int64]:
        return (VOICED * self.seconds).astype(np.int64)

    @property
    def steps(self) -> int:
        """Of everything that one recipe needs."""
        return self.trainings * EPOCHS * -(-len(self.seconds) // BATCH)


def studies() -> list[Study]:
    """Lengths with the published mean and median (IEMOCAP, improvised) or mean and deviation (Mandarin)."""
    draw = np.random.default_rng(0)
    improvised = np.exp(np.log(3.43) + np.sqrt(2 * np.log(4.25 / 3.43)) * draw.standard_normal(2354)).clip(0.6, 29.1)
    mandarin = (2.80 + 0.68 * draw.standard_normal(43202)).clip(0.6)
    return [
        Study("Table 2", "IEMOCAP, improvised: 5 folds × 5 runs", "", 4, 8, improvised, 25),
        Study("Table 3", "Mandarin: 3 runs", "-large", 4, 200, mandarin, 3),
    ]


def batches(study: Study) -> tuple[list[Batch], float]:
    """A few batches of an epoch, from short to long, and how much longer (padded) the epoch's are on average."""
    padded = sorted(int(study.frames[pieces].max()) for pieces in training_order(study.frames, BATCH, 0, 0))
    chosen = [padded[int((part + 0.5) / BATCHES * len(padded))] for part in range(BATCHES)]
    draw = torch.Generator().manual_seed(0)
    made = []
    for time_steps in chosen:
        lengths = (time_steps * torch.linspace(0.93, 1, BATCH)).long()
        valid = torch.arange(time_steps) < lengths[:, None]
        labels = {
            "emotion": torch.randint(study.emotions, (BATCH,), generator=draw),
            "speaker": torch.randint(study.speakers, (BATCH,), generator=draw),
        }
        made.append(Batch(torch.randn(BATCH, time_steps, BANDS, generator=draw) * valid[..., None], lengths, labels))
    return made, float(np.mean(padded) / np.mean(chosen))


def run_of(study: Study, suffix: str, folder: Path) -> NetworkRun:
    """A recipe with as many emotions and speakers as the corpus has."""
    rows = np.arange(max(study.emotions, study.speakers))
    emotions = np.array(["angry", "happy", "neutral", "sad"])[rows % study.emotions]
    table = pd.DataFrame({"emotion": emotions, "speaker": [f"s{row % study.speakers}" for row in rows]})
    data = Split(table, list(np.random.default_rng(0).standard_normal((len(rows), 30, BANDS), dtype=np.float32)))
    return NetworkRun(Recipe.load(f"tdnn{suffix}{study.suffix}"), data, data, 0, folder / suffix, "cpu")


def measure(study: Study, threads: int) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of an average step, and the ratio to emotion only, of every method.

    Processor time with one thread, which other processes change least; wall-clock time with more.
    """
    torch.set_num_threads(threads)
    clock = time.process_time if threads == 1 else time.perf_counter
    given, longer = batches(study)
    with tempfile.TemporaryDirectory() as folder:
        runs = {suffix: run_of(study, suffix, Path(folder)) for suffix in METHODS}
        taken: dict[str, list[list[float]]] = {suffix: [[] for _ in given] for suffix in METHODS}
        for repeat in range(REPEATS + 1):
            for number, batch in enumerate(given):
                for suffix, run in runs.items():
                    started = clock()
                    run.method.update(batch, progress=0.5)
                    if repeat:  # the first round warms up
                        taken[suffix][number].append(clock() - started)
    seconds = {suffix: longer * sum(map(median, values)) / BATCHES for suffix, values in taken.items()}
    flat = {suffix: [one for values in taken[suffix] for one in values] for suffix in METHODS}
    ratios = {
        suffix: median(mine / plain for mine, plain in zip(values, flat[""], strict=True))
        for suffix, values in flat.items()
    }
    return seconds, ratios


def load() -> str:
    """How many processes wanted a processor in the last minute."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


ABOUT = f"""# What methods cost

A step of each recipe of Tu et al. 2019 against a step of `tdnn` or `tdnn-large` on the same batch of {BATCH}
utterances, median of {REPEATS} interleaved repetitions on {BATCHES} batches from short to long. Lengths are drawn to
the published figures, {VOICED} voiced frames a second. One thread: processor time; two: wall clock, with
`OMP_WAIT_POLICY=passive`. Made by `python benchmarks/methods.py`.
"""

FLOOR = """
A cross-gradient step needs three passes forward and four back, two of which also give the gradients that move the
inputs: counted in operations, 11/3 of a plain step.
"""


def main() -> None:
    cores, before = os.cpu_count() or 1, load()
    steps = ["| network | threads | ms, SER only | × MTL | × DAT | × CGT |", "|---|---:|---:|---:|---:|---:|"]
    tables = [
        f"| | trained | steps a recipe | SER only, h | MTL, h | DAT, h | CGT, h | all on {cores} cores, h |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for study in studies():
        for threads in (1, 2):
            seconds, ratios = measure(study, threads)
            cells = " | ".join(f"{ratios[suffix]:.2f}" for suffix in METHODS if suffix)
            steps.append(f"| `tdnn{study.suffix}` | {threads} | {1000 * seconds['']:.0f} | {cells} |")
            print(steps[-1], flush=True)
            if threads == 1:
                hours = [study.steps * one / 3600 for one in seconds.values()]
                each = " | ".join(f"{one:,.1f}" for one in hours)
                total = f"{sum(hours) / cores:,.0f}"
                tables.append(f"| {study.table} | {study.corpus} | {study.steps:,} | {each} | {total} |")
    whole = (
        f"What the training for a whole table of the paper takes here, {EPOCHS} epochs each, from the steps above.\n"
        f"A run has one thread, and {cores} runs go side by side. Choosing the epoch on dev speakers comes on top:\n"
        "a pass forward over a tenth as many utterances."
    )
    machine = (
        f"torch {version('torch')}, Python {platform.python_version()}, {cores} cores, {platform.machine()}; "
        f"load average {before} before and {load()} after"
    )
    text = "\n".join([ABOUT, *steps, FLOOR, whole, "", *tables, "", machine]) + "\n"
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text)


if __name__ == "__main__":
    main()
