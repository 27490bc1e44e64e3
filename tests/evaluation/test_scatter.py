"""Scatter and distances against values worked out by hand, and what must not change them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unheard.evaluation.scatter import group_distances, scatter_ratio
from unheard.seeds import generator

#: Three of one class, one of another; the centroids are (1, 0) and (5, 4), the mean of all (2, 1).
POINTS = np.array([[0, 0], [1, 0], [2, 0], [5, 4]], np.float32)
LABELS = np.array(["a", "a", "a", "b"])


def test_the_ratio_by_hand():
    within = 1 + 0 + 1 + 0
    between = 3 * (1**2 + 1**2) + 1 * (3**2 + 3**2)
    assert scatter_ratio(POINTS, LABELS) == pytest.approx(within / between)


def test_the_ratio_is_that_of_the_scatter_matrices():
    values = generator(0, "values").standard_normal((40, 5)).astype(np.float32)
    labels = np.arange(40) % 3
    within, between = np.zeros((5, 5)), np.zeros((5, 5))
    for label in range(3):
        own = values[labels == label]
        within += np.cov(own.T, bias=True) * len(own)
        off = own.mean(axis=0) - values.mean(axis=0)
        between += len(own) * np.outer(off, off)
    expected = np.trace(within) / np.trace(between)
    assert scatter_ratio(values, labels.astype(str)) == pytest.approx(expected, rel=1e-5)


@given(seed=st.integers(0, 99), scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
def test_moving_turning_and_scaling_the_space_changes_nothing(seed: int, scale: float, shift: float):
    draw = generator(seed, "space")
    values = draw.standard_normal((12, 3)) + np.arange(12)[:, None] % 2
    turn = np.linalg.qr(draw.standard_normal((3, 3)))[0]
    labels = np.array(["a", "b"] * 6)
    assert scatter_ratio(scale * values @ turn + shift, labels) == pytest.approx(
        scatter_ratio(values, labels), rel=1e-6
    )


def test_tighter_classes_have_a_lower_ratio():
    centres = 5 * np.eye(2)[np.arange(20) % 2]
    noise = generator(0, "noise").standard_normal((20, 2))
    labels = np.array(["a", "b"] * 10)
    assert scatter_ratio(centres + 0.5 * noise, labels) < 0.5 * scatter_ratio(centres + noise, labels)


@pytest.mark.parametrize("labels", [["a"] * 4, [None] * 4], ids=["one class", "no label"])
def test_without_two_classes_there_is_none(labels: list):
    assert math.isnan(scatter_ratio(POINTS, pd.Series(labels, dtype=object)))


def test_classes_in_one_place_have_none():
    assert math.isnan(scatter_ratio(np.ones((4, 2), np.float32), LABELS))


def test_what_has_no_label_is_left_out():
    more = np.concatenate([POINTS, [[100, 100]]]).astype(np.float32)
    assert scatter_ratio(more, pd.Series([*LABELS, None])) == scatter_ratio(POINTS, LABELS)


def test_the_distance_of_groups_by_hand():
    values = np.array([[0, 0], [2, 0], [3, 4], [5, 4], [9, 9], [9, 9], [9, 9]], np.float32)
    classes = pd.Series(["sad"] * 4 + ["angry"] * 3)
    groups = pd.Series(["female", "female", "male", "male", "female", "female", "male"])
    found = group_distances(values, classes, groups)
    assert list(found) == ["sad"]  # one man's utterance is no centroid
    assert found["sad"].between == pytest.approx(5)  # from (1, 0) to (4, 4)
    assert found["sad"].spread == pytest.approx(1)


def test_groups_and_classes_that_are_missing_have_no_distance():
    assert group_distances(POINTS, LABELS, pd.Series([None, "f", "m", "m"])) == {}
    assert group_distances(POINTS, pd.Series([None] * 4, dtype=object), LABELS) == {}
