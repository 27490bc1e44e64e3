import time

import numpy as np
import pandas as pd
import pytest

from unheard.corpora.corpus import Corpus
from unheard.protocols import get_protocol
from unheard.protocols.auxiliary import auxiliary_speakers

PROTOCOLS = (
    "leave-one-speaker-out", "leave-one-speaker-out:partner", "speaker-folds:10", "speaker-holdout:25",
    "session-pairs:both", "session-folds", "dev-session", "speaker-dependent-folds", "random-folds:10",
    "random-splits", "given-split", "given-folds", "cross-corpus:a", "cross-corpus-disjoint:a",
    "low-resource:25:5:speaker-folds:10", "low-resource:25:1",
)  # fmt: skip


@pytest.fixture(scope="module")
def large():
    """100,000 utterances, 500 speakers in 250 sessions, two corpora."""
    count = 100_000
    random = np.random.default_rng(0)
    speaker = random.permutation(np.repeat(np.arange(500), 200))
    table = pd.DataFrame(
        {
            "audio": [f"{row}.wav" for row in range(count)],
            "speaker": [f"speaker {number:03d}" for number in speaker],
            "gender": [("female", "male")[number % 2] for number in speaker],
            "session": [f"session {number // 2:03d}" for number in speaker],
            "corpus": ["ab"[number // 250] for number in speaker],
            "emotion": random.choice(["angry", "happy", "neutral", "sad"], count),
            "split": random.choice(["train", "dev", "test"], count),
            "fold": random.integers(1, 11, count),
        }
    )
    return Corpus.from_table(table, ".")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_hundred_thousand_utterances_are_cut_in_two_seconds(large, protocol):
    start = time.process_time()
    get_protocol(protocol).folds(large)
    assert time.process_time() - start < 2


def test_auxiliary_speakers_are_drawn_in_two_seconds(large):
    start = time.process_time()
    auxiliary_speakers(large, 300)
    assert time.process_time() - start < 2
