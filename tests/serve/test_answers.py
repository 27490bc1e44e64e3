"""What a service says where it names no emotion: not sure, and no speech, the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from trees.service import speech, wav
from unheard.recognizer import Recognizer
from unheard.serve import create_app
from unheard.training.calibration import Calibration


@pytest.fixture(scope="module")
def unsure(small_run: Path) -> Iterator[TestClient]:
    """One that is never sure enough."""
    recognizer = Recognizer.load(small_run)
    recognizer.fitted.calibration = Calibration(temperature=0.5, threshold=1.0)
    with TestClient(create_app(recognizer)) as client:
        yield client


def test_a_recording_without_speech_has_no_emotion(client: TestClient) -> None:
    said = client.post("/predict?timeline=true", content=wav(np.zeros(40_000, np.float32))).json()
    assert (said["emotion"], said["verdict"]) == (None, "no speech")
    assert sum(said["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    for part in (*said["timeline"]["windows"], *said["timeline"]["segments"]):
        assert (part["emotion"], part["verdict"]) == (None, "no speech")


def test_a_recording_with_speech_has_one(client: TestClient) -> None:
    said = client.post("/predict?timeline=true", content=wav(speech(2.0))).json()
    for part in (said, *said["timeline"]["windows"]):
        assert part["verdict"] == part["emotion"] == max(part["probabilities"], key=part["probabilities"].get)


def test_what_it_is_not_sure_of_is_said(unsure: TestClient) -> None:
    sound = speech(4.0)
    sound[32_000:] = 0
    said = unsure.post("/predict?timeline=true", content=wav(sound)).json()
    assert (said["emotion"], said["verdict"]) == (None, "not sure")
    assert {part["emotion"] for part in said["timeline"]["segments"]} == {None}
    assert [part["verdict"] for part in said["timeline"]["segments"]][-2:] == ["not sure", "no speech"]
    for part in said["timeline"]["windows"]:
        assert part["emotion"] is None
        assert part["verdict"] == ("no speech" if part["probabilities"] is None else "not sure")
    with unsure.websocket_connect("/stream") as socket:
        socket.receive_json()
        socket.send_bytes(sound.tobytes())
        socket.send_text("end")
        windows = list(iter(socket.receive_json, {"type": "end"}))
    keys = ("start", "end", "emotion", "verdict")
    assert [[window[key] for key in keys] for window in windows] == [
        [window[key] for key in keys] for window in said["timeline"]["windows"]
    ]


def test_a_service_says_what_the_recognizer_says(unsure: TestClient, small_run: Path) -> None:
    recognizer = Recognizer.load(small_run)
    recognizer.fitted.calibration = Calibration(temperature=0.5, threshold=1.0)
    content = wav(speech(2.0))
    said, expected = unsure.post("/predict", content=content).json(), recognizer.predict(content)
    assert said["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)
    assert (said["emotion"], said["verdict"]) == (expected.emotion, expected.verdict)


def test_openapi_names_every_word(client: TestClient, recognizer: Recognizer) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    for name in ("Answer", "TimelineWindow", "HeardSegment"):
        said = schemas[name]["properties"]
        assert said["verdict"]["enum"] == [*recognizer.emotions, "not sure", "no speech"]
        assert said["emotion"]["enum"] == [*recognizer.emotions, None]
        assert {"type": "null"} in said["emotion"]["anyOf"]
