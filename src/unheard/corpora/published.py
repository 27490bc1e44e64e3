"""Readers of published corpora: what each one states, and what must be found before it is believed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import soundfile
from tqdm import tqdm

from unheard.audio import duration as seconds_of
from unheard.corpora.corpus import Corpus
from unheard.corpora.editions import Edition, Nearest, nearest_edition
from unheard.errors import InputError

AUDIO_SUFFIXES = (".wav", ".flac")
#: So many audio headers are one task for a thread: handing over each by itself costs more than reading it.
HEADERS_AT_ONCE = 64

#: One utterance, in the columns of :mod:`unheard.corpora.corpus`.
Row = dict[str, Any]


@dataclass(frozen=True)
class Flaw:
    """What keeps a folder from being the published corpus: a file or folder in it, and what is wrong with it.

    >>> str(Flaw("Session3", "the folder is missing"))
    'Session3: the folder is missing'
    """

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


@dataclass(frozen=True)
class Published:
    """A published corpus: one function that yields its utterances and one table of the counts it must find.

    Attributes:
        name: in the registry, and in the column ``corpus``.
        title, licence, citation: for people.
        language: a code of ISO 639, of the utterances that do not say their own.
        layout: what the folder looks like, for the sentence that says that it does not.
        editions: the known editions, the published one first: how many utterances have each value of the column
            ``counted``. See :mod:`unheard.corpora.editions`. Empty where no publication counts them.
        utterances: from the corpus folder to one row per utterance, and a :class:`Flaw` for each file that is not as
            published. A row need not give ``language``, ``corpus`` and ``duration``. It opens no audio.
        counted: the column that ``editions`` counts.
        whole: whether all values of an edition must be there; otherwise any of them, each complete.
        sample_rate: of the published audio (Hz), where another one would mean another audio.
    """

    name: str
    title: str
    language: str
    licence: str
    citation: str
    layout: str
    editions: Mapping[str, Edition]
    utterances: Callable[[Path], Iterator[Row | Flaw]]
    counted: str = "emotion"
    whole: bool = True
    sample_rate: int | None = None

    def edition(self, values: Iterable[Any]) -> str | None:
        """The name of the edition that has exactly these values in the counted column, ``None`` where none has."""
        nearest = nearest_edition(values, self.editions, self.whole)
        return nearest.name if nearest and not nearest.differences else None

    def difference(self, values: Iterable[Any]) -> str:
        """Every value whose count is not that of the nearest edition; empty where all are.

        >>> from unheard.corpora.readers.urdu import URDU
        >>> URDU.difference(["angry"] * 99 + ["happy", "neutral", "sad"] * 100)
        'angry 99 instead of 100'
        """
        nearest = nearest_edition(values, self.editions, self.whole)
        return ", ".join(
            f"{value} {found:,} instead of {expected:,}"
            for value, (found, expected) in (nearest.differences if nearest else {}).items()
        )


@dataclass(frozen=True)
class Prepared:
    """A published corpus as it was found, and the flaws that were accepted with it."""

    corpus: Corpus
    flaws: tuple[Flaw, ...] = ()


def prepare(published: Published, folder: str | Path, *, partial: bool = False) -> Prepared:
    """The utterances of a corpus in its published layout, with their durations (seconds, from the audio headers).

    There must be no flaw, and the counts must be those of a known edition. ``partial`` accepts what there is: a
    recording that cannot be read and a label without its recording are left out.

    Raises:
        InputError: the folder is not this corpus, not whole, holds an utterance twice, or a name or header is wrong.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; {published.title} is a folder with {published.layout}")
    found = list(published.utterances(folder))
    rows = [row for row in found if not isinstance(row, Flaw)]
    flaws = [flaw for flaw in found if isinstance(flaw, Flaw)]
    if not rows:
        raise InputError(f"{folder}: no utterance of {published.title} is in it; it must hold {published.layout}")
    _no_copies(rows, folder)
    headers = _headers(folder, [row["audio"] for row in rows], published)
    flaws += [flaw for _, flaw in headers if flaw]
    kept = [{"duration": seconds} | row for row, (seconds, _) in zip(rows, headers, strict=True) if seconds is not None]
    _is_whole(published, folder, rows, flaws, partial)
    if not kept:
        raise InputError(f"{folder}: no recording of {published.title} in it can be read; fetch them again")
    table = pd.DataFrame(kept)
    table["language"] = table["language"].fillna(published.language) if "language" in table else published.language
    corpus = Corpus.from_table(table.assign(corpus=published.name), folder, str(folder))
    return Prepared(corpus, tuple(flaws))


def _is_whole(published: Published, folder: Path, rows: list[Row], flaws: list[Flaw], partial: bool) -> None:
    if partial:
        return
    remedy = "complete the folder, or accept it as it is with --partial"
    difference = published.difference(row.get(published.counted) for row in rows)
    if flaws:
        more = f"; {len(flaws):,} flaws in all" if len(flaws) > 1 else ""
        counts = f"; {difference}" if difference else ""
        raise InputError(f"{folder}, {flaws[0]} ({len(rows):,} utterances found{counts}{more}); {remedy}")
    if difference:
        raise InputError(f"{folder}: this is no known edition of {published.title}: {difference}; {remedy}")


