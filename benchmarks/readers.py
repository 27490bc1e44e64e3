"""Readers of published corpora: how long each takes to start, and to read the labels of a full-size tree.

Run: ``python benchmarks/readers.py``. It prints a table and writes it to ``benchmarks/results/readers.md``.
"""

import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from unheard.corpora import CORPORA
from unheard.corpora.published import prepare

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from trees import iemocap, msp_improv

#: What a reader may take to start, and to read the labels of IEMOCAP (s).
START, LABELS = 1.0, 5.0
RESULT = Path(__file__).parent / "results" / "readers.md"


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """CPU time of the quickest of several runs."""
    found = []
    for _ in range(times):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def start(name: str) -> float:
    """CPU time from nothing to a reader: Python, its libraries, the module."""
    program = f"from unheard.corpora import CORPORA; CORPORA[{name!r}]; import time; print(time.process_time())"
    return min(
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    )


def main() -> None:
    """Measure, print and write."""
    starts = {name: start(name) for name in CORPORA}
    slowest = max(starts, key=lambda name: starts[name])
    rows = []
    for name, module in (("iemocap", iemocap), ("msp-improv", msp_improv)):
        with tempfile.TemporaryDirectory() as folder:
            module.build(Path(folder))
            published = CORPORA[name]
            count = len([*published.utterances(Path(folder))])
            labels = seconds(lambda published=published, folder=folder: list(published.utterances(Path(folder))))
            whole = seconds(lambda published=published, folder=folder: prepare(published, folder), 2)
        rows.append(f"| {name} | {count:,} | {labels:.2f} | {whole:.2f} |")
    text = "\n".join(
        [
            "# Readers",
            "",
            "Command: `python benchmarks/readers.py`. Full-size trees in the published layout, tiny recordings, CPU "
            f"time of the quickest of several runs. A reader may take {START:.0f} s to start and IEMOCAP's labels "
            f"{LABELS:.0f} s.",
            "",
            f"The slowest of the {len(starts)} readers to start is `{slowest}`: {starts[slowest]:.2f} s from nothing, "
            "Python and pandas included.",
            "",
            "| corpus | utterances | labels, s | `corpus prepare` with every audio header, s |",
            "|---|---:|---:|---:|",
            *rows,
            "",
            f"Python {platform.python_version()}, pandas {version('pandas')}, {platform.system()}",
        ]
    )
    print(text)
    RESULT.write_text(text + "\n", encoding="utf-8")
    assert starts[slowest] < START


if __name__ == "__main__":
    main()
