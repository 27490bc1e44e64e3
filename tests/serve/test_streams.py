"""``/stream``: chunks in, windows out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from trees.service import speech
from unheard.recognizer import Recognizer
from unheard.serve import Settings, create_app


def windows_of(socket: Any) -> list[dict[str, Any]]:
    """What comes until the end."""
    found = []
    while (said := socket.receive_json())["type"] == "window":
        found.append(said)
    assert said == {"type": "end"}
    with pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    assert closed.value.code == 1000
    return found


def refused(client: TestClient, address: str) -> dict[str, Any]:
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect(address):
        pass
    return denied.value.json()


def error_of(socket: Any) -> tuple[str, int]:
    """The sentence of the end, and its code."""
    said = socket.receive_json()
    assert said["type"] == "error"
    with pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    return said["detail"], closed.value.code


@pytest.mark.parametrize(("kind", "rate"), [("float32", 16_000), ("int16", 16_000), ("float32", 44_100)])
def test_windows_are_those_of_the_recognizer(client: TestClient, recognizer: Recognizer, kind: str, rate: int) -> None:
    sound = speech(5.4)
    samples = (sound * 32768).astype("<i2") if kind == "int16" else sound.astype("<f4")
    with client.websocket_connect(f"/stream?rate={rate}&format={kind}") as socket:
        assert socket.receive_json() == {"type": "begin", "emotions": list(recognizer.emotions), "delay": 2.0}
        for chunk in np.array_split(samples, 7):
            socket.send_bytes(chunk.tobytes())
        socket.send_text("end")
        found = windows_of(socket)
    stream = recognizer.stream(rate=rate)
    for said, expected in zip(found, [*stream.push(samples), *stream.finish()], strict=True):
        assert (said["start"], said["end"], said["emotion"]) == (expected.start, expected.end, expected.emotion)
        assert said["probabilities"] == (
            None if expected.probabilities is None else pytest.approx(expected.probabilities, abs=1e-4)
        )


def test_a_window_comes_as_soon_as_it_is_due(client: TestClient) -> None:
    with client.websocket_connect("/stream") as socket:
        delay = socket.receive_json()["delay"]
        socket.send_bytes(speech(1.0 + delay).tobytes())
        assert socket.receive_json()["end"] == 1.0
        socket.send_text("end")
        windows_of(socket)


def test_an_empty_stream_ends_without_a_window(client: TestClient) -> None:
    with client.websocket_connect("/stream") as socket:
        socket.receive_json()
        socket.send_bytes(b"")
        socket.send_text("end")
        assert windows_of(socket) == []


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (b"123", "3 bytes are no whole number of float32 samples"),
        (np.full(8, np.nan, "<f4").tobytes(), "no numbers"),
        (np.full(8, 1e9, "<f4").tobytes(), "full scale"),
        ("stop", 'a text message can only be "end"'),
    ],
)
def test_what_is_wrong_ends_the_stream_with_one_sentence(client: TestClient, sent: Any, sentence: str) -> None:
    with client.websocket_connect("/stream") as socket:
        socket.receive_json()
        (socket.send_text if isinstance(sent, str) else socket.send_bytes)(sent)
        detail, code = error_of(socket)
        assert sentence in detail
        assert code == 1007


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("rate=1", "1 samples per second"),
        ("rate=fast", "\"rate\" of the request is 'fast'"),
        ("format=mp3", "\"format\" of the request is 'mp3'"),
    ],
)
def test_a_wrong_question_opens_no_stream(client: TestClient, question: str, sentence: str) -> None:
    said = refused(client, f"/stream?{question}")
    assert said["status"] == 422
    assert sentence in said["detail"]


def test_when_full_it_says_so(recognizer: Recognizer) -> None:
    with TestClient(create_app(recognizer, Settings(max_streams=1))) as client:
        with client.websocket_connect("/stream") as socket:
            socket.receive_json()
            with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/stream"):
                pass
            assert denied.value.status_code == 503
            assert denied.value.headers["retry-after"] == "1"
        with client.websocket_connect("/stream") as socket:
            assert socket.receive_json()["type"] == "begin"


def test_who_says_nothing_and_who_says_too_much_is_sent_away(recognizer: Recognizer) -> None:
    settings = Settings(idle_timeout=0.1)
    with TestClient(create_app(recognizer, settings)) as client, client.websocket_connect("/stream") as socket:
        socket.receive_json()
        assert error_of(socket) == ("nothing came for 0.1 s; open another stream", 1008)
    settings = Settings(max_seconds=1)
    with TestClient(create_app(recognizer, settings)) as client, client.websocket_connect("/stream") as socket:
        socket.receive_json()
        socket.send_bytes(speech(1.1).tobytes())
        assert error_of(socket) == ("a stream lasts 1 s at most; open another", 1008)


def test_who_leaves_takes_nothing_along(client: TestClient) -> None:
    for _ in range(3):
        with client.websocket_connect("/stream") as socket:
            socket.receive_json()
            socket.send_bytes(speech(3.0).tobytes())
    assert client.app.state.service.streams == 0
    assert client.get("/ready").status_code == 200
