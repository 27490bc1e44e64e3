"""The audit of 100,000 utterances, time and memory; the search for copies, what it finds and mistakes, and how fast.

Run: ``UNHEARD_CORPORA=<folder of corpora> python benchmarks/audit.py`` (Linux, macOS). It prints two tables
and writes them to ``benchmarks/results/audit.md``.
"""

import io
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile
import soxr

from unheard.audio import read_audio
from unheard.audio.fingerprint import copies, fingerprint
from unheard.corpora import Corpus
from unheard.seeds import generator

UTTERANCES, SPEAKERS = 100_000, 500
PROTOCOLS = ("leave-one-speaker-out", "speaker-folds:10")
#: What the whole process may take (s), what ``audit()`` may take with cutting the folds (s), and above the table (MiB).
LIMITS = {"process": 10.0, "audit": 5.0, "memory": 300.0}
#: The share of altered copies that must be found, and times real time that finding must be done in on one core.
RECALL, SPEED = 0.99, 300
RATE = 16_000
#: Each recording is played at these speeds for a search among many: other words, the same statistics.
SPEEDS = 0.76 * 1.065 ** np.arange(10)
RESULT = Path(__file__).parent / "results" / "audit.md"
EMOTIONS = ("angry", "happy", "neutral", "sad", "fear", "disgust", "surprise")

#: Prints the CPU seconds of audit() and MiB above the table. Digests and copies are made up: the audio is empty.
AUDIT = """
import resource, sys, time
import numpy as np
from unheard.corpora import Corpus
from unheard.protocols import get_protocol
from unheard.audit.audit import audit
from unheard.audit.rendering import audit_text
corpus = Corpus.read(sys.argv[1])
rows = np.arange(len(corpus))
corpus = Corpus(corpus.table.assign(digest=[f"{row:064x}" for row in rows], likeness=rows), corpus.folder)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
before, started = peak(), time.process_time()
text = audit_text(audit(corpus, get_protocol(sys.argv[2])))
print(time.process_time() - started, peak() - before)
"""


def write(folder: Path) -> Path:
    """A manifest with every column filled, and an empty file for every recording in it."""
    random = generator(0, "benchmark")
    emotions, texts = random.integers(0, 7, UTTERANCES), random.integers(0, 20_000, UTTERANCES)
    (folder / "audio").mkdir()
    lines = [
        "id,audio,start,end,speaker,gender,emotion,valence,activation,dominance,session,style,text,language,corpus,duration"
    ]
    for row in range(UTTERANCES):
        speaker = row % SPEAKERS
        (folder / f"audio/{row:06}.wav").touch()
        gender, corpus = (("female", "male")[speaker % 2], ("one", "two")[speaker % 2])
        lines.append(
            f"u{row:06},audio/{row:06}.wav,{row % 60}.5,{row % 60 + 3}.25,s{speaker:03},{gender},"
            f"{EMOTIONS[emotions[row]]},{row % 5}.5,{row % 4}.25,{row % 3}.75,x{speaker // 10},improvised,"
            f'"This is sentence number {texts[row]} of them.",en,{corpus},{row % 997 / 200}'
        )
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join([*lines, ""]))
    return manifest


def measure_audit() -> list[tuple[str, float, float, float]]:
    """Protocol, CPU seconds of the process and of the audit in it, MiB above the table."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = write(Path(folder))
        rows = []
        for protocol in PROTOCOLS:
            started = children_seconds()
            command = [sys.executable, "-c", AUDIT, str(manifest), protocol]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, memory = map(float, done.stdout.split())
            rows.append((protocol, children_seconds() - started, seconds, memory))
    return rows


def children_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


def resampled(sound: np.ndarray, rate: float) -> np.ndarray:
    return soxr.resample(soxr.resample(sound, RATE, rate), rate, RATE).astype(np.float32)


def coded(sound: np.ndarray, **codec: object) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(file, np.clip(sound, -1, 1), RATE, **codec)
    return read_audio(file.getvalue())


def noisy(sound: np.ndarray, pink: bool = False) -> np.ndarray:
    """With noise 25 dB below the mean power of the recording."""
    noise = generator(0, "noise", len(sound)).standard_normal(len(sound))
    if pink:
        spectrum = np.fft.rfft(noise) / np.sqrt(np.maximum(1, np.arange(len(sound) // 2 + 1)))
        noise = np.fft.irfft(spectrum, len(sound))
    level = np.sqrt(np.mean(sound**2) / np.mean(noise**2)) * 10 ** (-25 / 20)
    return (sound + level * noise).astype(np.float32)


ALTERED = {
    "20 dB softer, 16 bit": lambda sound: np.round(sound * 0.1 * 32768).astype(np.float32) / 32768,
    "12 dB louder, clipped": lambda sound: np.clip(4 * sound, -1, 1),
    "8 kHz and back": lambda sound: resampled(sound, 8_000),
    "44.1 kHz and back": lambda sound: resampled(sound, 44_100),
    "MP3": lambda sound: coded(sound, format="MP3", subtype="MPEG_LAYER_III"),
    "MP3, strongest compression": lambda sound: coded(
        sound, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.99
    ),
    "Vorbis": lambda sound: coded(sound, format="OGG", subtype="VORBIS"),
    "Vorbis, strongest compression": lambda sound: coded(sound, format="OGG", subtype="VORBIS", compression_level=0.99),
    "Opus": lambda sound: coded(sound, format="OGG", subtype="OPUS"),
    "white noise, SNR 25 dB": noisy,
    "pink noise, SNR 25 dB": lambda sound: noisy(sound, pink=True),
    "first 300 ms cut": lambda sound: sound[4_801:],
    "107 and 156 ms cut": lambda sound: sound[1_712:-2_500],
    "padded by 305 and 188 ms": lambda sound: np.pad(sound, (4_873, 3_000)),
    "a piece: 60 % from within": lambda sound: sound[len(sound) * 21 // 100 : len(sound) * 81 // 100],
    "a piece: the first half": lambda sound: sound[: len(sound) // 2],
    "208 ms cut, MP3, white noise": lambda sound: noisy(coded(sound[3_333:], format="MP3", subtype="MPEG_LAYER_III")),
}


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Of two waveforms where they fit best."""
    from scipy.signal import correlate

    shift = int(np.abs(correlate(one, other, method="fft")).argmax()) - len(other) + 1
    begin, end = max(0, shift), min(len(one), len(other) + shift)
    return float(abs(np.corrcoef(one[begin:end], other[begin - shift : end - shift])[0, 1]))


