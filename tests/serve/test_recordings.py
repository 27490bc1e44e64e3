"""``POST /predict`` as clients use it, and as they should not."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from trees.service import speech, wav
from unheard.recognizer import Recognizer
from unheard.serve import Settings, create_app

FOLDER = Path(os.environ["UNHEARD_FORMATS"]) if os.environ.get("UNHEARD_FORMATS") else None
TABLE = pd.read_csv(FOLDER / "manifest.csv") if FOLDER else pd.DataFrame({"path": [], "content": []})
with_formats = pytest.mark.skipif(FOLDER is None, reason="UNHEARD_FORMATS is not set")

SOUND = speech(4.3)
FILE = wav(SOUND)


def problem(response: Any, status: int) -> str:
    """The sentence of a refusal."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    said = response.json()
    assert said["status"] == status
    assert set(said) == {"type", "title", "status", "detail"}
    assert "\n" not in said["detail"]
    return said["detail"]


def test_the_bytes_of_a_file_give_what_the_recognizer_says(client: TestClient, recognizer: Recognizer) -> None:
    answer = client.post("/predict", content=FILE, headers={"Content-Type": "audio/wav"})
    assert answer.status_code == 200
    said, expected = answer.json(), recognizer.predict(FILE)
    assert set(said) == {"emotion", "verdict", "probabilities", "duration"}
    assert (said["emotion"], said["verdict"], said["duration"]) == (expected.emotion, expected.verdict, 4.3)
    assert said["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)


@pytest.mark.parametrize(
    "sent",
    [
        {"content": FILE},
        {"content": FILE, "headers": {"Content-Type": "video/webm;codecs=opus"}},
        {"content": iter([FILE[:1000], FILE[1000:]])},
        {"files": {"file": ("voice.wav", FILE, "audio/wav")}},
        {"files": {"file": ("no audio.txt", FILE, "text/plain")}, "data": {"other": "field"}},
    ],
    ids=["no type", "another type", "in chunks", "form", "form with more"],
)
def test_there_are_many_ways_to_send_a_file(client: TestClient, recognizer: Recognizer, sent: Any) -> None:
    answer = client.post("/predict", **sent)
    assert answer.status_code == 200
    assert answer.json()["emotion"] == recognizer.predict(FILE).emotion


def test_the_timeline_is_that_of_the_recognizer(client: TestClient, recognizer: Recognizer) -> None:
    said = client.post("/predict", params={"timeline": True}, content=FILE).json()["timeline"]
    expected = recognizer.timeline(FILE)
    assert [one["end"] for one in said["windows"]] == pytest.approx([1, 2, 3, 4, 4.3])
    for one, row, smoothed in zip(said["windows"], expected.posteriors, expected.smoothed, strict=True):
        assert list(one["smoothed"].values()) == pytest.approx(list(smoothed), abs=1e-4)
        if one["probabilities"] is not None:
            assert list(one["probabilities"].values()) == pytest.approx(list(row), abs=1e-5)
            assert one["emotion"] == max(one["probabilities"], key=one["probabilities"].get)
    assert [(one["start"], one["end"], one["emotion"]) for one in said["segments"]] == [
        (one.start, one.end, one.emotion) for one in expected.segments
    ]
    assert len(said["peaks"]) == 86
    assert max(said["peaks"]) == pytest.approx(abs(SOUND).max(), abs=1e-3)


def test_a_recording_without_speech_has_a_timeline_without_emotions(client: TestClient) -> None:
    said = client.post("/predict", params={"timeline": True}, content=wav(0 * SOUND)).json()["timeline"]
    assert [one["emotion"] for one in said["segments"]] == [None]
    assert {one["probabilities"] and one["emotion"] for one in said["windows"]} == {None}


@with_formats
@pytest.mark.parametrize("name", TABLE["path"])
def test_every_format_is_read_and_every_broken_file_refused(client: TestClient, name: str) -> None:
    assert FOLDER is not None
    answer = client.post("/predict", content=(FOLDER / name).read_bytes())
    if name.startswith("bad_"):
        assert problem(answer, 422).startswith("the audio: ")
    else:
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        ({"content": b""}, 422, "the audio"),
        ({"content": b"no sound"}, 422, "it is not audio"),
        ({"content": FILE[: len(FILE) // 2]}, 422, "it is cut off"),
        ({"content": wav(SOUND * float("nan"))}, 422, "no numbers"),
        ({"content": wav(SOUND * 1e6)}, 422, "full scale"),
        ({"content": wav(SOUND[:0])}, 422, "not a single sample"),
        ({"content": FILE, "headers": {"Content-Type": "application/json"}}, 415, "the body must be a recording"),
        ({"data": {"file": "text"}}, 415, "multipart/form-data"),
        ({"files": {"sound": FILE}}, 422, 'a field "file"'),
        ({"files": [("file", FILE), ("file", FILE)]}, 422, "Too many files"),
        ({"content": FILE, "headers": {"Content-Type": "multipart/form-data"}}, 422, "boundary"),
        ({"content": FILE, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 422, "form"),
        ({"content": FILE, "params": {"timeline": "perhaps"}}, 422, '"timeline" of the request is \'perhaps\''),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(client: TestClient, sent: Any, status: int, sentence: str) -> None:
    assert sentence in problem(client.post("/predict", **sent), status)


def test_the_shortest_recordings_are_answered_or_refused(client: TestClient) -> None:
    for samples in (1, 100, 399, 400, 401):
        assert client.post("/predict?timeline=1", content=wav(SOUND[:samples])).status_code in (200, 422)


def test_long_recordings_are_refused_with_the_limit(recognizer: Recognizer) -> None:
    with TestClient(create_app(recognizer, Settings(max_seconds=2))) as client:
        assert "longer than the limit of 2 s" in problem(client.post("/predict", content=FILE), 422)


def test_large_bodies_are_refused(recognizer: Recognizer) -> None:
    with TestClient(create_app(recognizer, Settings(max_bytes=50_000))) as client:
        for sent in ({"content": FILE}, {"content": iter([FILE])}, {"files": {"file": FILE}}):
            assert "larger than 0.05 MB" in problem(client.post("/predict", **sent), 413)


def test_when_full_it_says_when_to_come_back(recognizer: Recognizer) -> None:
    with TestClient(create_app(recognizer, Settings(max_requests=1))) as client:
        with client.app.state.service.recording():
            answer = client.post("/predict", content=FILE)
            assert "as many recordings" in problem(answer, 503)
            assert answer.headers["retry-after"] == "1"
        assert client.post("/predict", content=FILE).status_code == 200


def test_a_recording_that_takes_too_long_is_given_up(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(create_app(recognizer, Settings(request_timeout=0.05))) as client:
        go = threading.Event()
        monkeypatch.setattr(recognizer, "hear", lambda waveform: go.wait(5))
        answer = client.post("/predict", content=FILE)
        go.set()
        assert "no time for this recording within 0.05 s" in problem(answer, 503)
        assert answer.headers["retry-after"] == "10"


def test_a_fault_of_ours_is_a_500_without_its_reasons(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(create_app(recognizer), raise_server_exceptions=False) as client:
        monkeypatch.setattr(recognizer, "hear", lambda waveform: 1 / 0)
        assert (
            problem(client.post("/predict", content=FILE), 500) == "this is a fault of the service; its log says more"
        )
        monkeypatch.undo()
        assert client.post("/predict", content=FILE).status_code == 200
