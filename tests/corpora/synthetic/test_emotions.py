from __future__ import annotations

import numpy as np
import pytest

from unheard.corpora import EMOTIONS
from unheard.corpora.synthetic import EXPRESSIONS
from unheard.corpora.synthetic.emotions import habit, perform


def test_names_are_the_fields_own() -> None:
    assert set(EXPRESSIONS) == set(EMOTIONS) - {"other"}


@pytest.mark.parametrize("emotion", EXPRESSIONS)
def test_ratings_lie_around_the_emotions_place(emotion: str) -> None:
    random = np.random.default_rng(0)
    shown = [perform(emotion, habit(emotion, random), random) for _ in range(400)]
    ratings = np.array([[one.valence, one.activation, one.dominance] for one in shown])
    assert ratings.min() >= 1
    assert ratings.max() <= 5
    np.testing.assert_allclose(ratings.mean(0), EXPRESSIONS[emotion][1:], atol=0.12)


def test_cues_lie_around_the_emotions_own_but_vary() -> None:
    random = np.random.default_rng(0)
    pitch = {
        emotion: [perform(emotion, habit(emotion, random), random).cues.pitch for _ in range(400)]
        for emotion in ("happy", "neutral", "sad")
    }
    assert np.mean(pitch["happy"]) > np.mean(pitch["neutral"]) > np.mean(pitch["sad"])
    assert min(pitch["neutral"]) < np.mean(pitch["sad"])


def test_strength_of_voice_qualities_is_never_negative() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        cues = perform("neutral", habit("neutral", random), random).cues
        assert min(cues.breath, cues.tremor, cues.jitter, cues.creak) >= 0
