"""The speech engine: libespeak-ng, out of the wheel ``espeakng-loader``, called through ctypes."""

from __future__ import annotations

import ctypes
import functools
import os
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unheard.errors import InputError

#: Where each language's own voice file lies in the engine's data folder.
LANGUAGE_FILES = {"en": "gmw/en", "de": "gmw/de", "es": "roa/es", "fr": "roa/fr", "it": "roa/it"}

# From speak_lib.h.
_RETRIEVAL_SYNCHRONOUS = 2
_BUFFER = 1000  # ms handed over at a time
_DO_NOT_EXIT = 0x8000
_CHARACTERS_UTF8 = 1
_RATE, _VOLUME = 1, 2
#: Per cent of the engine's usual volume: loud shouts stay below the level at which its automatic gain sets in.
_QUIET = 35

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Voice(NamedTuple):
    """A voice of the formant synthesizer.

    Attributes:
        language: A key of :data:`LANGUAGE_FILES`.
        low: Where the pitch of a sentence starts to rise from, in Hz.
        high: Where its strongest accents come near, in Hz.
        formants: (frequency, height, width) of the formants 0–8, each in per cent of the engine's own voice.
    """

    language: str
    low: float
    high: float
    formants: tuple[tuple[float, float, float], ...]


class Espeak:
    """libespeak-ng as a context manager: text and a voice in, a waveform out.

    What it says depends on the text, the voice and the rate only, never on what it said before: voices are written
    without the engine's own flutter, roughness, breath and echo, whose state outlives a sentence. The library is
    one per process, so a second thread waits until the first has left the context.

    Raises:
        InputError: the wheel is not installed, or the library cannot start.
    """

    _one_per_process = threading.Lock()

    def __enter__(self) -> Espeak:
        self._one_per_process.acquire()
        try:
            self._library, self._data = _load()
            self._folder = tempfile.TemporaryDirectory(prefix="unheard-voice-")
        except BaseException:
            self._one_per_process.release()
            raise
        self._chunks: list[bytes] = []
        # ctypes keeps no reference to a callback, so we do.
        self._callback = _Callback(self._keep)
        self._library.espeak_SetSynthCallback(self._callback)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._library.espeak_Terminate()
        self._folder.cleanup()
        self._one_per_process.release()

    #: Samples per second of what :meth:`say` returns.
    sample_rate = 22050

    def say(self, text: str, voice: Voice, rate: float) -> NDArray[np.float32]:
        """The text spoken with this voice at ``rate`` words a minute (80–450): [samples] in ±1 at 22,050 Hz."""
        file = Path(self._folder.name) / "voice"
        file.write_text(self._voice_file(voice), encoding="utf-8", newline="\n")
        self._chunks = []
        self._check(self._library.espeak_SetVoiceByFile(os.fsencode(file)))
        self._check(self._library.espeak_SetParameter(_RATE, round(rate), 0))
        self._check(self._library.espeak_SetParameter(_VOLUME, _QUIET, 0))
        spoken = text.encode() + b"\0"
        size = ctypes.c_size_t(len(spoken))
        self._check(self._library.espeak_Synth(spoken, size, 0, 0, 0, _CHARACTERS_UTF8, None, None))
        samples = np.frombuffer(b"".join(self._chunks), np.int16)
        return np.divide(samples, 32768, dtype=np.float32)

    def _keep(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, 2 * count))
        return 0

    def _voice_file(self, voice: Voice) -> str:
        lines = [_language(self._data / "lang" / LANGUAGE_FILES[voice.language])]
        # Roughness past its table (0–7) is none at all; even 0 makes trills depend on a count of past cycles.
        lines += [f"pitch {voice.low:.0f} {voice.high:.0f}", "flutter 0", "roughness 8"]
        lines += [f"formant {k} {f:.0f} {h:.0f} {w:.0f}" for k, (f, h, w) in enumerate(voice.formants)]
        return "\n".join(lines) + "\n"

    @staticmethod
    def _check(status: int) -> None:
        if status != 0:
            raise RuntimeError(f"libespeak-ng answered with status {status}")


@functools.cache
def _language(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _load() -> tuple[ctypes.CDLL, Path]:
    """The initialised library and the folder of its data."""
    try:
        import espeakng_loader
    except ImportError as missing:
        raise InputError(
            "the synthetic corpus needs the speech engine espeak-ng; install it with `pip install 'unheard[demo]'`"
        ) from missing
    data = str(espeakng_loader.get_data_path())
    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
    except OSError as problem:
        raise InputError(f"the speech engine espeak-ng does not load on this machine ({problem})") from problem
    if (
        library.espeak_Initialize(_RETRIEVAL_SYNCHRONOUS, _BUFFER, os.fsencode(data), _DO_NOT_EXIT)
        != Espeak.sample_rate
    ):
        raise InputError(
            f"{data}: espeak-ng does not start with its data here; its path must have fewer than 160 characters, "
            "so install it in a folder nearer to the root"
        )
    return library, Path(data)
