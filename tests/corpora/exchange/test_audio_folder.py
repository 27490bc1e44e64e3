"""AudioFolders as Hugging Face datasets reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from unheard.corpora import Corpus
from unheard.corpora.exchange import export_corpus, import_corpus
from unheard.corpora.exchange.audio_folder import SPLIT_WORD
from unheard.errors import InputError

ROWS = {"a.wav": ("sad", "001"), "b, c.wav": ("ang", "NA"), "ü.wav": (None, None)}


def metadata(folder: Path, suffix: str, prefix: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(
        [(prefix + name, emotion, speaker) for name, (emotion, speaker) in ROWS.items()],
        columns=["file_name", "label", "speaker"],
    )
    file = folder / f"metadata.{suffix}"
    if suffix == "csv":
        table.to_csv(file, index=False)
    elif suffix == "jsonl":
        table.to_json(file, orient="records", lines=True, force_ascii=False)
    else:
        table.to_parquet(file)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_metadata_of_each_kind(suffix: str, tmp_path: Path) -> None:
    metadata(tmp_path, suffix)
    for path in (tmp_path, tmp_path / f"metadata.{suffix}"):
        found = import_corpus(path)
        assert found.corpus.table["id"].tolist() == list(ROWS)
        assert found.corpus.table["emotion"].fillna("-").tolist() == ["sad", "angry", "-"]
        assert found.corpus.table["speaker"].fillna("-").tolist() == ["001", "NA", "-"]
        assert (found.folds, found.lost) == ({}, ())


def test_split_folders_with_metadata_of_their_own(tmp_path: Path) -> None:
    for part in ("train", "validation", "test"):
        metadata(tmp_path / "data" / part, "csv", "audio/")
    found = import_corpus(tmp_path)
    assert {part: len(ids) for part, ids in found.folds["given"].items()} == {"train": 3, "dev": 3, "test": 3}
    assert found.folds["given"]["dev"][0] == "data/validation/audio/a.wav"


def test_split_folders_with_metadata_above(tmp_path: Path) -> None:
    rows = [
        {"file_name": f"{part}/{name}", "emotion": "sad", "tags": ["x"]} for part in ("train", "test") for name in "ab"
    ]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = import_corpus(tmp_path)
    assert found.folds == {"given": {"train": ("train/a", "train/b"), "test": ("test/a", "test/b")}}
    assert found.corpus.table["tags"].tolist() == ['["x"]'] * 4


@pytest.mark.parametrize("parts", [("train", "test"), ("",)])
def test_folders_named_after_labels(parts: tuple[str, ...], tmp_path: Path) -> None:
    for part in parts:
        for label in ("Happy", "sad"):
            (tmp_path / part / label).mkdir(parents=True)
            (tmp_path / part / label / f"{label}{part}.wav").write_bytes(b"")
            (tmp_path / part / label / "._x.wav").write_bytes(b"")
    found = import_corpus(tmp_path)
    assert found.corpus.table["emotion"].tolist() == ["happy", "sad"] * len(parts)
    assert len(found.folds) == len(parts) - 1


def test_labels_are_inferred_as_the_loader_does(tmp_path: Path) -> None:
    for name in ("sad/a.wav", "happy/b.wav", "happy/more/c.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert "emotion" not in import_corpus(tmp_path).corpus.table  # not all lie equally deep
    (tmp_path / "happy/more/c.wav").unlink()
    assert import_corpus(tmp_path).corpus.table["emotion"].tolist() == ["happy", "sad"]


def test_a_row_without_its_recording(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("file_name,emotion\na.wav,sad\n,sad\n")
    with pytest.raises(InputError, match='a row has no "file_name"'):
        import_corpus(tmp_path)


def test_no_path_says_a_split_by_accident(tiny_corpus: Corpus, tmp_path: Path) -> None:
    corpus = tiny_corpus.moved_to(tiny_corpus.folder.parent)
    places = ["dev_splits/a.wav", "x-train.wav", "ok/attest.wav", "test/b.wav"]
    for place, audio in zip(places, corpus.table["audio"], strict=False):
        (tmp_path / "in" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / place).write_bytes((corpus.folder / audio).read_bytes())
    table = pd.DataFrame({"audio": places, "emotion": ["sad", None, "angry", "fear"], "noise_file_name": ["n"] * 4})
    lost = export_corpus(Corpus.from_table(table, tmp_path / "in"), tmp_path / "out", "audio-folder")
    assert lost == ('AudioFolder: the column "noise_file_name" has no place, since its name means a recording',)
    rows = [json.loads(line) for line in (tmp_path / "out" / "metadata.jsonl").read_text().splitlines()]
    assert [row["file_name"] for row in rows] == [
        "audio/000000.wav",
        "audio/000001.wav",
        "ok/attest.wav",
        "audio/000003.wav",
    ]
    assert not any(SPLIT_WORD.search(row["file_name"]) for row in rows)
    assert len({tuple(row) for row in rows}) == 1  # the loader wants the same keys in each
    back = import_corpus(tmp_path / "out")
    assert back.corpus.table["id"].tolist() == places
    assert back.folds == {}
