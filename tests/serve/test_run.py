"""Over a real port: who is slow, sends too much, or vanishes; and the end."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import unheard.serve.run
from trees.service import Served, served, speech, wav
from unheard.errors import InputError
from unheard.recognizer import Recognizer
from unheard.serve import create_app
from unheard.serve.run import run

FILE = wav(speech(2.0))


def head(length: int | None, *lines: str) -> bytes:
    how = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return "\r\n".join(["POST /predict HTTP/1.1", "Host: x", how, *lines, "", ""]).encode()


def answer(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """Status and body of one answer."""
    stream = connection.makefile("rb")
    status = int(stream.readline().split()[1])
    length = 0
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.decode().partition(":")
        if name.lower() == "content-length":
            length = int(value)
    return status, json.loads(stream.read(length) or "{}")


def still_answers(server: Served) -> None:
    request = urllib.request.Request(f"{server.url}/predict", FILE, {"Content-Type": "audio/wav"})
    with urllib.request.urlopen(request, timeout=20) as response:
        assert json.load(response)["duration"] == 2.0


def until(true: object, seconds: float = 10) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_a_body_that_comes_too_slowly_is_given_up(server: Served) -> None:
    with server.connect() as connection:
        connection.sendall(head(100_000))
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.05):
                connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        status, said = answer(connection)
        stop.set()
        thread.join()
        assert status == 408
        assert "too slowly" in said["detail"]
    still_answers(server)


def test_many_that_are_slow_do_not_stop_others(server: Served) -> None:
    slow = [server.connect() for _ in range(30)]
    for connection in slow:
        connection.sendall(head(100_000) + b"x")
    still_answers(server)
    assert {answer(connection)[0] for connection in slow} == {408}
    for connection in slow:
        connection.close()


def test_a_head_that_does_not_come_ends_the_connection(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unheard.serve.run, "HEAD", 0.3)
    for begun in (b"", b"POST /pre", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "):
        with server.connect() as connection:
            connection.sendall(begun)
            assert answer(connection)[0] == 408
            assert connection.recv(1) == b""
    with server.connect() as connection:  # the second of a connection
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer(connection)[0] == 200
        connection.sendall(b"GET /hea")
        assert answer(connection)[0] == 408
        assert connection.recv(1) == b""


def test_an_answer_that_takes_longer_than_a_head_may_is_no_slow_head(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unheard.serve.run, "HEAD", 0.2)
    hear = recognizer.hear
    with served(create_app(recognizer)) as server:
        monkeypatch.setattr(recognizer, "hear", lambda waveform: (time.sleep(0.5), hear(waveform))[1])
        still_answers(server)
        with connect(f"ws://127.0.0.1:{server.port}/stream") as stream:
            time.sleep(0.5)
            stream.send("end")
            assert json.loads(stream.recv())["type"] == "begin"
            assert json.loads(stream.recv())["type"] == "end"


@pytest.mark.parametrize("length", [10**12, None], ids=["announced", "not announced"])
def test_a_body_that_is_too_large_is_refused_before_it_is_there(server: Served, length: int | None) -> None:
    with server.connect() as connection:
        connection.sendall(head(length))
        if length is None:
            for _ in range(40):
                connection.sendall(b"2710\r\n" + bytes(10_000) + b"\r\n")
        status, said = answer(connection)
        assert status == 413
        assert "larger than 0.3 MB" in said["detail"]
    still_answers(server)


def test_a_refusal_reaches_who_is_still_sending(server: Served) -> None:
    with server.connect() as connection:
        connection.sendall(head(2_000_000, "Content-Type: text/plain"))
        for _ in range(200):
            connection.sendall(bytes(10_000))
        assert answer(connection)[0] == 415


def test_clients_that_vanish_stop_nobody(server: Served) -> None:
    service = server.app.state.service
    for sent in (head(len(FILE)) + FILE, head(len(FILE)) + FILE[:1000], head(None) + b"ff\r\n"):
        for _ in range(5):
            with server.connect() as connection:
                connection.sendall(sent)
    for _ in range(3):
        with connect(f"ws://127.0.0.1:{server.port}/stream") as stream:
            stream.send(speech(4.0).tobytes())
            stream.socket.shutdown(socket.SHUT_RDWR)
    still_answers(server)
    until(lambda: service.recordings == service.streams == 0)


def test_a_head_or_message_that_is_too_large_is_refused(server: Served) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)
        assert answer(connection)[0] == 400
    with connect(f"ws://127.0.0.1:{server.port}/stream") as stream:
        stream.recv()
        stream.send(bytes(2 << 20))
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv()
        assert closed.value.rcvd.code == 1009
    still_answers(server)


def test_many_at_once_are_answered_as_each_alone(server: Served, recognizer: Recognizer) -> None:
    sounds = [wav(speech(1 + n / 10, 100 + 10 * n)) for n in range(12)]

    def ask(sound: bytes) -> dict[str, float]:
        request = urllib.request.Request(f"{server.url}/predict", sound, {"Content-Type": "audio/wav"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)["probabilities"]

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(ask, sounds))
    for said, sound in zip(found, sounds, strict=True):
        assert said == pytest.approx(recognizer.predict(sound).probabilities, abs=1e-5)


def test_the_end_waits_for_what_has_begun(recognizer: Recognizer) -> None:
    before = set(threading.enumerate())
    with served(create_app(recognizer)) as server:
        with server.connect() as connection:
            connection.sendall(head(len(FILE)) + FILE[:1000])
            until(lambda: server.app.state.service.recordings == 1)
            with connect(f"ws://127.0.0.1:{server.port}/stream") as stream:
                stream.recv()
                server.server.should_exit = True
                with pytest.raises(ConnectionClosed) as closed:
                    stream.recv()
            assert closed.value.rcvd.code == 1012  # the service restarts
            with pytest.raises(OSError):
                server.connect()
            connection.sendall(FILE[1000:])
            assert answer(connection)[0] == 200
        server.thread.join(10)
        assert not server.thread.is_alive()
        assert not server.app.state.service.ready
    assert set(threading.enumerate()) <= before


def test_a_port_that_is_taken_is_said(recognizer: Recognizer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"nobody can listen on 127.0.0.1, port {port} .*--port"):
            run(create_app(recognizer), "127.0.0.1", port, print)
