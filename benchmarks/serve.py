"""The service under load: many clients on this machine, each sending its next clip as soon as it has an answer.

Run: ``OMP_NUM_THREADS=1 python benchmarks/serve.py MODEL FOLDER``. FOLDER holds recordings; every client sends them in
an order of its own. The service runs in a process of its own, once with batches across requests and once without. It
prints a table and writes it to ``benchmarks/results/serve.md``.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import time
from collections import Counter
from importlib.metadata import version
from itertools import count
from pathlib import Path

import numpy as np

from unheard.audio import duration
from unheard.recognizer import Recognizer, audio_files
from unheard.serve import Settings, create_app
from unheard.serve.run import run

CLIPS = 200
SIDES = {"batches of 16": Settings(max_requests=256), "one by one": Settings(max_requests=256, batch_size=1)}
RESULT = Path(__file__).parent / "results" / "serve.md"


def serve(model: str, settings: Settings, addresses: "multiprocessing.Queue[str]") -> None:
    run(create_app(Recognizer.load(model), settings), "127.0.0.1", 0, addresses.put)


async def client(port: int, clips: list[bytes], until: float, answers: list[tuple[float, int]], seed: int) -> None:
    draw = np.random.default_rng(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < until:
        clip = clips[draw.integers(len(clips))]
        head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(clip)}\r\n\r\n"
        started = time.monotonic()
        writer.write(head.encode() + clip)
        said = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(int(line[15:]) for line in said.splitlines() if line.startswith("content-length:"))
        json.loads(await reader.readexactly(length))
        answers.append((time.monotonic() - started, int(said.split()[1])))
    writer.close()


async def load(port: int, clips: list[bytes], clients: int, seconds: float) -> list[tuple[float, int]]:
    answers: list[tuple[float, int]] = []
    until = time.monotonic() + seconds
    await asyncio.gather(*(client(port, clips, until, answers, seed) for seed in range(clients)))
    return answers


def measured(model: str, settings: Settings, clips: list[bytes], clients: int, seconds: float) -> str:
    """A row of the table without its first cell."""
    context = multiprocessing.get_context("spawn")
    addresses: multiprocessing.Queue[str] = context.Queue()
    process = context.Process(target=serve, args=(model, settings, addresses))
    process.start()
    port = int(addresses.get(timeout=120).rpartition(":")[2])
    for _ in count():
        try:
            asyncio.run(load(port, clips, 1, 1.0))  # until it is ready
            break
        except OSError:
            time.sleep(0.1)
    started = time.monotonic()
    answers = asyncio.run(load(port, clips, clients, seconds))
    rate = len(answers) / (time.monotonic() - started)
    process.terminate()
    process.join()
    statuses = Counter(status // 100 for _, status in answers)
    middle, slow = np.quantile([taken for taken, _ in answers], [0.5, 0.99])
    return f"{len(answers)} | {statuses[5]} | {1000 * middle:.0f} | {1000 * slow:.0f} | {rate:.1f}"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("model")
    words.add_argument("folder")
    words.add_argument("--clients", type=int, default=50)
    words.add_argument("--seconds", type=float, default=60)
    given = words.parse_args()
    files = audio_files(given.folder)
    files = files[:: max(1, len(files) // CLIPS)][:CLIPS]
    clips = [file.read_bytes() for file in files]
    long = np.mean([duration(clip) for clip in clips])
    lines = [
        "# The service",
        "",
        f"{given.clients} clients for {given.seconds:g} s on loopback, {len(clips)} recordings of {long:.1f} s on "
        f"average (`{Path(given.folder).name}`), recognizer `{Recognizer.load(given.model).fitted.recipe.name}` "
        "on one thread. "
        "Made by `OMP_NUM_THREADS=1 python benchmarks/serve.py MODEL FOLDER"
        f" --clients {given.clients} --seconds {given.seconds:g}`.",
        "",
        "| | answers | 5xx | p50 in ms | p99 in ms | recordings per second |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, settings in SIDES.items():
        lines.append(f"| {name} | {measured(given.model, settings, clips, given.clients, given.seconds)} |")
    load_now = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "uvicorn", "fastapi"))
    lines += [
        "",
        f"{versions}, Python {platform.python_version()}, {os.cpu_count()} cores{load_now}, {platform.machine()}",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text)


if __name__ == "__main__":
    main()
