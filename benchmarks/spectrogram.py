"""Speed of the front end ``spectrogram`` on one core, beside librosa with matplotlib, and what is best kept on disk.

Run: ``OMP_NUM_THREADS=1 python benchmarks/spectrogram.py``. It prints tables and writes them to
``benchmarks/results/spectrogram.md``. With UNHEARD_CORPORA set the audio is real speech from there, otherwise noise
with the loudness of speech.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import librosa
import matplotlib
import numpy as np
import torch

from mfcc import REPEATS, audio, medians, processor
from unheard.frontends.spectrogram import Spectrogram
from unheard.training.batches import Items

PIECE, BATCH = 48000, 32
GOAL = 200
RESULT = Path(__file__).parent / "results" / "spectrogram.md"
RIVAL = "librosa.stft, matplotlib's jet, one at a time"
FORMS = {
    "3 × 400 × 300, `rgb`": Spectrogram(),
    "`multires`, windows of 20 and 40 ms": Spectrogram(window=(20, 40), channels="multires"),
    "`delta`": Spectrogram(channels="delta"),
    "`repeat`": Spectrogram(channels="repeat"),
    "1 × 400 × 300, `single`": Spectrogram(channels="single"),
    "1 × 128 × 256, `single` (512 points, 25 ms, mean power of two bins)": Spectrogram(
        window=25, transform=512, highest=8000, average=2, level="log_power", floor=1e-6,
        normalize="train", channels="single", piece=None, frames=256,
    ),
}  # fmt: skip


def batches_of(pieces: np.ndarray, size: int) -> list[torch.Tensor]:
    return [torch.from_numpy(np.array(pieces[start : start + size])) for start in range(0, len(pieces), size)]


def lengths_of(batch: torch.Tensor) -> torch.Tensor:
    return torch.full((len(batch),), batch.shape[1])


def each(transform: Callable[[torch.Tensor, torch.Tensor], object], batches: list[torch.Tensor]) -> Callable[[], None]:
    """The transform of all batches, one after the other."""

    def run() -> None:
        with torch.no_grad():
            for batch in batches:
                transform(batch, lengths_of(batch))

    return run


def rival(pieces: np.ndarray) -> Callable[[], None]:
    """What a user would write: the same levels and colours with librosa, numpy and matplotlib."""
    jet = matplotlib.colormaps["jet"]
    window = np.hamming(640)

    def run() -> None:
        for piece in pieces:
            # librosa centres a short window in the transform: this much more at both ends gives the same frames.
            spectrum = librosa.stft(
                np.pad(piece, 480), n_fft=1600, hop_length=160, win_length=640, window=window, center=False
            )
            level = 20 * np.log10(np.abs(spectrum[:400]) + 1e-10)
            normal = np.pad((level - level.mean(1, keepdims=True)) / level.std(1, keepdims=True), ((0, 0), (0, 3)))
            np.ascontiguousarray(jet(normal / 6 + 0.5)[..., :3].transpose(2, 0, 1), dtype=np.float32)

    return run


def speeds(pieces: np.ndarray) -> str:
    seconds = pieces.size / 16000
    paper = FORMS["3 × 400 × 300, `rgb`"]
    batches, singly = batches_of(pieces, BATCH), batches_of(pieces, 1)
    levels = [paper.fixed(batch, lengths_of(batch))[0] for batch in batches]
    ways = {RIVAL: rival(pieces), "3 × 400 × 300, `rgb`, one at a time": each(paper, singly)}
    ways |= {name: each(form, batches) for name, form in FORMS.items()}
    ways |= {"of the first: from waveform to levels (`fixed`)": each(paper.fixed, batches)}
    ways |= {"of the first: from levels to pictures (`draw`)": each(paper.draw, levels)}
    measured = medians(ways)
    lines = ["| | × real time | ms for 3 s | × librosa |", "|---|---:|---:|---:|"]
    for name, spent in measured.items():
        ratio = f"{measured[RIVAL] / spent:.1f}" if "128" not in name else ""
        lines.append(f"| {name} | {seconds / spent:,.0f} | {1000 * spent / len(pieces):.2f} | {ratio} |")
    return "\n".join([*lines, ""])


def storage(pieces: np.ndarray) -> str:
    """What an epoch reads, and how far it is from the arithmetic in float64."""
    form = FORMS["3 × 400 × 300, `rgb`"]
    waveforms = torch.from_numpy(pieces)
    with torch.no_grad():
        levels = form.fixed(waveforms, lengths_of(waveforms))[0].numpy()
        exact = form.fixed(waveforms.double(), lengths_of(waveforms))[0].numpy()
    kept = {"levels, float32": levels, "levels, float16": levels.astype(np.float16), "waveform, float32": pieces}
    loud = exact > -60
    with tempfile.TemporaryDirectory() as folder:
        ways = {}
        for name, values in kept.items():
            np.save(Path(folder) / f"{name}.npy", values)
            mapped = np.load(Path(folder) / f"{name}.npy", mmap_mode="r")
            ways[name] = transformed(form, mapped) if values is pieces else from_disk(form, mapped)
        measured = medians(ways)
    lines = ["| kept | kB per second | ms for 3 s | largest error above −60 dB |", "|---|---:|---:|---:|"]
    for name, values in kept.items():
        error = np.abs(values - exact)[loud].max() if "levels" in name else np.abs(levels - exact)[loud].max()
        size = values.nbytes / pieces.size * 16
        lines.append(f"| {name} | {size:.0f} | {1000 * measured[name] / len(pieces):.2f} | {error:.4f} dB |")
    return "\n".join([*lines, ""])


def from_disk(form: Spectrogram, mapped: np.ndarray) -> Callable[[], None]:
    items = Items.cut(form, list(mapped))

    def run() -> None:
        for start in range(0, len(items), BATCH):
            items.batch(np.arange(start, min(start + BATCH, len(items))), form)

    return run


def transformed(form: Spectrogram, mapped: np.ndarray) -> Callable[[], None]:
    return lambda: each(form, batches_of(mapped, BATCH))()


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1: all are to run on one core")
    torch.set_num_threads(1)
    before = os.getloadavg()[0]
    waveform, what = audio()
    pieces = waveform[: len(waveform) // PIECE * PIECE].reshape(-1, PIECE)
    tables = speeds(pieces), storage(pieces)
    packages = ("torch", "numpy", "librosa", "matplotlib")
    text = "\n".join(
        [
            "# Speed of the front end `spectrogram`",
            "",
            f"Command: `OMP_NUM_THREADS=1 python benchmarks/spectrogram.py`. Audio: {what}, in {len(pieces)} pieces of "
            f"3 s, batches of {BATCH} unless said otherwise. Processor time of one thread, median of {REPEATS} rounds "
            f"in which the ways take turns. Load of the machine's {os.cpu_count()} processors: {before:.1f} before, "
            f"{os.getloadavg()[0]:.1f} after. The goal is {GOAL} × real time from waveform to picture.",
            "",
            "**From waveform to picture**",
            "",
            tables[0],
            "**What is kept on disk**, and pictures made of it in training, read memory-mapped from files that the "
            "system has at hand",
            "",
            tables[1],
            "Levels are kept as float32: float16 would halve the space, but its rounding alone is up to 0.016 of the "
            "0.02 dB that a level may be off. Kept waveforms would be smaller still, but every fit of the statistics "
            "and every epoch would transform them again.",
            "",
            f"Machine: {processor()}, {platform.system()}. Python {sys.version.split()[0]}, "
            + ", ".join(f"{name} {version(name)}" for name in packages)
            + ".",
            "",
        ]
    )
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
