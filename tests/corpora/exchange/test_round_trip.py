"""What goes out and comes in again is the same, for any corpus hypothesis can invent."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some

from trees.invented import SECONDS, corpora, plain, record
from unheard.corpora import Corpus
from unheard.corpora.exchange import export_corpus, import_corpus
from unheard.corpora.exchange.kaldi import WRITTEN

PLACE = Path("/somewhere/else")  # of corpora whose recordings are not needed
FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name).resolve()


def there_and_back(corpus: Corpus, name: str, place: Path, **how: bool) -> tuple[Corpus, tuple[str, ...]]:
    lost = export_corpus(corpus, place, name, **how)
    imported = import_corpus(place)
    assert imported.folds == {}
    assert imported.lost == ()
    assert not imported.corpus.table.columns.duplicated().any()
    return imported.corpus, lost


@pytest.mark.parametrize("name", ["emobox", "audformat"])
@given(data=some.data())
@FEW
@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of pandas, in the library audformat
def test_without_recordings(name: str, data: some.DataObject) -> None:
    corpus = data.draw(corpora(PLACE))
    with folder() as place:
        back, lost = there_and_back(corpus, name, place / "out")
    columns = [column for column in corpus.table if column != "audio"]
    assert plain(back, columns) == plain(corpus, columns)
    assert set(back.table) <= set(corpus.table)
    assert lost == ()


@given(data=some.data())
@FEW
def test_kaldi(data: some.DataObject) -> None:
    corpus = data.draw(corpora(PLACE, blanks=False))
    table = corpus.table
    if "speaker" in table:
        assume(not (table["speaker"] == table["id"]).any())
        if "gender" in table:  # Kaldi knows it of a speaker only
            gender = table.groupby(table["speaker"].fillna(table["id"]))["gender"].transform("first")
            corpus = Corpus(table.assign(gender=gender), corpus.folder)
    if "id" not in table or table["id"].str.contains(r"\s").any():
        return
    with folder() as place:
        back, lost = there_and_back(corpus, "kaldi", place / "out")
    held = [column for column in table if column in WRITTEN and column != "audio"]
    assert [
        row | ({"text": row["text"].replace("\n", " ")} if "text" in row else {}) for row in plain(corpus, held)
    ] == (plain(back, held))
    for column in table.dropna(axis="columns", how="all"):
        assert (column in held or column == "audio") != any(f'"{column}" has no place' in one for one in lost)


def ends(corpus: Corpus) -> dict[str, float]:
    """Where each utterance ends, which lhotse also says of those that end with their recording."""
    end = corpus.table.get("end", pd.Series(SECONDS, corpus.table.index)).fillna(SECONDS)
    return dict(zip(corpus.table["id"], end.round(6), strict=True))


@given(data=some.data())
@FEW
def test_lhotse(data: some.DataObject) -> None:
    with folder() as place:
        corpus = data.draw(corpora(place / "corpus"))
        record(corpus)
        back, lost = there_and_back(corpus, "lhotse", place / "out")
        columns = [column for column in corpus.table if column not in ("audio", "end")]
        assert plain(back, columns) == plain(corpus, columns)
        assert ends(back) == ends(corpus)
    assert lost == ()


@given(data=some.data())
@FEW
def test_audio_folder(data: some.DataObject) -> None:
    with folder() as place:
        corpus = data.draw(corpora(place / "corpus"))
        record(corpus)
        back, lost = there_and_back(corpus, "audio-folder", place / "out")
        assert all(back.audio_path(row).is_relative_to(place / "out") for row in range(len(back)))
        assert all(back.audio_path(row).is_file() for row in range(len(back)))
        for line in (place / "out" / "metadata.jsonl").read_text(encoding="utf-8").splitlines():
            assert "file_name" in json.loads(line)
    columns = [column for column in corpus.table if column != "audio"]
    assert plain(back, columns, audio=False) == plain(corpus, columns, audio=False)
    assert lost == ()
