"""Speed of the front end ``mfcc`` on one core, beside kaldi-native-fbank and librosa, in one process.

Run: ``OMP_NUM_THREADS=1 python benchmarks/mfcc.py``. It prints a table and writes it to ``benchmarks/results/mfcc.md``.
With UNHEARD_CORPORA set the audio is real speech from there, otherwise noise with the loudness of speech.
"""

import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import kaldi_native_fbank
import librosa
import numpy as np
import soundfile
import torch

from unheard.frontends.mfcc import Mfcc

SECONDS = 180
UTTERANCE = 3
REPEATS = 9
RESULT = Path(__file__).parent / "results" / "mfcc.md"
MINE = "unheard, 13 cepstra"
KALDI = "kaldi-native-fbank, 13 cepstra"
LIBROSA = "librosa.feature.mfcc, 13 cepstra"


def audio() -> tuple[np.ndarray, str]:
    """Three minutes at 16 kHz, and what they are."""
    folder = os.environ.get("UNHEARD_CORPORA")
    files = sorted(Path(folder).glob("*/**/*.flac")) if folder else []
    if files:
        chosen = [soundfile.read(file, dtype="float32")[0] for file in files[:: max(1, len(files) // 100)]]
        waveform = np.concatenate(chosen)[: SECONDS * 16000]
        return waveform, f"{len(waveform) / 16000:.0f} s of speech from {len(chosen)} recordings"
    random = np.random.default_rng(0)
    loudness = np.exp(3 * np.sin(2 * np.pi * 2 * np.arange(SECONDS * 16000) / 16000) - 5)
    return (loudness * random.standard_normal(len(loudness))).astype(
        np.float32
    ), f"{SECONDS} s of noise, loud as speech"


def kaldi(waveform: np.ndarray) -> np.ndarray:
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.dither = 0
    mfcc = kaldi_native_fbank.OnlineMfcc(options)
    mfcc.accept_waveform(16000, waveform * 32768)
    mfcc.input_finished()
    return np.stack([mfcc.get_frame(i) for i in range(mfcc.num_frames_ready)])


def with_librosa(waveform: np.ndarray) -> np.ndarray:
    return librosa.feature.mfcc(
        y=waveform, sr=16000, n_mfcc=13, n_mels=23, n_fft=512, win_length=400, hop_length=160, center=False
    )


def unheard(front_end: Mfcc) -> Callable[[np.ndarray], object]:
    def run(waveforms: np.ndarray) -> object:
        batch = torch.from_numpy(np.atleast_2d(waveforms))
        with torch.no_grad():
            return front_end.fixed(batch, torch.full((len(batch),), batch.shape[1]))

    return run


def medians(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median processor seconds of each way; they take turns, so that what else the machine does meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(REPEATS):
        for name, way in ways.items():
            start = time.process_time()
            way()
            times[name].append(time.process_time() - start)
    return {name: float(np.median(values)) for name, values in times.items()}


def table(title: str, seconds: float, measured: dict[str, float]) -> str:
    lines = [f"**{title}**", "", "| | × real time | × kaldi-native-fbank | × librosa |", "|---|---:|---:|---:|"]
    for name, spent in measured.items():
        ratios = f"{measured[KALDI] / spent:.2f} | {measured[LIBROSA] / spent:.2f}"
        lines.append(f"| {name} | {seconds / spent:,.0f} | {ratios} |")
    return "\n".join([*lines, ""])


def processor() -> str:
    """The processor's name where the system tells it."""
    information = Path("/proc/cpuinfo")
    names = (
        [line for line in information.read_text().splitlines() if "model name" in line] if information.exists() else []
    )
    return names[0].partition(":")[2].strip() if names else platform.processor()


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1: all are to run on one core")
    torch.set_num_threads(1)
    waveform, what = audio()
    pieces = waveform[: len(waveform) // (UTTERANCE * 16000) * UTTERANCE * 16000].reshape(-1, UTTERANCE * 16000)
    static, full = unheard(Mfcc(deltas=0, activity="none")), unheard(Mfcc())
    ways = {KALDI: kaldi, LIBROSA: with_librosa, MINE: static, "unheard, 39 values of voiced frames": full}

    whole = medians({name: lambda way=way: way(waveform) for name, way in ways.items()})
    singly = {name: lambda way=way: [way(piece) for piece in pieces] for name, way in ways.items()}
    singly |= {f"{name}, batches of 32": lambda way=way: [way(pieces[i : i + 32]) for i in range(0, len(pieces), 32)]
               for name, way in ways.items() if way in (static, full)}  # fmt: skip
    each = medians(singly)

    packages = ("torch", "numpy", "kaldi-native-fbank", "librosa")
    text = "\n".join(
        [
            "# Speed of the front end `mfcc`",
            "",
            f"Command: `OMP_NUM_THREADS=1 python benchmarks/mfcc.py`. Audio: {what}. Processor time of one thread, "
            f"median of {REPEATS} rounds in which the ways take turns; a ratio above 1 means faster than that library.",
            "",
            table("One long recording", len(waveform) / 16000, whole),
            table(f"Utterances of {UTTERANCE} s, one at a time unless said otherwise", pieces.size / 16000, each),
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
