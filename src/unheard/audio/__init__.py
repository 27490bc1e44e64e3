"""Bytes, a path or an array → 16 kHz mono float32."""

from unheard.audio.blocks import read_blocks
from unheard.audio.read import duration, read_audio
from unheard.audio.sources import SAMPLE_RATE

__all__ = ["SAMPLE_RATE", "duration", "read_audio", "read_blocks"]
