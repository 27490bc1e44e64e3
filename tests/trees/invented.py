"""Corpora as hypothesis invents them, and whether one that was exported and imported again is still the same."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from hypothesis import strategies as some

from unheard.corpora import EMOTIONS, Corpus
from unheard.corpora.corpus import GENDERS, NUMBERS

#: Seconds and samples per second of every recording that :func:`record` writes.
SECONDS, RATE = 2.0, 8_000

ODD = [
    "NA",
    "nan",
    "None",
    "001",
    "1e5",
    "-",
    "True",
    'say "hi"',
    "a, b",
    "a;b",
    "#",
    "{x}",
    "Ärger über Öl",
    "日本",
    "x|",
]
letters = some.characters(codec="utf-8", exclude_categories=["Cc"])
texts = some.text(letters, max_size=8) | some.sampled_from(ODD)
lines = texts | some.just("two\nlines")
words = some.text(some.characters(codec="utf-8", exclude_categories=["Cc", "Z"]), min_size=1, max_size=8)
file_names = some.text(some.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="/\\"), max_size=6)
ratings = some.floats(allow_nan=False, allow_infinity=False)
milliseconds = some.integers(0, 900).map(lambda value: value / 1000)


@some.composite
def corpora(draw: some.DrawFn, folder: Path, *, blanks: bool = True, shared: bool = True) -> Corpus:
    """A few utterances, some of them parts of one recording, with odd ids and texts, and labels missing here and there.

    Args:
        folder: of the corpus; the recordings are not written.
        blanks: whether ids and speakers may hold blanks.
        shared: whether a recording may hold several utterances.
    """
    rows = draw(some.integers(1, 4))
    name = texts if blanks else words
    table: dict[str, list[object]] = {}
    cut = draw(some.booleans())
    recordings = [f"wav/{row}{draw(file_names)}.wav" for row in range(rows)]
    if cut and shared:
        recordings = [draw(some.sampled_from(recordings)) for _ in range(rows)]
    table["audio"] = list(recordings)
    if cut:  # each part starts where no other does
        table["start"] = [row / 10 + draw(some.sampled_from([0.0, 0.025])) for row in range(rows)]
        table["end"] = [draw(some.none() | some.just(1.0 + row / 8)) for row in range(rows)]
    if draw(some.booleans()) or cut:
        table["id"] = [f"{row}-{draw(name)}" for row in range(rows)]
    values = {
        "gender": some.sampled_from(GENDERS),
        "emotion": some.sampled_from(EMOTIONS),
        "text": lines,
        "speaker": name,
    }
    values |= dict.fromkeys(("valence", "activation", "dominance"), ratings)
    values |= dict.fromkeys(("session", "style", "language", "corpus"), texts) | {"mood": some.sampled_from(ODD)}
    for column in draw(some.lists(some.sampled_from(sorted(values)), unique=True)):
        table[column] = draw(some.lists(some.none() | values[column], min_size=rows, max_size=rows))
    return Corpus.from_table(pd.DataFrame(table), folder)


def record(corpus: Corpus) -> None:
    """Write the recordings of a corpus: silence."""
    for audio in corpus.table["audio"].unique():
        (corpus.folder / audio).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(corpus.folder / audio, np.zeros(int(SECONDS * RATE)), RATE)


def plain(corpus: Corpus, columns: list[str], *, audio: bool = True) -> list[dict[str, object]]:
    """What is known of each utterance, in the order of their ids; missing values are not there."""
    table = corpus.table.sort_values("id")
    found = []
    for row, values in zip(table.index, table.to_dict("records"), strict=True):
        known = {name: values[name] for name in columns if name in values and not pd.isna(values[name])}
        known |= {name: round(value, 9) for name, value in known.items() if name in NUMBERS and abs(value) < 1e5}
        if known.get("start") == 0 and "end" not in known:
            del known["start"]  # from the beginning to the end is all of it
        if "end" in known:
            known.setdefault("start", 0.0)
        if audio:
            known["audio"] = os.path.abspath(corpus.audio_path(corpus.table.index.get_loc(row)))
        found.append(known)
    return found
