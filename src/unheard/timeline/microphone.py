"""What a microphone hears, until nobody listens any more."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unheard.errors import InputError


class Microphone:
    """The default microphone of the machine as chunks [samples] at a rate of its own.

    Raises:
        InputError: the library sounddevice is not installed, or there is no microphone.
    """

    def __init__(self) -> None:
        try:
            import sounddevice
        except (ImportError, OSError):  # the latter where PortAudio is missing
            raise InputError("--mic needs the library sounddevice and PortAudio: pip install 'unheard[mic]'") from None
        self._chunks: queue.SimpleQueue[NDArray[np.float32]] = queue.SimpleQueue()
        try:
            self.rate = int(sounddevice.query_devices(kind="input")["default_samplerate"])
            self._stream = sounddevice.InputStream(
                samplerate=self.rate, channels=1, dtype="float32", callback=self._heard
            )
        except (sounddevice.PortAudioError, ValueError) as problem:
            raise InputError(f"--mic: there is no microphone that can be used ({problem}); give a file") from None

    def _heard(self, chunk: NDArray[np.float32], *_: Any) -> None:
        self._chunks.put(chunk[:, 0].copy())

    def __enter__(self) -> Self:
        self._stream.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        while True:
            try:
                yield self._chunks.get(timeout=0.2)  # not for ever, so that Ctrl-C is noticed on every system
            except queue.Empty:
                continue
