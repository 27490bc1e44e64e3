"""How far an exported file is from the recognizer it was made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from unheard.audio import SAMPLE_RATE
from unheard.recognizer import Recognizer
from unheard.seeds import generator

Waveform = NDArray[np.float32]
#: Samples of the recordings that every file is checked on: from one sample to ten seconds.
LENGTHS = (1, 399, 4_000, 16_000, 40_001, 48_000, 160_000)


def sample_recordings() -> list[Waveform]:
    """Something like voices: gliding harmonics in syllables over a little noise, each of another length."""
    return [_voice(number, samples) for number, samples in enumerate(LENGTHS)]


def _voice(number: int, samples: int) -> Waveform:
    draw = generator(0, "export", str(number))
    time = np.arange(samples) / SAMPLE_RATE
    pitch = draw.uniform(90, 280) * (1 + 0.2 * np.sin(2 * np.pi * draw.uniform(0.3, 1) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    harmonics = np.sum([draw.uniform(0.5, 0.9) ** k * np.sin(k * phase + k) for k in range(1, 12)], axis=0)
    syllables = np.sin(2 * np.pi * draw.uniform(1, 3) * time) ** 2
    sound = 0.1 * draw.uniform(0.2, 2) * harmonics * syllables + 0.003 * draw.standard_normal(samples)
    return np.asarray(sound, dtype=np.float32)


def run_alone(session: onnxruntime.InferenceSession, waveforms: Sequence[Waveform]) -> Waveform:
    """Posteriors [recordings, emotions] of the file, each recording in a batch of its own."""
    return np.concatenate([run_together(session, [waveform]) for waveform in waveforms])


def run_together(session: onnxruntime.InferenceSession, waveforms: Sequence[Waveform]) -> Waveform:
    """Posteriors [recordings, emotions] of the file, all in one batch."""
    lengths = np.array([len(waveform) for waveform in waveforms])
    batch = np.zeros((len(waveforms), lengths.max()), np.float32)
    for row, waveform in zip(batch, waveforms, strict=True):
        row[: len(waveform)] = waveform
    return np.asarray(session.run(None, {"waveform": batch, "lengths": lengths})[0])


def largest_deviation(model: bytes, recognizer: Recognizer, waveforms: Sequence[Waveform]) -> float:
    """The largest difference of any posterior between an ONNX file and the recognizer, alone and in one batch."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    expected = np.array([list(recognizer.predict(waveform).probabilities.values()) for waveform in waveforms])
    found = (run_alone(session, waveforms), run_together(session, waveforms))
    return float(max(np.abs(posteriors - expected).max() for posteriors in found))
