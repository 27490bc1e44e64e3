"""Speed of the front end ``filterbank`` on one core: what each epoch draws anew, what is kept, and librosa's bands.

Run: ``OMP_NUM_THREADS=1 python benchmarks/filterbank.py``. It prints a table and writes it to
``benchmarks/results/filterbank.md``. The audio is that of ``benchmarks/mfcc.py``.
"""

import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import librosa
import numpy as np
import torch

from mfcc import REPEATS, audio, medians, processor
from unheard.frontends.filterbank import Filterbank
from unheard.seeds import torch_generator

BATCH, SECONDS, LONGER = 64, 3, 5
RESULT = Path(__file__).parent / "results" / "filterbank.md"
PAPER = Filterbank(peak=True, crop=3.0, gain=40.0, warp=0.15, frequency_masks=2, time_masks=2)
SMALL = Filterbank(
    bands=40, hop=10.0, average=3, normalize="mean", speed=0.1, noise=10.0, warp=0.1, frequency_masks=2, time_masks=2
)


def batch(waveform: np.ndarray, seconds: int) -> tuple[torch.Tensor, torch.Tensor]:
    """64 items of so many seconds, cut from the recording and from its beginning again."""
    samples = seconds * 16000
    items = np.resize(waveform, (BATCH, samples))
    return torch.from_numpy(items), torch.full((BATCH,), samples)


def drawing(front_end: Filterbank, waveforms: tuple[torch.Tensor, torch.Tensor]) -> Callable[[], object]:
    fixed, generator = front_end.fixed(*waveforms), torch_generator(0)
    return lambda: front_end.draw(*fixed, generator)


def with_librosa(waveforms: np.ndarray) -> object:
    bands = librosa.feature.melspectrogram(
        y=waveforms, sr=16000, n_fft=512, win_length=400, hop_length=200, n_mels=30, htk=True, norm=None, center=False
    )
    return np.log(bands + 1e-8)


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1: all are to run on one core")
    torch.set_num_threads(1)
    waveform, what = audio()
    items, longer = batch(waveform, SECONDS), batch(waveform, LONGER)
    plain = Filterbank()
    with torch.no_grad():
        ways = {
            "draw: 30 bands, logarithm": drawing(plain, items),
            "**draw: 30 bands, a warp per item, logarithm**": drawing(Filterbank(warp=0.15), items),
            f"draw: all of Xia et al.'s training, crops of 3 s from {LONGER} s": drawing(PAPER, longer),
            "draw: 40 bands of 30 ms, speed, noise, warp, mean, masks": drawing(SMALL, items),
            "fixed: waveform to power spectrum, once per recording": lambda: plain.fixed(*items),
            "waveform to 30 log-mel bands": lambda: plain(*items),
            "librosa.feature.melspectrogram and logarithm, the same": lambda: with_librosa(items[0].numpy()),
        }
        measured = medians(ways)
    lines = [
        "# Speed of the front end `filterbank`",
        "",
        f"Command: `OMP_NUM_THREADS=1 python benchmarks/filterbank.py`. A batch of {BATCH} items of {SECONDS} s from "
        f"{what}. Processor time of one thread, median of {REPEATS} rounds in which the ways take turns.",
        "",
        "| | ms per batch | × real time |",
        "|---|---:|---:|",
        *(
            f"| {name} | {1000 * spent:.1f} | {BATCH * SECONDS / spent:,.0f} |"
            for name, spent in measured.items()
        ),
        "",
        f"Machine: {processor()}, {platform.system()}. Python {sys.version.split()[0]}, "
        + ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "librosa"))
        + ".",
        "",
    ]  # fmt: skip
    text = "\n".join(lines)
    print(text)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
