"""Sounds to send to a service, and a service that listens on a port of this machine."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile

from unheard.seeds import generator


def speech(seconds: float, pitch: float = 200.0) -> np.ndarray:
    """[samples] of 16 kHz that rise and fall as syllables do, with pauses."""
    time = np.arange(round(16_000 * seconds)) / 16_000
    tones = sum(0.6**k * np.sin(2 * np.pi * pitch * k * time) for k in range(1, 8))
    loudness = (1 + np.sin(2 * np.pi * 4 * time)) / 2 * (time % 3 < 2)
    noise = 0.001 * generator(0, "speech", pitch).standard_normal(len(time))
    return np.asarray(0.1 * tones * loudness + noise, dtype=np.float32)


def wav(samples: np.ndarray, rate: int = 16_000) -> bytes:
    """The bytes of a file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="FLOAT")
    return file.getvalue()


@dataclass
class Served:
    """A service that listens."""

    port: int
    server: Any
    thread: threading.Thread
    app: Any

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


@contextmanager
def served(app: Any) -> Iterator[Served]:
    """As ``unheard serve`` does it, in a thread."""
    from unheard.serve.run import server_of

    taken = socket.create_server(("127.0.0.1", 0))
    server = server_of(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield Served(taken.getsockname()[1], server, thread, app)
    finally:
        server.should_exit = True
        thread.join()
