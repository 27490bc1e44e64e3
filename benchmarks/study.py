"""How well a study uses the cores: 4 recipes × 10 folds in one command, interrupted once and resumed.

Run: ``python benchmarks/study.py MANIFEST``, on the manifest of EmoDB or of any corpus with ten speakers. Features are
computed before the clock starts; each run makes one epoch, so that what is not training weighs more than it ever does.
"""

import os
import platform
import resource
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

RECIPES = ("tdnn", "tdnn-mtl", "tdnn-dat", "tdnn-cgt")
RESULT = Path(__file__).parent / "results" / "study.md"


def command(manifest: str, folder: Path, out: str, *recipes: str) -> list[str]:
    return [
        sys.executable, "-m", "unheard", "study", *recipes, "training.epochs=1", "--corpus", manifest, "--protocol",
        "leave-one-speaker-out", "--seeds", "1", "--cache", str(folder / "cache"), "--out", str(folder / out),
    ]  # fmt: skip


def finished(folder: Path) -> int:
    return len(list(folder.glob("runs/*/*/result.json")))


def measured(manifest: str, folder: Path) -> list[str]:
    """Rows of the table: wall-clock seconds, processor seconds, share of the cores, runs."""
    whole = command(manifest, folder, "study", *RECIPES)
    for recipe in ("tdnn", "tdnn-cgt"):  # the two front ends
        subprocess.run(command(manifest, folder, f"features-{recipe}", recipe), check=True, capture_output=True)
    rows = []
    for what, seconds in (("until it was interrupted", 60.0), ("resumed, to its end", None)):
        done = finished(folder / "study")
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        study = subprocess.Popen(whole, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            study.wait(seconds)
        except subprocess.TimeoutExpired:
            study.send_signal(signal.SIGINT)
            study.wait()
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        share = busy / wall / (os.cpu_count() or 1)
        rows.append(f"| {what} | {finished(folder / 'study') - done} | {wall:.0f} | {busy:.0f} | {share:.0%} |")
    return rows


def main() -> None:
    """Measure, print and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(sys.argv[1], Path(folder))
    lines = [
        "# A study of 4 recipes × 10 folds in one command",
        "",
        f"`python benchmarks/study.py MANIFEST`: {', '.join(f'`{name}`' for name in RECIPES)} under leave-one-speaker-"
        "out, one epoch each, one worker a core; interrupted after a minute, then the same command again. Wall-clock "
        "and processor time hold everything from the start of the command to the written report.",
        "",
        "| part | runs | seconds | processor seconds | share of the cores |",
        "|---|---:|---:|---:|---:|",
        *rows,
        "",
        f"torch {version('torch')}, Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}; "
        f"load at the end {os.getloadavg()[0]:.1f}.",
    ]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
