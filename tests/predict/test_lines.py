"""Answers as text: every style can be read back, and is seen as it comes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unheard.audio import read_audio
from unheard.corpora import Corpus
from unheard.predict.lines import record, timeline_writers, window_line, window_record, writers
from unheard.recognizer import Prediction, Recognizer
from unheard.timeline.timeline import Timeline
from unheard.training.calibration import Calibration

EMOTIONS = ("angry", "sad")


@pytest.fixture(scope="module")
def answers(small_run: Path, tiny_corpus: Corpus) -> dict[str, Prediction]:
    recognizer = Recognizer.load(small_run)
    return {name: recognizer.predict(tiny_corpus.audio_path(row)) for row, name in enumerate(["a.wav", 'b, "ä".wav'])}


@pytest.fixture(scope="module")
def timelines(small_run: Path, tiny_corpus: Corpus) -> dict[str, Timeline]:
    recognizer = Recognizer.load(small_run)
    return {
        "a.wav": recognizer.timeline(tiny_corpus.audio_path(0)),
        "silence.wav": recognizer.timeline(np.zeros(20_000)),
    }


def written(writer: Callable, answers: dict) -> str:
    out = io.StringIO()
    writer(EMOTIONS, answers.items(), out)
    return out.getvalue()


def test_json_and_jsonl_say_the_same(answers: dict, timelines: dict):
    for told in (answers, timelines):
        expected = [record(*named) for named in told.items()]
        lines = written(timeline_writers["jsonl"], told).splitlines()
        assert json.loads(written(timeline_writers["json"], told)) == [json.loads(line) for line in lines] == expected
    for name, answer in answers.items():
        assert record(name, answer) == {
            "audio": name,
            "emotion": answer.emotion,
            "verdict": answer.emotion,
            "duration": round(answer.duration, 3),
            "probabilities": {key: round(value, 4) for key, value in answer.probabilities.items()},
        }


def test_json_of_a_timeline_is_whole(timelines: dict):
    spoken, silent = (record(name, timeline) for name, timeline in timelines.items())
    assert [segment["emotion"] for segment in silent["segments"]] == [None]
    assert [window["probabilities"] for window in silent["windows"]] == [None, None]
    assert set(spoken["windows"][0]["probabilities"]) == set(EMOTIONS)
    assert spoken["segments"][-1]["end"] == spoken["windows"][-1]["end"] == spoken["duration"]


def test_csv_says_the_same(answers: dict, timelines: dict):
    rows = list(csv.DictReader(io.StringIO(written(writers["csv"], answers))))
    assert list(rows[0]) == ["audio", "emotion", "verdict", "duration", "p_angry", "p_sad"]
    for row, (name, answer) in zip(rows, answers.items(), strict=True):
        expected = record(name, answer)
        assert (row["audio"], row["emotion"]) == (name, answer.emotion)
        assert [float(row["p_angry"]), float(row["p_sad"])] == list(expected["probabilities"].values())
        assert float(row["duration"]) == expected["duration"]
    rows = list(csv.DictReader(io.StringIO(written(timeline_writers["csv"], timelines))))
    expected = [
        {"audio": name, **{key: "" if value is None else str(value) for key, value in segment.items()}}
        for name, timeline in timelines.items()
        for segment in record(name, timeline)["segments"]
    ]
    assert rows == expected


def test_the_table_has_a_line_per_recording(answers: dict):
    for line, (name, answer) in zip(written(writers["table"], answers).splitlines(), answers.items(), strict=True):
        assert line[:40].strip() == name
        assert line[40:].split()[:2] == [answer.emotion, f"{max(answer.probabilities.values()):.0%}"]


def test_the_table_has_a_line_per_segment(timelines: dict):
    lines = written(timeline_writers["table"], timelines).splitlines()
    assert len(lines) == sum(1 + len(timeline.segments) for timeline in timelines.values())
    assert lines[0].startswith("a.wav")
    assert lines[-1].split() == ["0:00", "–", "0:01.25", "no", "speech"]


def test_windows_of_a_stream_are_told_as_in_the_timeline(small_run: Path, tiny_corpus: Corpus, timelines: dict):
    stream = Recognizer.load(small_run).stream()
    windows = [
        *stream.push(read_audio(tiny_corpus.audio_path(0))),
        *stream.finish(),
    ]
    assert [window_record(window) for window in windows] == record("a.wav", timelines["a.wav"])["windows"]
    assert window_line(windows[0]).split()[:2] == ["0:00", windows[0].emotion]


class Terminal(io.StringIO):
    """What has been flushed is seen."""

    seen = ""

    def flush(self) -> None:
        self.seen = self.getvalue()


@pytest.mark.parametrize("style", ["table", "jsonl", "csv"])
@pytest.mark.parametrize("kind", ["answers", "timelines"])
def test_answers_are_seen_as_they_come(style: str, kind: str, request: pytest.FixtureRequest):
    """A reader at the other end of a pipe sees the first before the last is made."""
    told = request.getfixturevalue(kind)
    out = Terminal()

    def answers():
        for number, (_, answer) in enumerate(told.items()):
            yield f"{number}.wav", answer
            assert f"{number}.wav" in out.seen

    (timeline_writers if kind == "timelines" else writers)[style](EMOTIONS, answers(), out)


@pytest.fixture(scope="module")
def unsure(small_run: Path, tiny_corpus: Corpus) -> Recognizer:
    recognizer = Recognizer.load(small_run)
    recognizer.fitted.calibration = Calibration(threshold=1.0)
    return recognizer


def test_not_sure_and_no_speech_are_said(unsure: Recognizer, tiny_corpus: Corpus):
    told = {"a.wav": unsure.predict(tiny_corpus.audio_path(0)), "silence.wav": unsure.predict(np.zeros(20_000))}
    verdicts = ["not sure", "no speech"]
    rows = list(csv.DictReader(io.StringIO(written(writers["csv"], told))))
    assert [(row["emotion"], row["verdict"]) for row in rows] == [("", verdict) for verdict in verdicts]
    records = json.loads(written(writers["json"], told))
    assert [(one["emotion"], one["verdict"]) for one in records] == [(None, verdict) for verdict in verdicts]
    assert [set(one["probabilities"]) for one in records] == [set(EMOTIONS)] * 2
    first, second = (line[40:].split() for line in written(writers["table"], told).splitlines())
    assert first[:2] == ["not", "sure"]
    assert set(first[2::2]) == set(EMOTIONS)
    assert second == ["no", "speech"]


def test_so_they_are_in_timelines(unsure: Recognizer, tiny_corpus: Corpus):
    timeline = unsure.timeline(np.concatenate([read_audio(tiny_corpus.audio_path(0)), np.zeros(20_000)]))
    segments = record("a.wav", timeline)["segments"]
    assert [(one["emotion"], one["verdict"]) for one in segments[-2:]] == [(None, "not sure"), (None, "no speech")]
    assert segments[-2]["probability"] > 0.5
    assert segments[-1]["probability"] is None
    lines = written(timeline_writers["table"], {"a.wav": timeline}).splitlines()
    assert lines[-2].split()[3:] == ["not", "sure", f"{segments[-2]['probability']:.0%}"]
    assert lines[-1].split()[3:] == ["no", "speech"]
    stream = unsure.stream()
    (window, *_) = [*stream.push(read_audio(tiny_corpus.audio_path(0))), *stream.finish()]
    assert window_line(window).split()[1:3] == ["not", "sure"]
