"""Bytes, a path or an array → 16 kHz mono float32."""

from unheard.audio.read import SAMPLE_RATE, duration, read_audio

__all__ = ["SAMPLE_RATE", "duration", "read_audio"]
