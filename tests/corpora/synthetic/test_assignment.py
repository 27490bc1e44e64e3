from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score, normalized_mutual_info_score

from unheard.corpora.synthetic import EXPRESSIONS, assign_emotions

EMOTIONS = st.lists(st.sampled_from(sorted(EXPRESSIONS)), min_size=2, max_size=6, unique=True)
SESSIONS = st.integers(1, 12)


def told(rows: list[list[str]]) -> tuple[list[int], list[str]]:
    speakers = [speaker for speaker, row in enumerate(rows) for _ in row]
    return speakers, [emotion for row in rows for emotion in row]


@given(SESSIONS, st.integers(1, 6), EMOTIONS, st.integers(0, 99))
def test_without_bias_the_speaker_says_nothing(sessions: int, times: int, emotions: list[str], seed: int) -> None:
    rows = assign_emotions(2 * sessions, times * len(emotions), emotions, 0.0, seed)
    assert normalized_mutual_info_score(*told(rows)) == pytest.approx(0, abs=1e-9)


@given(SESSIONS, st.integers(1, 25), EMOTIONS, st.integers(0, 99))
def test_with_full_bias_the_speaker_says_everything(
    sessions: int, utterances: int, emotions: list[str], seed: int
) -> None:
    rows = assign_emotions(2 * sessions, utterances, emotions, 1.0, seed)
    speakers, told_emotions = told(rows)
    assert all(len(set(row)) == 1 for row in rows)
    entropy = mutual_info_score(told_emotions, told_emotions)
    assert mutual_info_score(speakers, told_emotions) == pytest.approx(entropy)


@given(SESSIONS, st.integers(1, 25), EMOTIONS, st.floats(0, 1), st.integers(0, 99))
def test_sizes_and_order(sessions: int, utterances: int, emotions: list[str], bias: float, seed: int) -> None:
    rows = assign_emotions(2 * sessions, utterances, emotions, bias, seed)
    assert len(rows) == 2 * sessions
    assert {len(row) for row in rows} == {utterances}
    assert rows == assign_emotions(2 * sessions, utterances, emotions, bias, seed)


@given(SESSIONS, EMOTIONS, st.integers(0, 99))
def test_dominant_emotions_are_balanced(sessions: int, emotions: list[str], seed: int) -> None:
    dominant = [row[0] for row in assign_emotions(2 * sessions, 3, emotions, 1.0, seed)]
    for part in (dominant, dominant[0::2], dominant[1::2]):
        counts = Counter(part)
        assert max(counts.values()) - min(counts[emotion] for emotion in emotions) <= 1


@given(st.integers(0, 99))
def test_bias_is_a_share(seed: int) -> None:
    emotions = ["angry", "happy", "neutral", "sad"]
    shares = [[Counter(row).most_common(1)[0][1] for row in assign_emotions(8, 40, emotions, bias, seed)]
              for bias in (0.0, 0.2, 0.6, 1.0)]  # fmt: skip
    assert np.array(shares).tolist() == [[10] * 8, [16] * 8, [28] * 8, [40] * 8]


def test_order_says_nothing() -> None:
    rows = assign_emotions(2, 40, ["happy", "sad"], 0.5, 0)
    assert rows[0] != sorted(rows[0])
    assert assign_emotions(2, 40, ["happy", "sad"], 0.5, 1) != rows
