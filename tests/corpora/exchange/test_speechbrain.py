"""SpeechBrain's JSON manifests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unheard.corpora.exchange import import_corpus
from unheard.errors import InputError


def manifest(file: Path, *names: str, **more: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = {name: {"wav": f"{{data_root}}/Session1/{name}.wav", "length": 1.9, "emo": "neu"} | more for name in names}
    file.write_text(json.dumps(rows, indent=2))


def test_the_manifests_of_a_recipe(tmp_path: Path) -> None:
    manifest(tmp_path / "train.json", "a", "b")
    manifest(tmp_path / "valid.json", "c")
    manifest(tmp_path / "test.json", "d", "a", spk_id="s1")
    (tmp_path / "label_encoder.json").write_text("{}")
    (tmp_path / "Session1").mkdir()
    (tmp_path / "Session1" / "b.wav").write_bytes(b"")
    found = import_corpus(tmp_path)
    assert found.folds == {"given": {"train": ("a", "b"), "dev": ("c",), "test": ("d", "a")}}
    assert found.corpus.table["emotion"].tolist() == ["neutral"] * 4
    assert found.corpus.table["speaker"].fillna("-").tolist() == ["s1", "-", "-", "s1"]
    assert found.corpus.audio_path(1) == tmp_path / "Session1/b.wav"
    assert set(found.corpus.table["duration"]) == {1.9}
    assert found.lost == ()


def test_folders_are_folds(tmp_path: Path) -> None:
    for fold in (1, 2):
        manifest(tmp_path / f"fold_{fold}" / "train.json", f"a{fold}")
        manifest(tmp_path / f"fold_{fold}" / "test.json", f"b{fold}")
    assert import_corpus(tmp_path).folds == {
        "1": {"train": ("a1",), "test": ("b1",)}, "2": {"train": ("a2",), "test": ("b2",)},
    }  # fmt: skip


def test_one_file(tmp_path: Path) -> None:
    manifest(tmp_path / "all.json", "a", "b")
    found = import_corpus(tmp_path / "all.json")
    assert (len(found.corpus), found.folds) == (2, {})


def test_a_wav_that_is_no_path(tmp_path: Path) -> None:
    manifest(tmp_path / "train.json", "a")
    manifest(tmp_path / "test.json", "b", wav={"files": ["x.wav"], "start": 0})
    with pytest.raises(InputError, match=r'test.json, "b": its "wav" is no path'):
        import_corpus(tmp_path, "speechbrain")
