"""EmoBox as its repository holds it: a corpus, folds, label map, and speakers in the stm file."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from unheard.corpora import Corpus
from unheard.corpora.exchange import export_corpus, import_corpus
from unheard.errors import InputError


def line(corpus: str, name: str, emotion: str, **more: object) -> str:
    values = {
        "key": f"{corpus}-{name}", "dataset": corpus, "wav": f"downloads/{corpus}/{name}.wav", "type": "raw",
        "sample_rate": 16000, "num_frame": 16000.0, "task": "category", "length": 1.5, "emo": emotion, "channel": 1,
    }  # fmt: skip
    return json.dumps(values | more)


def tree(root: Path, corpus: str = "casia", suffix: str = "jsonl") -> Path:
    """data/<corpus> with four utterances of two speakers and two folds."""
    folder = root / "data" / corpus
    names = {"1-wang": "angry", "2-wang": "neutral", "1-zhao": "angry", "2-zhao": "05"}

    def write(path: Path, chosen: list[str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line(corpus, name, names[name]) + "\n" for name in chosen), encoding="utf-8")
        rows = {f"{corpus}-{name}": {"wav": f"downloads/{corpus}/{name}.wav", "length": 1.5, "emo": names[name],
                                     "dataset": corpus, "channel": 1} for name in chosen}  # fmt: skip
        path.with_suffix(".json").write_text(json.dumps(rows, indent=4), encoding="utf-8")
        if suffix == "json":
            path.unlink()

    write(folder / f"{corpus}.jsonl", list(names))
    for fold, speaker in ((1, "wang"), (2, "zhao")):
        for part, chosen in (("test", True), ("train", False)):
            there = [name for name in names if name.endswith(speaker) == chosen]
            write(folder / f"fold_{fold}" / f"{corpus}_{part}_fold_{fold}.jsonl", there)
    (folder / "label_map.json").write_text('{"angry": "Angry", "neutral": "Neutral", "05": "Fear"}')
    (folder / "data.seg.wrd.stm").write_text(
        "".join(
            f"{corpus}-{name} 1 {name[2:]} 0 1 <id={corpus}-{name},lang=en,spk={name[2:]},emotion={label}> {label}\n"
            for name, label in names.items()
        )
    )
    return folder


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_a_corpus_of_the_repository(suffix: str, tmp_path: Path) -> None:
    found = import_corpus(tree(tmp_path, suffix=suffix))
    table = found.corpus.table.set_index("id")
    assert table["emotion"].to_dict() == {
        "casia-1-wang": "angry", "casia-2-wang": "neutral", "casia-1-zhao": "angry", "casia-2-zhao": "fear",
    }  # fmt: skip
    assert table["label"].dropna().to_dict() == {"casia-2-zhao": "05"}
    assert table["speaker"].tolist() == ["wang", "wang", "zhao", "zhao"]
    assert set(table["duration"]) == {1.5}
    assert set(table["corpus"]) == {"casia"}
    assert found.folds == {
        "1": {"train": ("casia-1-zhao", "casia-2-zhao"), "test": ("casia-1-wang", "casia-2-wang")},
        "2": {"train": ("casia-1-wang", "casia-2-wang"), "test": ("casia-1-zhao", "casia-2-zhao")},
    }
    assert found.lost == ()
    assert found.corpus.audio_path(0) == tmp_path / "downloads/casia/1-wang.wav"
    assert set(table) == {"audio", "speaker", "emotion", "corpus", "duration", "label"}


def test_one_fold_and_one_file(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    assert list(import_corpus(folder / "fold_2").folds) == ["2"]
    alone = import_corpus(folder / "fold_1" / "casia_train_fold_1.jsonl")
    assert (len(alone.corpus), alone.folds) == (2, {})
    assert alone.corpus.table["speaker"].tolist() == ["zhao", "zhao"]


def test_recordings_are_found_where_they_are(tmp_path: Path) -> None:
    folder = tree(tmp_path / "EmoBox")
    recording = tmp_path / "EmoBox" / "data" / "downloads" / "casia" / "1-wang.wav"
    recording.parent.mkdir(parents=True)
    recording.write_bytes(b"")
    assert import_corpus(folder).corpus.audio_path(0) == recording


def test_what_the_stm_file_calls_a_speaker_is_not_always_one(tmp_path: Path) -> None:
    found = import_corpus(tree(tmp_path, "iemocap"))
    assert "speaker" not in found.corpus.table
    assert len(found.lost) == 1
    assert "prefixes of the dialogues" in found.lost[0]
    folder = tree(tmp_path, "mer2023")
    stm = folder / "data.seg.wrd.stm"
    text = "mer2023-{0} 1 {0} 0 1 <id=mer2023-{0},lang=en,spk={0},emotion=sad> sad\n"
    stm.write_text("".join(map(text.format, ("1-wang", "2-wang", "1-zhao", "2-zhao"))))
    assert "speaker" not in import_corpus(folder).corpus.table


def test_parts_of_a_recording_and_another_task(tmp_path: Path) -> None:
    rows = [line("pavoque", str(n), "poker", wav="angry.flac", start_time=n, end_time=n + 0.5) for n in (0, 1)]
    (tmp_path / "pavoque.jsonl").write_text("\n".join([*rows, line("pavoque", "x", "sad", task="valence")]))
    found = import_corpus(tmp_path / "pavoque.jsonl")
    assert found.corpus.table["start"].tolist()[:2] == [0, 1]
    assert found.corpus.table["end"].tolist()[:2] == [0.5, 1.5]
    assert found.corpus.table["emotion"].tolist() == ["other", "other", "sad"]
    assert any('the task "valence"' in sentence for sentence in found.lost)
    assert any('"poker" is no emotion known here' in sentence for sentence in found.lost)


def test_what_is_written_has_what_emobox_reads(tiny_corpus: Corpus, tmp_path: Path) -> None:
    assert export_corpus(tiny_corpus, tmp_path, "emobox") == ()
    rows = [json.loads(row) for row in (tmp_path / "tiny.jsonl").read_text().splitlines()]
    label_map = json.loads((tmp_path / "label_map.json").read_text())
    assert len(rows) == len(tiny_corpus)
    for row in rows:
        assert {"key", "dataset", "wav", "type", "sample_rate", "num_frame", "task", "length", "emo", "channel"} <= set(
            row
        )
        assert row["length"] == row["num_frame"] / row["sample_rate"]
        assert label_map[row["emo"]] == row["emo"].capitalize()


def test_a_key_that_means_something_else_has_no_place(tmp_path: Path) -> None:
    corpus = Corpus.from_table(pd.DataFrame({"audio": ["a.wav"], "task": ["reading"], "mood": ["odd"]}), tmp_path)
    lost = export_corpus(corpus, tmp_path / "out", "emobox")
    assert lost == ('EmoBox: the column "task" has no place, since this key means something else there',)
    assert import_corpus(tmp_path / "out").corpus.table["mood"].tolist() == ["odd"]


def test_a_label_map_must_map(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    (folder / "label_map.json").write_text("[]")
    with pytest.raises(InputError, match="this does not map each label to a word"):
        import_corpus(folder)
