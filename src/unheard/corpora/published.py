"""Readers of published corpora: what each one states, and the counts that must be found before it is believed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd
import soundfile

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError

AUDIO_SUFFIXES = (".wav", ".flac")


@dataclass(frozen=True)
class Published:
    """A published corpus: one function that yields its utterances and one table of the counts it must find.

    ``editions`` are the known editions of the corpus, the number of utterances of each emotion in each; the first is
    the published one. ``utterances`` takes the corpus folder and yields one row per utterance, in the columns of
    :mod:`unheard.corpora.corpus`; it need not give ``language``, ``corpus`` and ``duration``. ``layout`` is what the
    folder looks like, for the sentence that says that it does not.
    """

    name: str
    title: str
    language: str
    licence: str
    citation: str
    layout: str
    editions: Mapping[str, Mapping[str, int]]
    utterances: Callable[[Path], Iterator[dict[str, str]]]

    def edition(self, emotions: Iterable[str]) -> str | None:
        """The name of the edition that has exactly these emotion labels, ``None`` where none has."""
        found = Counter(emotions)
        return next((name for name, counts in self.editions.items() if found == Counter(counts)), None)

    def difference(self, emotions: Iterable[str]) -> str:
        """Every class whose count is not that of the nearest edition; empty where all are.

        >>> from unheard.corpora.urdu import URDU
        >>> URDU.difference(["angry"] * 99 + ["happy", "neutral", "sad"] * 100)
        'angry 99 instead of 100'
        """
        found = Counter(emotions)

        def wrong(counts: Mapping[str, int]) -> dict[str, int]:
            expected = dict.fromkeys(found, 0) | dict(counts)
            return {emotion: count for emotion, count in expected.items() if found[emotion] != count}

        def distance(counts: Mapping[str, int]) -> int:
            return sum(abs(found[emotion] - count) for emotion, count in wrong(counts).items())

        nearest = min(self.editions.values(), key=distance)
        return ", ".join(f"{emotion} {found[emotion]} instead of {n}" for emotion, n in sorted(wrong(nearest).items()))


def prepare(published: Published, folder: str | Path, *, partial: bool = False) -> Corpus:
    """The utterances of a corpus in its published layout, with their durations (seconds, from the audio headers).

    The counts of each emotion must be those of a known edition; ``partial`` accepts any others.

    Raises:
        InputError: the folder is not this corpus, not whole, holds an utterance twice, or a name or header is wrong.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; {published.title} is a folder with {published.layout}")
    rows = list(published.utterances(folder))
    if not rows:
        raise InputError(f"{folder}: no utterance of {published.title} is in it; it must hold {published.layout}")
    _no_copies(rows, folder)
    emotions = [row["emotion"] for row in rows]
    if not partial and published.edition(emotions) is None:
        raise InputError(
            f"{folder}: this is no known edition of {published.title}: {published.difference(emotions)}; "
            "complete the folder, or accept it as it is with --partial"
        )
    table = pd.DataFrame(rows).assign(language=published.language, corpus=published.name)
    with ThreadPoolExecutor() as pool:
        table["duration"] = list(pool.map(lambda audio: _duration(folder / audio), table["audio"]))
    return Corpus.from_table(table, folder, str(folder))


def named_audio(folder: Path, grammar: re.Pattern[str]) -> Iterator[tuple[PurePosixPath, re.Match[str]]]:
    """Every .wav and .flac file at any depth whose name without suffix matches ``grammar``, in the order of the paths.

    A file of another form of name is no part of the corpus and is passed over, and so are hidden files
    (macOS leaves ``._name.wav`` beside each ``name.wav``). Paths start from ``folder``.
    """
    for path in sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")):
        file = PurePosixPath(path)
        if file.suffix.lower() in AUDIO_SUFFIXES and (match := grammar.fullmatch(file.stem)):
            yield file, match


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


def _no_copies(rows: list[dict[str, str]], folder: Path) -> None:
    first: dict[str, str] = {}
    for row in rows:
        other = first.setdefault(row["id"], row["audio"])
        if other != row["audio"]:
            raise InputError(
                f'{folder}: the utterance {row["id"]} is there twice, as "{other}" and "{row["audio"]}"; '
                "point at the folder of one copy"
            )


def _duration(path: Path) -> float:
    try:
        header = soundfile.info(path)
    except soundfile.SoundFileError as problem:
        raise InputError(f"{path}: this is no readable audio file; fetch it again or remove it") from problem
    return round(float(header.duration), 6)


def known_editions(corpus: Corpus) -> Mapping[str, Mapping[str, int]] | None:
    """The editions of the published corpus that this is by its column ``corpus``; None where it is no such corpus."""
    from unheard.corpora import CORPORA

    if corpus.name not in CORPORA:
        return None
    published: Published = CORPORA[corpus.name]
    return published.editions
