"""The timeline of a long recording: seconds, and memory beyond what the recognizer takes before it begins.

Run: ``OMP_NUM_THREADS=1 python benchmarks/timeline.py MODEL [MINUTES...]``, by default 6 and 60. The audio is that of
``benchmarks/mfcc.py`` over and over, as FLAC of 16 kHz. It prints a table and writes it to
``benchmarks/results/timeline.md``.
"""

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch

from mfcc import audio
from page import leave
from unheard.recognizer import Recognizer

RESULT = Path(__file__).parent / "results" / "timeline.md"


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(model: str, path: str) -> tuple[float, float, float, float]:
    """Wall-clock seconds, processor seconds, megabytes, share of stretches with speech."""
    torch.set_num_threads(1)
    recognizer = Recognizer.load(model)
    recognizer.timeline(audio()[0][: 60 * 16000])  # what is set up once
    before, wall, spent = megabytes(), time.perf_counter(), time.process_time()
    timeline = recognizer.timeline(path)
    wall, spent = time.perf_counter() - wall, time.process_time() - spent
    return wall, spent, megabytes() - before, float((~np.isnan(timeline.posteriors[:, 0])).mean())


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1" or len(sys.argv) < 2:
        sys.exit("OMP_NUM_THREADS=1 python benchmarks/timeline.py MODEL [MINUTES...]")
    model, lengths = sys.argv[1], [float(minutes) for minutes in sys.argv[2:]] or [6.0, 60.0]
    waveform, what = audio()
    rows = []
    for minutes in lengths:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "long.flac"
            with soundfile.SoundFile(path, "w", 16000, 1) as file:
                left = round(minutes * 60 * 16000)
                while left > 0:
                    file.write(waveform[:left])
                    left -= len(waveform)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                wall, spent, memory, speech = pool.apply(measure, (model, str(path)))
        rows.append(
            f"| {minutes:g} | {wall:.1f} | {spent:.1f} | {60 * minutes / spent:,.0f} | {memory:.0f} | {speech:.0%} |"
        )
    recognizer = Recognizer.load(model)
    lines = [
        "# The timeline of a long recording",
        "",
        f"Command: `OMP_NUM_THREADS=1 python benchmarks/timeline.py MODEL {' '.join(sys.argv[2:])}`. Model: "
        f"`{recognizer.fitted.recipe.name}`; windows of 3 s every 1 s; one thread; decoding included. Audio: {what}, "
        "over and over. Memory: by how much more the process took at any time than for one minute.",
        "",
        "| minutes | seconds | processor seconds | × real time of the processor | MB | stretches with speech |",
        "|---:|---:|---:|---:|---:|---:|",
        *rows,
    ]
    leave(RESULT, lines, "torch", "numpy", "soundfile")


if __name__ == "__main__":
    main()
