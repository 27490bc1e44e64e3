"""What is said of a recording, or of a part of it, in which no emotion can be named."""

from __future__ import annotations

from collections.abc import Mapping

NOT_SURE, NO_SPEECH = "not sure", "no speech"


def surest(probabilities: Mapping[str, float], threshold: float) -> str | None:
    """The most probable emotion, the first of equal ones; None where it is less probable than the threshold.

    >>> surest({"angry": 0.4, "sad": 0.6}, 0.5), surest({"angry": 0.4, "sad": 0.6}, 0.7)
    ('sad', None)
    """
    best = max(probabilities, key=lambda name: probabilities[name])
    return best if probabilities[best] >= threshold else None


def verdict(emotion: str | None, speech: bool) -> str:
    """In words: the emotion, or why none is named."""
    return emotion or (NOT_SURE if speech else NO_SPEECH)
