"""A microphone that is there, one that is not, and a library that is not installed."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from unheard.errors import InputError
from unheard.timeline.microphone import Microphone


class PortAudioError(Exception):
    pass


class InputStream:
    """Says three chunks as soon as it is started."""

    def __init__(self, samplerate, channels, dtype, callback):
        assert (samplerate, channels, dtype) == (44_100, 1, "float32")
        self.callback = callback
        self.closed = False

    def start(self):
        for value in (1, 2, 3):
            self.callback(np.full((5, 1), value, np.float32), 5, None, None)

    def close(self):
        self.closed = True


def library(**changes: object) -> SimpleNamespace:
    there = {
        "PortAudioError": PortAudioError,
        "InputStream": InputStream,
        "query_devices": lambda kind: {"default_samplerate": 44_100.0},
    }
    return SimpleNamespace(**there | changes)


def test_chunks_come_in_order(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "sounddevice", library())
    with Microphone() as microphone:
        chunks = [chunk for _, chunk in zip(range(3), microphone, strict=False)]
        assert microphone.rate == 44_100
    assert [chunk.tolist() for chunk in chunks] == [[value] * 5 for value in (1, 2, 3)]
    assert microphone._stream.closed


def test_no_microphone_gets_one_sentence(monkeypatch: pytest.MonkeyPatch):
    def none(kind: str) -> None:
        raise PortAudioError("Error querying device -1")

    monkeypatch.setitem(sys.modules, "sounddevice", library(query_devices=none))
    with pytest.raises(InputError, match="there is no microphone that can be used"):
        Microphone()


def test_no_library_gets_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(InputError, match=r"pip install 'unheard\[mic\]'"):
        Microphone()
