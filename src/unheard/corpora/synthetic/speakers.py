"""Who speaks: pitch, vocal tract, habits, and the microphone and room that colour every recording of a speaker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unheard.corpora.synthetic.emotions import EXPRESSIONS, habit
from unheard.seeds import generator

#: Corners of the colour of a recording in Hz: the gain is drawn at each and interpolated between them.
CORNERS = (60.0, 150.0, 300.0, 600.0, 1000.0, 1700.0, 2700.0, 4000.0, 5500.0, 8000.0)


@dataclass(frozen=True)
class Speaker:
    """A speaker and how the speaker is recorded."""

    name: str
    gender: str
    session: str
    language: str
    pitch: float  # Hz, the middle of a neutral sentence
    span: float  # semitones from the lowest to the highest of a neutral sentence
    rate: float  # words a minute
    formants: tuple[tuple[float, float, float], ...]  # as in Voice
    tilt: float  # dB per octave
    breath: float  # relative to the voice
    jitter: float
    creak: float
    level: float  # dBFS, root mean square
    noise: float  # dB, below the level of a neutral utterance
    colour: NDArray[np.float64]  # dB at each of CORNERS
    room: NDArray[np.float64]  # impulse response at 16 kHz, the direct sound first
    habits: dict[str, NDArray[np.float64]]  # how each emotion is shown


def draw_speaker(index: int, languages: tuple[str, ...], seed: int) -> Speaker:
    """The speaker at the index: females are even, males odd; the two of a session share its language.

    A speaker depends on the seed and the index only, so a larger corpus begins with the speakers of a smaller one.
    """
    random = generator(seed, "synthetic", "speaker", index)
    female = index % 2 == 0
    session = index // 2
    return Speaker(
        name=f"syn{seed}_{'f' if female else 'm'}{session + 1:03d}",
        gender="female" if female else "male",
        session=f"syn{seed}_s{session + 1:03d}",
        language=languages[session % len(languages)],
        pitch=(200 if female else 118) * 2 ** (random.normal(0, 2.3) / 12),
        span=float(np.clip(random.normal(6.5, 1.5), 3, 10)),
        rate=float(np.clip(random.normal(172, 17), 130, 215)),
        formants=_vocal_tract(1.14 if female else 0.99, random),
        tilt=random.normal(0, 1.0),
        breath=float(abs(random.normal(0.0, 0.06))),
        jitter=float(abs(random.normal(0.15, 0.15))),
        creak=float(abs(random.normal(0, 0.12))),
        level=random.normal(-24, 3.5),
        noise=random.uniform(32, 48),
        colour=random.normal(0, 4, len(CORNERS)),
        room=_room(random),
        habits={
            emotion: habit(emotion, generator(seed, "synthetic", "habit", index, emotion)) for emotion in EXPRESSIONS
        },
    )


def _vocal_tract(length: float, random: np.random.Generator) -> tuple[tuple[float, float, float], ...]:
    """Formants moved together by the length of the tract, and a little each by its shape."""
    frequency = 100 * length * (1 + random.normal(0, 0.045)) * (1 + random.normal(0, 0.02, 9))
    height = 100 * 10 ** (random.normal(0, 1.3, 9) / 20)
    width = 100 * np.exp(random.normal(0, 0.15, 9))
    return tuple(zip(frequency.tolist(), height.tolist(), width.tolist(), strict=True))


def _room(random: np.random.Generator, sample_rate: int = 16000) -> NDArray[np.float64]:
    """A direct sound, then noise that decays: 60 dB within 0.15–0.4 s, together 10–22 dB below the direct sound."""
    decay = random.uniform(0.15, 0.4)
    time = np.arange(int(decay * sample_rate)) / sample_rate
    tail = random.standard_normal(time.size) * 10 ** (-3 * time / decay)
    tail[: int(0.003 * sample_rate)] = 0
    tail *= 10 ** (-random.uniform(10, 22) / 20) / np.sqrt(np.square(tail).sum())
    tail[0] = 1
    return tail
