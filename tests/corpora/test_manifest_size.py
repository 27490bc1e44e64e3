"""A large corpus comes in through a manifest: the size and split of the 250-speaker Mandarin corpus of tu2019."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from unheard.corpora import Corpus
from unheard.errors import InputError

#: Speakers and utterances of each part, PAPERS of tu2019: 53,803 utterances in all.
PARTS = {"train": (200, 43_202), "dev": (25, 5_407), "test": (25, 5_194)}
EMOTIONS = ("happy", "sad", "angry", "surprise")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """The columns audio, speaker, emotion and split."""
    rows = []
    for part, (speakers, utterances) in PARTS.items():
        for number in range(utterances):
            speaker = f"{part}{number % speakers:03d}"
            audio = f"wav/{speaker}/{number // speakers:04d}.wav"
            rows.append((audio, speaker, EMOTIONS[(number + number // speakers) % 4], part))
    return pd.DataFrame(rows, columns=["audio", "speaker", "emotion", "split"])


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.parquet"])
def test_it_is_read_in_a_few_seconds(tmp_path: Path, table: pd.DataFrame, name: str):
    Corpus.from_table(table, tmp_path).write(tmp_path / name)
    start = time.perf_counter()
    corpus = Corpus.read(tmp_path / name, check_audio=False)
    assert time.perf_counter() - start < 3  # 0.4 s on a free machine
    assert len(corpus) == 53_803
    assert list(corpus.table) == ["id", "audio", "speaker", "emotion", "split"]
    parts = corpus.table.groupby("split")
    assert parts.size().to_dict() == {part: utterances for part, (_, utterances) in PARTS.items()}
    assert parts["speaker"].nunique().to_dict() == {part: speakers for part, (speakers, _) in PARTS.items()}
    assert corpus.table.groupby("speaker")["split"].nunique().max() == 1


def changed(column: str, value: str | None) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The table with another value in its last but one row, line 53,803."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[len(table) - 2, column] = value
        return table

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (changed("emotion", "suprise"), 'line 53803: there is no emotion "suprise"; did you mean "surprise"? (leave'),
        (changed("emotion", "Angry"), 'line 53803: there is no emotion "Angry"; did you mean "angry"?'),
        (changed("audio", None), "line 53803: the utterance has no audio; name its recording or remove the row"),
        (changed("audio", "wav/train000/0000.wav"), "stands in line 2 already; remove one of the two rows"),
        (
            lambda table: table.rename(columns={"audio": "path"}),
            'the column "audio" (path of the recording) is missing',
        ),
    ],
)
def test_one_bad_value_is_one_sentence(
    tmp_path: Path, table: pd.DataFrame, change: Callable[[pd.DataFrame], pd.DataFrame], sentence: str
):
    path = tmp_path / "manifest.csv"
    change(table.copy()).to_csv(path, index=False)
    start = time.perf_counter()
    with pytest.raises(InputError) as problem:
        Corpus.read(path, check_audio=False)
    assert time.perf_counter() - start < 5  # the line is counted only where something is wrong
    assert str(problem.value).startswith(str(path))
    assert sentence in str(problem.value)
    assert "\n" not in str(problem.value)


def test_the_first_absent_recording_is_named(tmp_path: Path, table: pd.DataFrame):
    table.to_csv(tmp_path / "manifest.csv", index=False)
    with pytest.raises(InputError, match=r'line 2: the audio file "wav/train000/0000\.wav" does not exist'):
        Corpus.read(tmp_path)
