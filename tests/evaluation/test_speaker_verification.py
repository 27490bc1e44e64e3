"""Verification of new speakers with a network whose hidden layer is made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unheard.evaluation.speaker_verification import (
    cosines,
    enrolled,
    keep_verification,
    read_verification,
    speaker_term,
    verify,
)
from unheard.metrics.verification import equal_error_rate
from unheard.recipe import Recipe
from unheard.training.fit import fit
from unheard.training.fitted import FittedNetwork
from unheard.training.split import Split

RECIPE = {
    "name": "tiny",
    "about": "Means of frames.",
    "front_end": {"name": "mfcc"},
    "network": {"name": "pooling"},
    "terms": {
        "emotion": {"column": "emotion", "hidden": [4]},
        "speaker": {"column": "speaker", "hidden": [8], "batch_norm": False},
    },
    "training": {"epochs": 1, "batch_size": 4},
}


def made(speakers: int, each: int, noise: float = 0.1, name: str = "s") -> Split:
    """Utterances of five frames around a place of their speaker's own."""
    draw = np.random.default_rng(speakers)
    rows = [(f"{name}{number}-{take}", f"{name}{number}") for number in range(speakers) for take in range(each)]
    places = draw.standard_normal((speakers, 39))
    features = [
        (np.repeat(places[index // each][None], 5, 0) + noise * draw.standard_normal((5, 39))).astype(np.float32)
        for index in range(len(rows))
    ]
    table = pd.DataFrame(rows, columns=["id", "speaker"])
    return Split(table.assign(emotion=["angry", "sad"] * (len(rows) // 2)), features)


def trained(tmp_path: Path, **terms: object) -> FittedNetwork:
    values = RECIPE | {"terms": RECIPE["terms"] | terms}  # type: ignore[operator]
    nobody = Split(made(1, 2).table.iloc[:0], [])
    fitted = fit(Recipe.check(values, "here"), made(3, 4, name="heard"), nobody, 0, tmp_path, "cpu")
    assert isinstance(fitted, FittedNetwork)
    return fitted


def test_the_scores_by_hand(tmp_path: Path) -> None:
    fitted, split = trained(tmp_path), made(3, 8)
    found = verify(fitted, split, enrol=5, seed=1)
    assert found is not None
    assert found.enrolled == 5
    assert found.verified.scores.shape == (9, 3)
    vectors = pd.DataFrame(fitted.hidden(split.features, "speaker"), index=split.table["id"])
    tested = set(found.utterances)
    for row, (utterance, owner) in enumerate(zip(found.utterances, found.verified.owners, strict=True)):
        assert utterance.startswith(f"s{owner}-")
        for column, speaker in enumerate(found.verified.speakers):
            model = vectors[[name.startswith(speaker) and name not in tested for name in vectors.index]]
            assert len(model) == 5
            one, other = model.mean(), vectors.loc[utterance]
            cosine = one @ other / np.sqrt((one @ one) * (other @ other))
            assert found.verified.scores[row, column] == pytest.approx(cosine, abs=1e-5)
    assert equal_error_rate(*found.verified.trials).eer < 0.35  # voices that lie apart


def test_it_depends_on_the_seed_and_on_nobody_else(tmp_path: Path) -> None:
    fitted, split = trained(tmp_path), made(3, 8)
    first, again, other = (verify(fitted, split, 5, seed) for seed in (0, 0, 1))
    assert first.utterances == again.utterances != other.utterances
    fewer = Split(split.table.iloc[:16], split.features[:16])
    assert verify(fitted, fewer, 5, 0).utterances == first.utterances[:6]


def test_it_is_kept_and_read(tmp_path: Path) -> None:
    found = verify(trained(tmp_path / "run"), made(3, 8), 5)
    keep_verification(tmp_path, found)
    read = read_verification(tmp_path)
    assert read.speakers == found.verified.speakers
    np.testing.assert_array_equal(read.owners, found.verified.owners)
    np.testing.assert_allclose(read.scores, found.verified.scores, atol=1e-6)
    head = (tmp_path / "verification.csv").read_text().splitlines()[0]
    assert head == "utterance,speaker,cosine_s0,cosine_s1,cosine_s2"
    assert read_verification(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("terms", "term"),
    [
        ({}, "speaker"),
        ({"speaker": {"column": "speaker", "reverse": {"schedule": "dann"}}}, None),
        ({"speaker": {"column": "speaker", "weight": 0}}, None),
        ({"voice": {"column": "speaker"}, "speaker": {"column": "speaker", "weight": 0}}, "voice"),
    ],
)
def test_only_what_learns_speakers_describes_them(tmp_path: Path, terms: dict[str, object], term: str | None) -> None:
    fitted = trained(tmp_path, **terms)
    assert speaker_term(fitted) == term
    assert (verify(fitted, made(2, 8)) is None) == (term is None)


@pytest.mark.parametrize(
    ("counts", "wanted", "number"),
    [
        ([25, 25], None, 20),
        ([30, 24], None, 5),
        ([25, 25, 5], None, 20),  # who has five is left out anyway
        ([6, 9], None, 5),
        ([6, 5], None, None),
        ([], None, None),
        ([6, 9], 8, None),
        ([9, 9, 4], 8, 8),
    ],
)
def test_how_many_enrol(counts: list[int], wanted: int | None, number: int | None) -> None:
    speakers = pd.Series([f"s{index}" for index, count in enumerate(counts) for _ in range(count)], dtype="str")
    assert enrolled(speakers, wanted) == number


def test_a_vector_of_zeros_is_like_nobody() -> None:
    assert cosines(np.zeros((1, 3)), np.ones((2, 3))).tolist() == [[0, 0]]
