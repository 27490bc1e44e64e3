"""How an emotion sounds: what it does to a voice, and where it lies in valence, activation and dominance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Cues(NamedTuple):
    """How an utterance departs from its speaker's neutral way of speaking."""

    pitch: float  # semitones
    span: float  # octaves by which the pitch range widens
    rate: float  # octaves by which speech gets faster
    level: float  # dB
    tilt: float  # dB per octave, positive: brighter
    breath: float  # amplitude of the breath noise, relative to the voice
    tremor: float  # depth of a slow tremble of level and pitch
    jitter: float  # depth of irregular pitch
    creak: float  # depth of pulse-like level changes at the end


class Expression(NamedTuple):
    """A typical emotion: its cues at full intensity, and its place on the 1–5 scales."""

    cues: Cues
    valence: float
    activation: float
    dominance: float


#: After what acted speech shows: high arousal raises pitch, range, rate, level and brightness, low arousal lowers them.
EXPRESSIONS = {
    #                        pitch  span  rate level  tilt breath trem jitter creak    val  act  dom
    "angry": Expression(Cues(+3.0, +0.40, +0.14, +6.0, +2.2, 0.00, 0.0, 1.0, 0.0), 1.8, 4.2, 4.1),
    "happy": Expression(Cues(+4.5, +0.80, +0.08, +2.0, +0.5, 0.05, 0.0, 0.0, 0.0), 4.2, 3.8, 3.6),
    "neutral": Expression(Cues(0.0, 0.00, 0.00, 0.0, 0.0, 0.00, 0.0, 0.0, 0.1), 3.0, 2.6, 3.0),
    "sad": Expression(Cues(-1.5, -0.60, -0.26, -5.0, -1.8, 0.20, 0.5, 0.0, 0.3), 1.9, 1.9, 2.1),
    "fear": Expression(Cues(+4.0, -0.20, +0.20, -1.0, +0.3, 0.25, 1.0, 0.5, 0.0), 1.9, 3.9, 1.9),
    "disgust": Expression(Cues(-0.8, +0.10, -0.15, +0.5, -0.3, 0.05, 0.0, 0.8, 0.7), 1.8, 3.1, 3.4),
    "surprise": Expression(Cues(+5.5, +0.90, -0.02, +1.5, +0.3, 0.10, 0.0, 0.0, 0.0), 3.3, 4.1, 2.9),
    "boredom": Expression(Cues(-2.0, -0.80, -0.28, -2.0, -0.6, 0.00, 0.0, 0.0, 0.7), 2.4, 1.6, 2.5),
    "calm": Expression(Cues(-0.8, -0.20, -0.12, -2.0, -0.8, 0.15, 0.0, 0.0, 0.0), 3.6, 1.8, 3.2),
    "excited": Expression(Cues(+4.0, +0.80, +0.22, +5.0, +1.2, 0.05, 0.1, 0.0, 0.0), 4.3, 4.4, 3.7),
    "frustrated": Expression(Cues(+0.8, +0.20, -0.05, +2.5, +1.0, 0.05, 0.0, 0.6, 0.4), 2.1, 3.5, 3.4),
    "contempt": Expression(Cues(-1.0, +0.35, -0.12, +0.5, +0.2, 0.00, 0.0, 0.0, 0.5), 2.2, 2.8, 3.7),
}

#: Standard deviation from one utterance to the next, whatever the emotion.
VARIATION = Cues(1.0, 0.18, 0.06, 1.5, 0.45, 0.04, 0.1, 0.15, 0.1)
#: How differently speakers show one emotion: the standard deviation of a factor on each of its cues, and of an
#: addition to each in units of :data:`VARIATION`.
HABIT_FACTOR, HABIT_SHIFT = 0.25, 0.4
#: Standard deviations of the intensity (1: typical) and of the ratings.
INTENSITY, RATING = 0.25, 0.3


@dataclass(frozen=True)
class Performance:
    """One utterance's cues and ratings (1–5)."""

    cues: Cues
    valence: float
    activation: float
    dominance: float


def habit(emotion: str, random: np.random.Generator) -> NDArray[np.float64]:
    """A speaker's own way of showing the emotion: the cues [9] at full intensity."""
    typical = np.array(EXPRESSIONS[emotion].cues)
    factor = 1 + HABIT_FACTOR * random.standard_normal(typical.size)
    return typical * factor + HABIT_SHIFT * np.array(VARIATION) * random.standard_normal(typical.size)


def perform(emotion: str, habit: NDArray[np.float64], random: np.random.Generator) -> Performance:
    """One utterance: the speaker's way [9] at a random intensity, which the ratings follow, and variation."""
    intensity = float(np.clip(random.normal(1, INTENSITY), 0.3, 1.7))
    values = intensity * habit + np.array(VARIATION) * random.standard_normal(habit.size)
    cues = Cues(*values.tolist())
    cues = cues._replace(**{cue: max(0.0, getattr(cues, cue)) for cue in ("breath", "tremor", "jitter", "creak")})
    centre = np.array(EXPRESSIONS[emotion][1:])
    ratings = 3 + intensity * (centre - 3) + RATING * random.standard_normal(3)
    valence, activation, dominance = np.clip(ratings, 1, 5).round(2).tolist()
    return Performance(cues, valence, activation, dominance)
