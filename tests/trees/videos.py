"""Videos for the trees of published corpora: nothing but a quarter of a second of silence."""

from __future__ import annotations

import functools
import io

import av
import numpy as np

RATE = 16000
FRAMES = 4096


@functools.cache
def video(container: str, codec: str) -> bytes:
    """A container (``mp4``, ``avi``) with a sound track."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as written:
        stream = written.add_stream(codec, rate=RATE)
        kind = stream.codec_context.format.name
        silence = np.zeros((1, FRAMES), np.int16 if kind.startswith("s16") else np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format=kind, layout="mono")
        frame.sample_rate = RATE
        for some in (frame, None):
            written.mux(stream.encode(some))
    return file.getvalue()
