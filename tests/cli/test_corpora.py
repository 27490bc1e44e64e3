"""``unheard corpus``: what it writes and says."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from trees.command import Run, refused
from trees.recordings import record
from unheard.corpora import CORPORA, Corpus


def test_every_published_corpus_is_listed(run: Run):
    said = run("corpus", "list").stdout
    assert [line.split()[0] for line in said.splitlines()] == list(CORPORA)


def test_partial_tells_what_it_accepts(run: Run, tmp_path: Path):
    record(tmp_path / "e", ["wav/03a01Fa.wav", "wav/03a01Wa.wav"])
    (tmp_path / "e" / "wav" / "03a02Wb.wav").write_bytes(b"no audio")
    assert "wav/03a02Wb.wav: this is no readable audio file" in refused(run("corpus", "prepare", "emodb", "e"))
    result = run("corpus", "prepare", "emodb", "e", "--partial")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == ["accepted: wav/03a02Wb.wav: this is no readable audio file"]
    assert len(Corpus.read(tmp_path / "e")) == 2


@pytest.mark.parametrize("style", ["audformat", "audio-folder", "emobox", "kaldi", "lhotse"])
def test_out_and_in_again(run: Run, tmp_path: Path, tiny_corpus: Corpus, style: str):
    assert run("corpus", "export", tiny_corpus.folder, "there", "--format", style).exit_code == 0
    assert "not empty" in refused(run("corpus", "export", tiny_corpus.folder, "there", "--format", style))
    assert run("corpus", "import", "there", "--out", "back/manifest.csv").exit_code == 0
    back = Corpus.read(tmp_path / "back").table.set_index("id").sort_index()
    expected = tiny_corpus.table.set_index("id").sort_index()
    for column in ("speaker", "emotion", "gender"):
        assert back[column].tolist() == expected[column].tolist()
    assert "is there already; use --force" in refused(run("corpus", "import", "there", "--out", "back/manifest.csv"))


def test_import_tells_what_a_manifest_cannot_hold(run: Run, tmp_path: Path):
    (tmp_path / "x").mkdir()
    rows = {"a": {"wav": "a.wav", "length": 1.0, "emo": "ang"}, "b": {"wav": "b.wav", "length": 1.0, "emo": "weird"}}
    for part in ("train", "test"):
        (tmp_path / "x" / f"{part}.json").write_text(json.dumps(rows), encoding="utf-8")
    result = run("corpus", "import", "x")
    assert result.exit_code == 0
    table = pd.read_csv(tmp_path / "x" / "manifest.csv")
    assert table["emotion"].tolist() == ["angry", "other"]
    assert table["split"].tolist() == ["train+test"] * 2


def test_unknown_formats(run: Run, tmp_path: Path, tiny_corpus: Corpus):
    assert 'there is no format "lotse"; did you mean "lhotse"' in refused(
        run("corpus", "export", tiny_corpus.folder, "there", "--format", "lotse")
    )
    (tmp_path / "empty").mkdir()
    assert "the files of no format known here" in refused(run("corpus", "import", "empty"))
    assert "there is no such file or folder" in refused(run("corpus", "import", "nowhere"))