def paired(
    labels: Mapping[str, Row], recordings: Mapping[str, PurePosixPath], label_file: Callable[[str], str]
) -> Iterator[Row | Flaw]:
    """Labels from a list joined with the recordings of a folder, by id, in the order of the labels.

    A label without a recording is a flaw, and so is a recording without a label.

    Args:
        labels: the row of each id, without ``id`` and ``audio``.
        recordings: the path of each id, from the corpus folder.
        label_file: the file in which an id's label should stand, for the flaw that says that it does not.
    """
    for name, row in labels.items():
        if name in recordings:
            yield {"id": name, "audio": str(recordings[name])} | row
        else:
            yield Flaw(label_file(name), f"{name} is labelled, but there is no recording of it")
    for name in sorted(recordings.keys() - labels.keys()):
        yield Flaw(label_file(name), f"the recording {recordings[name]} has no label")


def named_audio(
    folder: Path, grammar: re.Pattern[str], suffixes: tuple[str, ...] = AUDIO_SUFFIXES
) -> Iterator[tuple[PurePosixPath, re.Match[str]]]:
    """Every recording at any depth whose name without suffix matches ``grammar``, in the order of the paths.

    A file of another form of name is no part of the corpus and is passed over, and so are hidden files
    (macOS leaves ``._name.wav`` beside each ``name.wav``). Paths start from ``folder``.
    """
    for path in audio_files(folder, suffixes):
        file = PurePosixPath(path)
        if match := grammar.fullmatch(file.stem):
            yield file, match


def audio_files(folder: Path, suffixes: tuple[str, ...] = AUDIO_SUFFIXES) -> list[str]:
    """The paths of all recordings at any depth, sorted, with ``/``, from ``folder``. Hidden ones are left out."""
    found = []
    for place, _, files in os.walk(folder):
        start = Path(place).relative_to(folder).as_posix()
        prefix = "" if start == "." else f"{start}/"
        found += [prefix + file for file in files if file.lower().endswith(suffixes) and not file.startswith(".")]
    return sorted(found)


def file_above(recording: Path, name: str) -> Path | None:
    """The file called ``name`` that lies nearest above a recording; None where there is none.

    A corpus has its lists at its top, and people point at any folder below it.
    """
    places = Path(os.path.abspath(recording)).parents
    return next((place / name for place in places if (place / name).is_file()), None)


def decoded(file: PurePosixPath, what: str, code: str, codes: Mapping[str, str]) -> str:
    """What a part of a file's name stands for.

    Raises:
        InputError: the name has the form of the corpus, but the code is none of its codes.
    """
    if code not in codes:
        raise InputError(
            f'{file}: "{code}" in the name is no {what} of this corpus ({", ".join(codes)}); '
            "restore the published name or remove the file"
        )
    return codes[code]


def _no_copies(rows: list[Row], folder: Path) -> None:
    first: dict[str, str] = {}
    for row in rows:
        other = first.setdefault(row["id"], row["audio"])
        if other != row["audio"]:
            raise InputError(
                f'{folder}: the utterance {row["id"]} is there twice, as "{other}" and "{row["audio"]}"; '
                "point at the folder of one copy"
            )


def _headers(folder: Path, files: list[str], published: Published) -> list[tuple[float | None, Flaw | None]]:
    """What :func:`_header` says of each file."""
    bundles = [files[start : start + HEADERS_AT_ONCE] for start in range(0, len(files), HEADERS_AT_ONCE)]
    headers: list[tuple[float | None, Flaw | None]] = []
    with (
        ThreadPoolExecutor() as pool,
        tqdm(total=len(files), desc=f"{published.name} recordings", unit="file", delay=2, disable=None) as bar,
    ):
        read = pool.map(lambda bundle: [_header(folder, file, published.sample_rate) for file in bundle], bundles)
        for some in read:
            headers += some
            bar.update(len(some))
    return headers


def _header(folder: Path, audio: str, sample_rate: int | None) -> tuple[float | None, Flaw | None]:
    """The duration (s) of a recording, None where it cannot be read, and what is wrong with it."""
    try:
        header = soundfile.info(os.path.join(folder, audio))
    except (soundfile.SoundFileError, OSError):
        try:
            return round(seconds_of(folder / audio), 6), None  # a video, which soundfile does not read
        except InputError:
            return None, Flaw(audio, "this is no readable audio file")
    flaw = None
    if sample_rate is not None and header.samplerate != sample_rate:
        flaw = Flaw(audio, f"its sample rate is {header.samplerate:,} Hz instead of {sample_rate:,} Hz")
    return round(float(header.duration), 6), flaw


def editions_found(corpus: Corpus) -> dict[str, Nearest]:
    """For each published corpus among these utterances (by their column ``corpus``) the nearest of its editions."""
    from unheard.corpora import CORPORA

    if "corpus" not in corpus.table:
        return {}
    found: dict[str, Nearest] = {}
    for name, table in corpus.table.groupby(corpus.table["corpus"].astype(str)):
        if str(name) not in CORPORA:
            continue
        published: Published = CORPORA[str(name)]
        values = table[published.counted] if published.counted in table else [None] * len(table)
        nearest = nearest_edition(values, published.editions, published.whole)
        if nearest:
            found[published.name] = nearest
    return found
