"""Speed of an exported recognizer on one core, from waveform to posteriors, against the recognizer itself.

Run: ``OMP_NUM_THREADS=1 python benchmarks/export.py``. It prints a table and writes it to
``benchmarks/results/export.md``. The recognizers are untrained: speed does not depend on the weights.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from mfcc import REPEATS, audio, medians
from page import leave
from unheard.corpora.vocabulary import Vocabulary
from unheard.export.write import export_recognizer
from unheard.recipe import Recipe
from unheard.recognizer import Recognizer
from unheard.training.fitted import FittedNetwork, build_front_end, build_model

SECONDS = 3
RESULT = Path(__file__).parent / "results" / "export.md"


def untrained(name: str) -> Recognizer:
    recipe = Recipe.load(name)
    front_end, emotions = (
        build_front_end(recipe),
        {"emotion": Vocabulary("emotion", ("angry", "happy", "neutral", "sad"))},
    )
    model = build_model(recipe, front_end, emotions, terms=["emotion"])
    return Recognizer(FittedNetwork(recipe, front_end, emotions, model.eval()), {})


def running(file: Path, waveform: np.ndarray) -> Callable[[], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    inputs = {"waveform": waveform[None], "lengths": np.array([len(waveform)])}
    return lambda: session.run(None, inputs)


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1: all are to run on one core")
    torch.set_num_threads(1)
    waveform, what = audio()
    clip = np.ascontiguousarray(waveform[: SECONDS * 16000])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("filterbank-tdnn-robust", "tdnn"):
            recognizer = untrained(name)
            written = export_recognizer(recognizer, Path(folder) / f"{name}.onnx", quantize=True)
            ways: dict[str, Callable[[], object]] = {"PyTorch": lambda one=recognizer: one.predict(clip)}
            ways |= dict(zip(("ONNX", "ONNX, int8"), (running(file.path, clip) for file in written), strict=True))
            sizes = dict(zip(("ONNX", "ONNX, int8"), (f"{file.size / 1e6:.2f}" for file in written), strict=True))
            rows += [
                f"| `{name}` | {way} | {sizes.get(way, '')} | {1000 * spent:.1f} |"
                for way, spent in medians(ways).items()
            ]
    lines = [
        "# Speed of an exported recognizer",
        "",
        f"Command: `OMP_NUM_THREADS=1 python benchmarks/export.py`. One clip of {SECONDS} s from {what}, waveform to "
        f"posteriors. Processor time of one thread, median of {REPEATS} rounds in which the ways take turns.",
        "",
        "| recipe | run by | MB | ms per clip |",
        "|---|---|---:|---:|",
        *rows,
    ]
    leave(RESULT, lines, "torch", "onnx", "onnxruntime")


if __name__ == "__main__":
    main()
