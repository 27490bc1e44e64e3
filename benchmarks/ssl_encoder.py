"""What fine-tuning a self-supervised encoder costs, and how fast it reads recordings, against transformers' pipeline.

Run: ``python benchmarks/ssl_encoder.py`` (base size, takes a while) or ``... --size tiny``. It prints two tables and
writes those of the base size to ``benchmarks/results/ssl_encoder.md``. Weights are random: they cost the same.

Training: batches of 8 crops of 3 s, in a process of its own for every way, with its peak memory; on a GPU too, with
bf16. Inference: recordings of EmoDB (``UNHEARD_CORPORA``), or noise about as long, with the same weights and equal
answers; the pipeline gets arrays, so that neither side decodes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from unheard.corpora import Corpus
from unheard.corpora.vocabulary import Vocabulary
from unheard.methods import METHODS
from unheard.methods.batch import Batch
from unheard.recipe import Recipe
from unheard.settings import make
from unheard.training.fitted import FittedNetwork, build_front_end, build_model

BATCH, SECONDS, STEPS, CLIPS = 8, 3, 3, 32
SIZES: dict[str, dict[str, Any]] = {
    "base": {},
    "tiny": {
        "num_hidden_layers": 2,
        "hidden_size": 64,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "conv_dim": [32] * 7,
    },
}
WORDS = {
    "emotion": Vocabulary("emotion", ("angry", "happy", "neutral", "sad")),
    "speaker": Vocabulary("speaker", tuple(f"s{index:04}" for index in range(1251))),
}
WAYS = [("hubert", False), ("hubert", True), ("hubert-snp", True), ("hubert-tap", True)]
RESULT = Path(__file__).parent / "results" / "ssl_encoder.md"


def recipe(name: str, size: str, *overrides: str) -> Recipe:
    own = ["network.model=null", "network.architecture=hubert", f"network.config={json.dumps(SIZES[size])}"]
    return Recipe.load(name, [*own, *overrides])


def train(name: str, checkpointing: bool, size: str, device: str) -> dict[str, float]:
    """Seconds of a step and peak memory in GiB, in this process."""
    precision = "bf16-mixed" if device == "cuda" else "32-true"
    chosen = recipe(
        name, size, f"network.checkpointing={str(checkpointing).lower()}", f"training.precision={precision}"
    )
    model = build_model(chosen, build_front_end(chosen), WORDS)
    fabric = Fabric(accelerator=device, devices=1, precision=precision)
    method = make(METHODS[chosen.method.name], chosen.method.settings, model, chosen.optimizer, fabric)
    samples = 16000 * SECONDS
    batches = [
        Batch(
            0.1 * torch.randn(BATCH, samples),
            torch.full((BATCH,), samples),
            {"emotion": torch.arange(BATCH) % 4, "speaker": torch.arange(BATCH) * 7},
        ).to(fabric.device)
        for _ in range(2)
    ]
    times = []
    for _ in range(STEPS):
        started = time.perf_counter()
        method.update(*batches)
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    unit = 1024 if sys.platform == "linux" else 1
    memory = torch.cuda.max_memory_allocated() if device == "cuda" else None
    peak = memory or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"seconds": median(times[1:]), "memory": peak / 2**30}


def training_table(size: str) -> list[str]:
    lines = [
        "| | device | seconds per step | utterances per second | × `hubert` | peak memory, GiB |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
        plain: dict[bool, float] = {}
        for name, checkpointing in WAYS + [(name, False) for name, _ in WAYS[2:]]:
            command = [sys.executable, __file__, "--size", size, "--way", name, str(checkpointing), device]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            plain.setdefault(checkpointing, found["seconds"])
            what = f"`{name}`" + (", checkpointing" if checkpointing else "")
            ratio = found["seconds"] / plain[checkpointing]
            numbers = f"{found['seconds']:.3g} | {BATCH / found['seconds']:.2f} | {ratio:.2f} | {found['memory']:.1f}"
            lines.append(f"| {what} | {device}{', bf16' if device == 'cuda' else ''} | {numbers} |")
    return lines


def clips() -> list[np.ndarray]:
    """Recordings of mixed length."""
    folder = os.environ.get("UNHEARD_CORPORA")
    if folder is None:
        draw = np.random.default_rng(0)
        return [
            (0.1 * draw.standard_normal(int(16000 * seconds))).astype(np.float32)
            for seconds in draw.gamma(6, 0.46, CLIPS).clip(1.2, 9)
        ]
    from unheard.audio import read_audio

    corpus = Corpus.read(Path(folder) / "emodb")
    rows = np.random.default_rng(0).permutation(len(corpus))[:CLIPS]
    return [read_audio(corpus.audio_path(row)) for row in rows]


def inference_table(size: str) -> list[str]:
    import transformers

    chosen = recipe("hubert", size, "terms.emotion.rectify=false")  # as the head in transformers, which has no ReLU
    front_end = build_front_end(chosen)
    model = build_model(chosen, front_end, WORDS).eval()
    ours = FittedNetwork(chosen, front_end, WORDS, model)
    config = transformers.HubertConfig(**SIZES[size], num_labels=4, classifier_proj_size=256)
    theirs = transformers.HubertForSequenceClassification(config).eval()
    theirs.hubert.load_state_dict(model.network.encoder.model.state_dict())
    theirs.projector.load_state_dict(model.term("emotion").projection.state_dict())
    theirs.classifier.load_state_dict(model.term("emotion").head.output.state_dict())
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=False)
    pipe = transformers.pipeline("audio-classification", model=theirs, feature_extractor=extractor, device="cpu")
    sounds = clips()

    def with_pipeline(size: int) -> np.ndarray:
        given = [{"raw": sound, "sampling_rate": 16000} for sound in sounds]
        scores = pipe(given, batch_size=size, top_k=None)
        return np.array([[one["score"] for one in sorted(each, key=lambda one: one["label"])] for each in scores])

    ways = {
        "unheard, batches of 8": lambda: ours.posteriors(sounds),
        "transformers' pipeline, one by one": lambda: with_pipeline(1),
        "transformers' pipeline, padded batches of 8": lambda: with_pipeline(8),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    answers = {}
    for _ in range(3):
        for name, way in ways.items():
            started = time.process_time()
            answers[name] = way()
            times[name].append(time.process_time() - started)
    seconds = sum(map(len, sounds)) / 16000
    expected = next(iter(answers.values()))
    lines = [
        f"{len(sounds)} recordings of {min(map(len, sounds)) / 16000:.1f} to {max(map(len, sounds)) / 16000:.1f} s; "
        "processor time, median of 3 rounds in which the ways take turns.",
        "",
        "| | × real time of the processor | largest difference of a posterior |",
        "|---|---:|---:|",
    ]
    for name, measured in times.items():
        difference = np.abs(answers[name] - expected).max()
        lines.append(f"| {name} | {seconds / median(measured):.1f} | {difference:.1e} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=SIZES, default="base")
    parser.add_argument("--way", nargs=3)
    options = parser.parse_args()
    if options.way:
        name, checkpointing, device = options.way
        print(json.dumps(train(name, checkpointing == "True", options.size, device)))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("HF_HUB_CACHE", folder)  # nothing is looked for
        tables = training_table(options.size), inference_table(options.size)
    lines = [
        "# Self-supervised encoders",
        "",
        f"HuBERT, {options.size} size, random weights. Made by `python benchmarks/ssl_encoder.py`.",
        "",
        "## Fine-tuning",
        "",
        f"Batches of {BATCH} crops of {SECONDS} s, two batches a step for SNP and TAP, 1,251 speakers; median of "
        f"{STEPS - 1} steps after the first; × is against `hubert` with the same checkpointing.",
        "",
        *tables[0],
        "",
        "## Inference",
        "",
        *tables[1],
        "",
        f"torch {version('torch')}, transformers {version('transformers')}, Python {platform.python_version()}, "
        f"{torch.get_num_threads()} threads of {os.cpu_count()} cores, {platform.machine()}",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.size == "base":
        RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
