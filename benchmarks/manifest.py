"""Memory and time of reading a manifest of 1,000 and of 100,000 utterances, each in a process of its own.

Run: ``python benchmarks/manifest.py``. It prints a table and writes it to ``benchmarks/results/manifest.md``.
"""

import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median

SIZES = (1_000, 100_000)
REPEATS = 3
#: How much more the longer manifest may cost.
LIMIT = 300
RESULT = Path(__file__).parent / "results" / "manifest.md"
EMOTIONS = ("angry", "happy", "neutral", "sad")
HEADER = (
    "id,audio,start,end,speaker,gender,emotion,valence,activation,dominance,session,style,text,language,corpus,duration"
)

#: Prints the peak of the resident set in MiB and the seconds of the reading alone. A child starts with its parent's
#: peak on Linux, so the parent stays small.
READ = """
import resource, sys, time
from unheard.corpora import Corpus
started = time.perf_counter()
corpus = Corpus.read(sys.argv[1])
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
print(len(corpus), peak, seconds)
"""


def row(number: int) -> str:
    """Every column filled; the text is as long as a sentence."""
    speaker = f"Ses{number % 200:03}{'FM'[number % 2]}"
    return (
        f"utterance{number:06},audio/{speaker}/utterance{number:06}.wav,{number % 60}.5,{number % 60 + 3}.25,{speaker},"
        f"{('female', 'male')[number % 2]},{EMOTIONS[number % 4]},{number % 5}.5,{number % 4}.25,{number % 3}.75,"
        f'Ses{number % 20:03},improvised,"This is sentence number {number} of the whole long corpus.",en,made,2.75'
    )


def write(folder: Path, size: int) -> Path:
    """A manifest, and an empty file for every recording in it."""
    rows = [row(number) for number in range(size)]
    for line in rows:
        recording = folder / line.split(",")[1]
        recording.parent.mkdir(parents=True, exist_ok=True)
        recording.touch()
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join([HEADER, *rows, ""]))
    return manifest


def measure(manifest: Path, size: int) -> tuple[float, float]:
    """Median peak in MiB and median seconds."""
    peaks, times = [], []
    for _ in range(REPEATS):
        done = subprocess.run([sys.executable, "-c", READ, str(manifest)], capture_output=True, text=True, check=True)
        count, peak, seconds = done.stdout.split()
        assert int(count) == size
        peaks.append(float(peak))
        times.append(float(seconds))
    return median(peaks), median(times)


def main() -> None:
    lines = [
        "# Reading a manifest",
        "",
        f"Command: `python benchmarks/manifest.py`. `Corpus.read` of a CSV with all 16 columns filled, every recording "
        f"looked for, each time in a new process; median of {REPEATS}. The longer one may take {LIMIT} MiB more than "
        "the shorter one.",
        "",
        "| utterances | manifest, MiB | peak memory of the process, MiB | reading, s |",
        "|---:|---:|---:|---:|",
    ]
    peaks = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            manifest = write(Path(folder), size)
            peak, seconds = measure(manifest, size)
            lines.append(f"| {size:,} | {manifest.stat().st_size / 2**20:.1f} | {peak:.0f} | {seconds:.2f} |")
            peaks.append(peak)
    lines += [
        "",
        f"Difference: {peaks[1] - peaks[0]:.0f} MiB.",
        "",
        f"Python {platform.python_version()}, pandas {version('pandas')}, pyarrow {version('pyarrow')}, "
        f"{platform.system()}, {os.cpu_count()} cores, {platform.machine()}",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text)
    if peaks[1] - peaks[0] > LIMIT:
        sys.exit(f"the longer manifest costs more than {LIMIT} MiB")


if __name__ == "__main__":
    main()
