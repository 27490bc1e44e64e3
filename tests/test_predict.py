"""Predictions as the command writes them: every style can be read back, one broken file stops none of the others."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from unheard.corpora import Corpus
from unheard.predict import write_predictions, writers
from unheard.recognizer import Prediction, Recognizer


@pytest.fixture(scope="module")
def recognizer(small_run: Path) -> Recognizer:
    return Recognizer.load(small_run)


@pytest.fixture
def recordings(tmp_path: Path, tiny_corpus: Corpus) -> Path:
    """Two recordings and a broken one between them."""
    for row, name in ((0, "a.wav"), (4, 'c, "loud" ä.wav')):
        shutil.copy(tiny_corpus.audio_path(row), tmp_path / name)
    (tmp_path / "b.wav").write_bytes(b"no sound at all")
    return tmp_path


def predict(
    recognizer: Recognizer, *sources: str | Path, style: str = "jsonl", pipe: bytes = b""
) -> tuple[str, list[str]]:
    out = io.StringIO()
    failures = write_predictions(recognizer, [str(source) for source in sources], style, io.BytesIO(pipe), out)
    return out.getvalue(), failures


def expected(recognizer: Recognizer, recordings: Path) -> list[dict]:
    records = []
    for name in ("a.wav", 'c, "loud" ä.wav'):
        prediction = recognizer.predict(recordings / name)
        records.append({
            "audio": str(recordings / name),
            "emotion": prediction.emotion,
            "duration": round(prediction.duration, 3),
            "probabilities": {name: round(value, 4) for name, value in prediction.probabilities.items()},
        })  # fmt: skip
    return records


def test_json_and_jsonl_say_the_same(recognizer: Recognizer, recordings: Path):
    text, _ = predict(recognizer, recordings, style="json")
    lines, _ = predict(recognizer, recordings, style="jsonl")
    assert json.loads(text) == [json.loads(line) for line in lines.splitlines()] == expected(recognizer, recordings)


def test_csv_says_the_same(recognizer: Recognizer, recordings: Path):
    text, _ = predict(recognizer, recordings, style="csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == ["audio", "emotion", "duration", "p_angry", "p_sad"]
    for row, record in zip(rows, expected(recognizer, recordings), strict=True):
        assert (row["audio"], row["emotion"]) == (record["audio"], record["emotion"])
        assert [float(row["p_angry"]), float(row["p_sad"])] == list(record["probabilities"].values())
        assert float(row["duration"]) == record["duration"]


def test_the_table_has_a_line_per_recording(recognizer: Recognizer, recordings: Path):
    text, _ = predict(recognizer, recordings, style="table")
    for line, record in zip(text.splitlines(), expected(recognizer, recordings), strict=True):
        name, rest = line[:40], line[40:]
        assert record["audio"].endswith(name.strip().lstrip("…"))
        assert rest.split()[0] == record["emotion"]
        assert rest.split()[1] == f"{max(record['probabilities'].values()):.0%}"


@pytest.mark.parametrize("style", list(writers))
def test_a_broken_recording_stops_none_of_the_others(recognizer: Recognizer, recordings: Path, style: str):
    whole, failures = predict(recognizer, recordings, style=style)
    assert len(failures) == 1
    assert failures[0].startswith(f"{recordings / 'b.wav'}: ")
    (recordings / "b.wav").unlink()
    assert predict(recognizer, recordings, style=style) == (whole, [])


@pytest.mark.parametrize("style", list(writers))
def test_nothing_but_failures_is_still_valid_output(recognizer: Recognizer, tmp_path: Path, style: str):
    text, failures = predict(recognizer, tmp_path / "absent.wav", tmp_path, style=style)
    assert failures[0] == f"{tmp_path}: there is no audio file in this folder"  # found before any is predicted
    assert failures[1].startswith(f"{tmp_path / 'absent.wav'}: ")
    assert text == {"json": "[]\n", "csv": "audio,emotion,duration,p_angry,p_sad\n"}.get(style, "")


def test_files_folders_and_a_pipe_go_together_in_their_order(recognizer: Recognizer, recordings: Path):
    data = (recordings / "a.wav").read_bytes()
    text, failures = predict(recognizer, recordings / 'c, "loud" ä.wav', "-", recordings, pipe=data)
    names = [json.loads(line)["audio"] for line in text.splitlines()]
    assert [Path(name).name[0] for name in names] == ["c", "-", "a", "c"]
    piped, direct = (json.loads(text.splitlines()[index]) for index in (1, 2))
    assert piped | {"audio": ""} == direct | {"audio": ""}
    assert len(failures) == 1


@pytest.mark.parametrize("pipe", [b"", b"no sound at all"])
def test_a_broken_pipe_is_called_standard_input(recognizer: Recognizer, pipe: bytes):
    text, failures = predict(recognizer, "-", pipe=pipe)
    assert text == ""
    assert len(failures) == 1
    assert "standard input" in failures[0]


class Terminal(io.StringIO):
    """What has been flushed is seen."""

    seen = ""

    def flush(self) -> None:
        self.seen = self.getvalue()


@pytest.mark.parametrize("style", ["table", "jsonl", "csv"])
def test_predictions_are_seen_as_they_come(style: str):
    """A reader at the other end of a pipe sees the first before the last is made."""
    out = Terminal()

    def predictions():
        yield "a.wav", Prediction("sad", {"angry": 0.2, "sad": 0.8}, 1.0)
        assert "a.wav" in out.seen
        yield "b.wav", Prediction("angry", {"angry": 0.7, "sad": 0.3}, 1.0)

    writers[style](("angry", "sad"), predictions(), out)
    assert "b.wav" in out.seen
