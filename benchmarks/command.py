"""How long the command takes to answer: ``unheard --help``, ``unheard --version``, ``import unheard``.

Run: ``python benchmarks/command.py``. It prints a table and writes it to ``benchmarks/results/command.md``.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

REPEATS = 15
#: Seconds that ``unheard --help`` may take.
LIMIT = 0.3
RESULT = Path(__file__).parent / "results" / "command.md"


def seconds(command: list[str]) -> list[float]:
    """Wall time of every run but the first, which fills the file cache."""
    times = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        times.append(time.perf_counter() - started)
    return times[1:]


def main() -> None:
    unheard = shutil.which("unheard", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if unheard is None:
        sys.exit("the command unheard is not installed")
    commands = {
        "`python -c pass`, for comparison": [sys.executable, "-c", "pass"],
        "`import unheard`": [sys.executable, "-c", "import unheard"],
        "`unheard --version`": [unheard, "--version"],
        "`unheard --help`": [unheard, "--help"],
    }
    lines = [
        "# The command",
        "",
        f"Command: `python benchmarks/command.py`. Wall time of a whole process, {REPEATS} runs each, file cache warm. "
        f"`unheard --help` may take {LIMIT} s.",
        "",
        "| | median, s | slowest, s |",
        "|---|---:|---:|",
    ]
    for name, command in commands.items():
        times = seconds(command)
        lines.append(f"| {name} | {median(times):.3f} | {max(times):.3f} |")
    lines += [
        "",
        f"Python {platform.python_version()}, click {version('click')}, {platform.system()}, {os.cpu_count()} cores, "
        f"{platform.machine()}",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text)
    if median(times) > LIMIT:
        sys.exit(f"unheard --help takes more than {LIMIT} s")


if __name__ == "__main__":
    main()
