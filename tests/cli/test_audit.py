"""``unheard audit`` on manifests and on other people's split files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from trees.command import Run, refused
from unheard.corpora import Corpus


def manifest(path: Path, **columns: list[object]) -> Path:
    """A manifest of labels whose recordings are elsewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(columns)
    table.assign(audio=[f"{path.stem}{row}.wav" for row in range(len(table))]).to_csv(path, index=False)
    return path


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """Somebody's CSV whose test speakers are in train too."""
    table = pd.DataFrame(
        {
            "file": [f"{row}.wav" for row in range(8)],
            "speaker": list("aabbaabb"),
            "emotion": ["ang", "sad"] * 4,
            "split": ["train"] * 4 + ["valid", "valid", "test", "test"],
        }
    )
    table.to_csv(tmp_path / "splits.csv", index=False)
    return tmp_path / "splits.csv"


def test_split_files_promise_nothing_unless_they_are_made_to(run: Run, leaky: Path):
    result = run("audit", leaky)
    assert result.exit_code == 0
    assert "SPEAKER-DEPENDENT: 1 of 1 test speaker is heard in training" in result.stdout
    result = run("audit", leaky, "--apart", "speaker")
    assert result.exit_code == 3
    assert "BROKEN" in result.stdout


def test_split_files_bring_their_own_folds(run: Run, leaky: Path):
    assert "these split files bring their own folds" in refused(run("audit", leaky, "--protocol", "speaker-folds:3"))
    assert "split files are audited by themselves" in refused(run("audit", leaky, leaky))


def test_split_files_under_a_label_mapping(run: Run, leaky: Path):
    found = json.loads(run("audit", leaky, "--labels", "four", "--format", "json").stdout)
    assert found["emotions"] == {"angry": 4, "sad": 4}
    assert [fold["test"] for fold in found["folds"]] == [2]


def test_an_imported_corpus_keeps_its_folds(run: Run, tmp_path: Path, leaky: Path):
    assert run("corpus", "import", leaky, "--out", "mine/manifest.csv").exit_code == 0
    given = json.loads(run("audit", leaky, "--format", "json").stdout)
    found = json.loads(run("audit", "mine", "--audio", "no", "--format", "json").stdout)
    assert found["verdict"] == given["verdict"]


def test_several_manifests_are_one_corpus(run: Run, tmp_path: Path):
    for name in ("one", "two"):
        manifest(
            tmp_path / name / "manifest.csv", speaker=list("abcabc"), emotion=["angry", "sad"] * 3, corpus=[name] * 6
        )
    found = json.loads(
        run(
            "audit", "one", "two", "--protocol", "cross-corpus-disjoint:two", "--audio", "no", "--format", "json"
        ).stdout
    )
    assert found["ok"]
    assert found["speakers"] == 6
    (fold,) = found["folds"]
    assert (fold["train"], fold["dev"] + fold["test"]) == (6, 6)


def test_auxiliary_data_with_test_voices(run: Run, tmp_path: Path):
    manifest(tmp_path / "manifest.csv", speaker=list("aabbcc"), emotion=["angry", "sad"] * 3)
    manifest(tmp_path / "more" / "manifest.csv", speaker=["c", "d"])
    arguments = ("audit", "manifest.csv", "--protocol", "leave-one-speaker-out", "--audio", "no")
    assert run(*arguments).exit_code == 0
    result = run(*arguments, "--auxiliary", "more")
    assert result.exit_code == 3
    assert "auxiliary" in result.stdout


def test_copies_are_found_unless_nobody_asks(run: Run, tmp_path: Path, tiny_corpus: Corpus):
    for audio in tiny_corpus.table["audio"]:
        shutil.copy(tiny_corpus.folder / audio, tmp_path)
    shutil.copy(tmp_path / "s0-sad-0.wav", tmp_path / "s1-sad-0.wav")
    tiny_corpus.write(tmp_path / "manifest.csv")
    arguments = ("audit", ".", "--protocol", "speaker-folds:4", "--audio")
    assert [run(*arguments, audio).exit_code for audio in ("no", "identical", "near")] == [0, 3, 3]


def test_pages_and_files(run: Run, tmp_path: Path):
    manifest(tmp_path / "manifest.csv", speaker=list("aabbcc"), emotion=["angry", "sad"] * 3)
    arguments = ("audit", "manifest.csv", "--protocol", "leave-one-speaker-out", "--audio", "no", "--format")
    page = run(*arguments, "html").stdout
    assert page.startswith("<!doctype html>")
    result = run(*arguments, "html", "--out", "audit.html")
    assert result.stdout.startswith("speaker-independent")
    assert (tmp_path / "audit.html").read_text(encoding="utf-8") == page
    assert "is there already" in refused(run(*arguments, "html", "--out", "audit.html"))
    assert run(*arguments, "json", "--out", "audit.json").exit_code == 0
    assert json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))["ok"]