def pairs_of(words: list[np.ndarray]) -> set[tuple[int, int]]:
    return {(int(one), int(other)) for one, other in copies(words)}


def measure_copies(folder: Path) -> tuple[list[str], float, float]:
    """Lines of the page, the mean recall, and times real time on one core."""
    names, sounds = [], []
    started = time.process_time()
    for manifest in sorted(folder.glob("*/manifest.csv")):
        corpus = Corpus.read(manifest)
        names += [f"{corpus.name} {name}" for name in corpus.table["id"]]
        sounds += [read_audio(corpus.audio_path(row)) for row in range(len(corpus))]
    words = [fingerprint(sound) for sound in sounds]
    found = pairs_of(words)
    seconds = sum(map(len, sounds)) / RATE
    speed = seconds / (time.process_time() - started)
    same = {pair: correlation(sounds[pair[0]], sounds[pair[1]]) for pair in sorted(found)}
    lines = [
        f"{len(sounds):,} recordings ({seconds / 60:.0f} min) of {folder.name}, read, fingerprinted and searched at "
        f"{speed:,.0f} times real time on one core. Pairs found among them, and the correlation of their samples where "
        "they fit best:",
        "",
        *(f"- {names[one]} and {names[other]}: {value:.3f}" for (one, other), value in same.items()),
        "",
        "| 200 recordings altered, searched with all | found, % | other pairs |",
        "|---|---:|---:|",
    ]
    chosen = np.linspace(0, len(sounds) - 1, 200).astype(int)
    recalls = []
    for name, alter in ALTERED.items():
        pairs = pairs_of([*words, *(fingerprint(alter(sounds[index])) for index in chosen)])
        wanted = {(int(index), len(sounds) + position) for position, index in enumerate(chosen)}
        # An altered copy of one of two overlapping recordings is a copy of the other, too.
        origin = [*range(len(sounds)), *map(int, chosen)]
        linked = found | {(other, one) for one, other in found}
        others = {pair for pair in pairs - wanted if (origin[pair[0]], origin[pair[1]]) not in linked}
        recalls.append(len(wanted & pairs) / len(wanted))
        lines.append(f"| {name} | {100 * recalls[-1]:.1f} | {len(others)} |")
    return [*lines, "", *search_among_many(sounds, found)], float(np.mean(recalls)), speed


def search_among_many(sounds: list[np.ndarray], found: set[tuple[int, int]]) -> list[str]:
    many = [fingerprint(soxr.resample(sound, RATE * speed, RATE)) for speed in SPEEDS for sound in sounds]
    started = time.process_time()
    pairs = pairs_of(many)
    seconds = time.process_time() - started
    wanted = {(one + at, other + at) for one, other in found for at in range(0, len(many), len(sounds))}
    hours = sum(map(len, many)) * 0.016 / 3600
    return [
        f"The same recordings at {len(SPEEDS)} speeds, which are different sounds: {len(many):,} of {hours:.0f} h, "
        f"searched in {seconds:.0f} s. Of the {len(wanted)} pairs that overlap at one speed "
        f"{len(wanted & pairs)} were found, and {len(pairs - wanted)} others."
    ]


def main() -> None:
    if "UNHEARD_CORPORA" not in os.environ:
        sys.exit("set UNHEARD_CORPORA to a folder of corpora")
    audits = measure_audit()
    lines, recall, speed = measure_copies(Path(os.environ["UNHEARD_CORPORA"]))
    page = [
        "# The audit",
        "",
        f"Command: `python benchmarks/audit.py` (with `UNHEARD_CORPORA`). {UTTERANCES:,} utterances of {SPEAKERS} "
        "speakers, all columns filled, the audio not read; CPU time of one thread. The process starts Python, reads "
        f"the CSV, looks for every file, and audits; it may take {LIMITS['process']:.0f} s, `audit()` with cutting the "
        f"folds {LIMITS['audit']:.0f} s and {LIMITS['memory']:.0f} MiB above the table.",
        "",
        "| protocol | process, s | audit, s | above the table, MiB |",
        "|---|---:|---:|---:|",
        *(f"| {name} | {whole:.1f} | {part:.1f} | {memory:.0f} |" for name, whole, part, memory in audits),
        "",
        "## Copies of recordings",
        "",
        *lines,
        "",
        f"Python {platform.python_version()}, numpy {version('numpy')}, scipy {version('scipy')}, pandas "
        f"{version('pandas')}, {platform.system()}, {os.cpu_count()} cores, {platform.machine()}",
    ]
    text = "\n".join(page) + "\n"
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text)
    slow = any(row[1] > LIMITS["process"] or row[2] > LIMITS["audit"] or row[3] > LIMITS["memory"] for row in audits)
    if slow or recall < RECALL or speed < SPEED:
        sys.exit("over a limit")


if __name__ == "__main__":
    main()
