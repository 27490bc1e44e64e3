"""The audit of files: a manifest that keeps imported folds, and folds under a label mapping."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from trees.recordings import record
from unheard.audit.files import audit_files
from unheard.corpora import Corpus
from unheard.errors import InputError

EMOTIONS = ["sad", "angry", "happy"] * 4
SPEAKERS = list("aaabbbcccddd")


def manifest(folder: Path, **columns: list[str]) -> Path:
    """A manifest of twelve utterances whose recordings are elsewhere."""
    file = folder / "manifest.csv"
    table = pd.DataFrame({"audio": [f"{row}.wav" for row in range(12)], "speaker": SPEAKERS, "emotion": EMOTIONS})
    table.assign(**columns).to_csv(file, index=False)
    return file


@pytest.mark.parametrize("place", ["manifest.csv", ""])
def test_a_manifest_keeps_the_folds_of_several(tmp_path: Path, place: str) -> None:
    tested = {f"split:{fold}": ["test" if name == fold else "train" for name in SPEAKERS] for fold in "ab"}
    manifest(tmp_path, **tested)
    found = audit_files([tmp_path / place], apart=["speaker"], audio="no")
    assert [(fold.name, fold.train, fold.test) for fold in found.folds] == [("a", 9, 3), ("b", 9, 3)]
    assert (found.ok, found.protocol) == (True, None)
    assert audit_files([tmp_path / place], protocol="given-split:split:b", audio="no").protocol == "given-split:split:b"


def test_an_utterance_in_two_parts_is_found(tmp_path: Path) -> None:
    file = manifest(tmp_path, split=["train+test", *["train"] * 8, *["test"] * 3])
    found = audit_files([file], audio="no")
    assert "1 utterance of test in train of the same fold, but the parts of a fold must be disjoint" in found.broken


def test_one_plain_split_is_audited_as_it_is(tmp_path: Path) -> None:
    file = manifest(tmp_path, split=["train"] * 9 + ["test"] * 3)
    found = audit_files([file], audio="no")
    assert (found.protocol, [(fold.train, fold.test) for fold in found.folds]) == (None, [(9, 3)])


def test_kept_folds_hold_what_a_label_mapping_leaves(tmp_path: Path) -> None:
    labels = tmp_path / "two.yaml"
    labels.write_text("about: two emotions\nkeep: [sad, angry]\n")
    file = manifest(tmp_path, **{"split:1": ["train"] * 9 + ["test"] * 3})
    found = audit_files([file], labels=labels, audio="no")
    assert [(fold.train, fold.test) for fold in found.folds] == [(6, 2)]
    assert found.emotions == {"angry": 4, "sad": 4}


def labels(path: Path, **columns: list[object]) -> Path:
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_test_rows_without_a_speaker_stay_in_the_folds_of_a_manifest(tmp_path: Path):
    path = labels(
        tmp_path / "m.csv", audio=[f"{row}.wav" for row in range(6)], speaker=["a", "a", "b", "c", None, None],
        emotion=["angry", "sad"] * 3, split=["train"] * 3 + ["test"] * 3,
    )  # fmt: skip
    found = audit_files([path], apart=["speaker"])
    assert (found.left_out, found.ok) == (0, False)
    assert found.verdict.startswith("UNPROVEN: 2 utterances without a speaker")


def test_an_utterance_in_two_parts_of_a_manifest_is_found(tmp_path: Path):
    path = labels(
        tmp_path / "m.csv", audio=["a.wav", "b.wav", "a.wav"], speaker=["a", "b", "a"],
        emotion=["angry", "sad", "angry"], split=["train", "train", "test"],
    )  # fmt: skip
    found = audit_files([path])
    assert not found.ok
    assert "SPEAKER-DEPENDENT" in found.verdict
    assert any("the parts of a fold must be disjoint" in sentence for sentence in found.broken)


def test_what_is_there_is_compared_where_a_recording_is_missing(tmp_path: Path, tiny_corpus: Corpus):
    names = tiny_corpus.table["audio"].tolist()
    for name in names[1:]:
        shutil.copy(tiny_corpus.folder / name, tmp_path)
    shutil.copy(tmp_path / names[1], tmp_path / names[-1])
    table = tiny_corpus.table[["audio", "speaker", "emotion"]].assign(split=["train", "test"] * (len(names) // 2))
    table.to_csv(tmp_path / "m.csv", index=False)
    for audio in ("identical", "near"):
        found = audit_files([tmp_path / "m.csv"], audio=audio)
        assert any({names[1], names[-1]} <= set(group) for group in found.alike)
    assert found.unread == 1


def test_equal_files_are_alike_even_where_there_is_nothing_to_hear(tmp_path: Path):
    record(tmp_path, [f"{row}.wav" for row in range(4)])
    path = labels(
        tmp_path / "m.csv", audio=[f"{row}.wav" for row in range(4)], speaker=[*"abcd"], emotion=["angry", "sad"] * 2,
        split=["train", "train", "test", "test"],
    )  # fmt: skip
    found = audit_files([path])
    assert found.alike == (("0.wav", "1.wav", "2.wav", "3.wav"),)
    assert found.verdict.startswith("LEAKING: 1 of 1 test recording is in training too")


def test_a_mistyped_column_to_keep_apart(tmp_path: Path):
    path = labels(tmp_path / "m.csv", audio=["a.wav", "b.wav"], emotion=["angry", "sad"], split=["train", "test"])
    with pytest.raises(InputError, match=r"--apart spaeker: .* has no such column"):
        audit_files([path], apart=["spaeker"])
    assert not audit_files([path], apart=["speaker"]).ok


def test_a_folder_of_no_known_format_is_said_to_be_one(tmp_path: Path):
    with pytest.raises(InputError, match="the files of no format known here"):
        audit_files([tmp_path])
