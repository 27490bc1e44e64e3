"""lhotse manifests: those its own classes write are read, and it reads and accepts those written here."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from unheard.corpora import Corpus
from unheard.corpora.exchange import export_corpus, import_corpus
from unheard.errors import InputError

lhotse = pytest.importorskip("lhotse")


def save(folder: Path, before: str, after: str, names: str) -> None:
    recordings, supervisions = [], []
    for name in names:
        source = lhotse.audio.AudioSource("file", [0], f"audio/{name}.wav")
        recordings.append(lhotse.Recording(name, [source], 16_000, 32_000, 2.0))
        custom = {"emotion": "hap", "arousal": 3.5}
        more = {"speaker": f"s{name}", "gender": "F", "custom": custom, "language": "en"}
        supervisions.append(lhotse.SupervisionSegment(f"{name}1", name, 0, 2.0, text="hi", **more))
        supervisions.append(lhotse.SupervisionSegment(f"{name}2", name, 0.5, 1.0, **more))
    lhotse.RecordingSet.from_recordings(recordings).to_file(folder / f"{before}recordings{after}.jsonl.gz")
    lhotse.SupervisionSet.from_segments(supervisions).to_file(folder / f"{before}supervisions{after}.jsonl.gz")


def test_what_lhotse_writes(tmp_path: Path) -> None:
    save(tmp_path, "", "", "ab")
    found = import_corpus(tmp_path)
    table = found.corpus.table.set_index("id")
    assert table.loc["a1"].dropna().to_dict() == {
        "audio": "audio/a.wav", "speaker": "sa", "gender": "female", "emotion": "happy", "activation": 3.5,
        "text": "hi", "language": "en", "duration": 2.0, "label": "hap",
    }  # fmt: skip
    assert table.loc["a2", ["start", "end", "duration"]].tolist() == [0.5, 1.5, 1.0]
    assert (found.folds, found.lost) == ({}, ())
    assert len(import_corpus(tmp_path / "supervisions.jsonl.gz").corpus) == 4


@pytest.mark.parametrize(
    "parts", [("mine_", "_train", "mine_", "_dev-clean", "mine_", "_test"), ("train_", "", "dev_", "", "test_", "")]
)
def test_named_splits(parts: tuple[str, ...], tmp_path: Path) -> None:
    for number, name in enumerate("abc"):
        save(tmp_path, *parts[2 * number : 2 * number + 2], name)
    found = import_corpus(tmp_path)
    assert found.folds == {"given": {"train": ("a1", "a2"), "dev": ("b1", "b2"), "test": ("c1", "c2")}}


def test_what_is_missing_or_too_much(tmp_path: Path) -> None:
    save(tmp_path, "", "", "ab")
    (tmp_path / "recordings.jsonl.gz").unlink()
    found = import_corpus(tmp_path)
    assert found.corpus.table["audio"].tolist() == ["a", "a", "b", "b"]
    assert "no recordings beside it" in found.lost[0]
    save(tmp_path, "", "", "a")
    source = [lhotse.audio.AudioSource(kind, [0], "x.wav") for kind in ("command", "file")]
    more = lhotse.Recording("x", source, 16_000, 32_000, 2.0)
    sets = lhotse.RecordingSet.from_file(tmp_path / "recordings.jsonl.gz") + lhotse.RecordingSet.from_recordings([more])
    sets.to_file(tmp_path / "recordings.jsonl.gz")
    lost = " ".join(import_corpus(tmp_path).lost)
    assert "of several sources" in lost
    assert "is no file but a command" in lost
    assert "1 recordings without a supervision are left out" in lost


def test_lhotse_accepts_what_is_written(tiny_corpus: Corpus, tmp_path: Path) -> None:
    table = pd.concat(
        [tiny_corpus.table.assign(valence=2.5), tiny_corpus.table.iloc[:1].assign(id="part", start=0.1, end=0.3)],
        ignore_index=True,
    )
    corpus = Corpus.from_table(table, tiny_corpus.folder)
    assert export_corpus(corpus, tmp_path, "lhotse") == ()
    recordings = lhotse.load_manifest(tmp_path / "recordings.jsonl.gz")
    supervisions = lhotse.load_manifest(tmp_path / "supervisions.jsonl.gz")
    lhotse.qa.validate_recordings_and_supervisions(recordings, supervisions, read_data=True)
    first = next(iter(supervisions))
    assert (first.speaker, first.gender, first.custom["emotion"], first.custom["valence"]) == (
        "000",
        "female",
        "angry",
        2.5,
    )
    assert len(supervisions) == len(corpus)
    assert len(recordings) == len(tiny_corpus)


def test_a_recording_without_its_fields(tmp_path: Path) -> None:
    save(tmp_path, "", "", "a")
    (tmp_path / "recordings.jsonl.gz").unlink()
    (tmp_path / "recordings.jsonl").write_text('{"id": "a", "sources": []}\n')
    with pytest.raises(InputError, match='the recording "a" needs an id, sources and a duration'):
        import_corpus(tmp_path)


@pytest.mark.parametrize("wrong", [{"custom": [1]}, {"start": None}])
def test_a_supervision_of_another_form(wrong: dict[str, object], tmp_path: Path) -> None:
    line = {"id": "a1", "recording_id": "a", "start": 0, "duration": 1} | wrong
    (tmp_path / "supervisions.jsonl").write_text(json.dumps(line))
    with pytest.raises(InputError, match='the supervision "a1" needs'):
        import_corpus(tmp_path)


def test_an_id_may_be_a_number(tmp_path: Path) -> None:
    supervision = {"id": 1, "recording_id": 7, "start": 0, "duration": 1}
    recording = {"id": "7", "sources": [{"type": "file", "source": "a.wav"}], "duration": 1}
    (tmp_path / "supervisions.jsonl").write_text(json.dumps(supervision))
    (tmp_path / "recordings.jsonl").write_text(json.dumps(recording))
    assert import_corpus(tmp_path).corpus.table[["id", "audio"]].values.tolist() == [["1", "a.wav"]]
