"""How fast a folder of recordings is judged: by one command, by a command for each file, by openSMILE and an SVM.

Run: ``python benchmarks/clips.py CLIPS [SVM]``. CLIPS is a folder with recordings, of which the first 1,000 are taken;
SVM is the folder of a recognizer that was trained by the recipe ``compare-svm``. The recognizer is the one that comes
with the package. Every way is a command as people type it, start and decoding included. It prints a table and writes it
to ``benchmarks/results/clips.md``.
"""

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from page import leave
from unheard.audio import duration
from unheard.recognizer import audio_files

COUNT, SINGLE, CORES = 1000, 40, 2
RESULT = Path(__file__).parent / "results" / "clips.md"


def predict(*arguments: object) -> None:
    """The command, its answer thrown away."""
    command = [sys.executable, "-m", "unheard", "predict", "--format", "csv", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def folder_at_once(folder: Path, *options: object) -> float:
    """Seconds for the folder in one command."""
    started = time.perf_counter()
    predict(folder, *options)
    return time.perf_counter() - started


def one_by_one(files: list[Path]) -> float:
    """Seconds for the files, each in a command of its own, as many of them side by side as there are cores."""
    started = time.perf_counter()
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(predict, files))
    return time.perf_counter() - started


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit("python benchmarks/clips.py CLIPS [SVM]")
    found = audio_files(sys.argv[1])
    files = found[:: max(1, len(found) // COUNT)][:COUNT]
    if not files:
        sys.exit(f"{sys.argv[1]}: there is no recording in this folder")
    seconds = sum(duration(file) for file in files)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, file in enumerate(files):
            (folder / f"{number:04}{file.suffix}").symlink_to(file.resolve())
        ways: dict[str, tuple[object, ...]] = {
            f"one command, {cores} process{'es' * (cores > 1)}": ("--workers", cores) for cores in (1, CORES)
        }
        if len(sys.argv) > 2:
            ways[f"openSMILE and SVM, {CORES} processes"] = ("--model", sys.argv[2], "--workers", CORES)
        for way, options in ways.items():
            taken = folder_at_once(folder, *options)
            rows.append(f"| {way} | {len(files):,} | {taken:.1f} | {len(files) / taken:,.1f} |")
        taken = one_by_one(sorted(folder.iterdir())[:SINGLE])
        rows.append(
            f"| a command for each file, {CORES} side by side | {SINGLE} | {taken:.1f} | {SINGLE / taken:,.1f} |"
        )
    lines = [
        "# A folder of recordings",
        "",
        f"Command: `python benchmarks/clips.py CLIPS SVM`. {len(files):,} recordings, {seconds / len(files):.1f} s "
        "each on average. Wall-clock time of `unheard predict`, from its start to its end.",
        "",
        "| | recordings | seconds | recordings per second |",
        "|---|---:|---:|---:|",
        *rows,
    ]
    leave(RESULT, lines, "torch", "opensmile", "scikit-learn")


if __name__ == "__main__":
    main()
