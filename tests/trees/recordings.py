"""Recordings for the trees of published corpora: silent, a few samples long, and quick to write by the thousand."""

from __future__ import annotations

import functools
import io
import wave
from collections.abc import Iterable
from pathlib import Path


def record(folder: Path, names: Iterable[str], content: bytes | None = None) -> None:
    """Write a recording, or other content, under each of these paths in the folder."""
    made: set[Path] = set()
    for name in names:
        path = folder / name
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_bytes(_silence() if content is None else content)


@functools.cache
def _silence() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(16000)
        recording.writeframes(bytes(320))
    return buffer.getvalue()
