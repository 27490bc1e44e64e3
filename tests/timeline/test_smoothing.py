"""Forward-backward against the sum over every path, and what it does to a timeline."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from unheard.seeds import generator
from unheard.timeline.smoothing import LASTING, smoothed

THIRD = np.full(6, 3.0)
SECOND = np.ones(6)


def by_every_path(posteriors: np.ndarray, seconds: np.ndarray, heard: np.ndarray) -> np.ndarray:
    rows, classes = posteriors.shape
    found = np.zeros((rows, classes))
    for path in product(range(classes), repeat=rows):
        weight = 1.0
        for row, emotion in enumerate(path):
            stays = np.exp(-seconds[row] / LASTING)
            if row:
                weight *= stays * (path[row - 1] == emotion) + (1 - stays) / classes
            if not np.isnan(posteriors[row, emotion]):
                weight *= posteriors[row, emotion] ** (seconds[row] / heard[row])
        for row, emotion in enumerate(path):
            found[row, emotion] += weight
    return found / found.sum(1, keepdims=True)


def test_it_is_the_sum_over_every_path():
    draw = generator(0, "smoothing")
    posteriors = draw.dirichlet(np.ones(3), 5)
    posteriors[3] = np.nan
    seconds, heard = draw.uniform(0.2, 4, 5), draw.uniform(4, 9, 5)
    np.testing.assert_allclose(smoothed(posteriors, seconds, heard), by_every_path(posteriors, seconds, heard))


def test_one_window_that_differs_is_overruled_and_a_change_that_lasts_is_not():
    odd = np.array([[0.8, 0.2]] * 3 + [[0.3, 0.7]] + [[0.8, 0.2]] * 2)
    assert (smoothed(odd, SECOND, THIRD).argmax(1) == 0).all()
    change = np.array([[0.9, 0.1]] * 3 + [[0.1, 0.9]] * 3)
    assert smoothed(change, SECOND, THIRD).argmax(1).tolist() == [0, 0, 0, 1, 1, 1]


def test_one_row_of_its_own_says_what_it_said():
    np.testing.assert_allclose(smoothed(np.array([[0.7, 0.3]]), np.array([2.0]), np.array([2.0])), [[0.7, 0.3]])


def test_a_long_pause_forgets():
    posteriors = np.array([[0.99, 0.01]] + [[np.nan, np.nan]] * 60)
    found = smoothed(posteriors, np.ones(61), np.ones(61))
    assert found[1, 0] > 0.9
    assert found[-1] == pytest.approx([0.5, 0.5], abs=0.01)


def test_certainty_in_one_window_does_not_become_certainty_for_ever():
    found = smoothed(np.array([[1.0, 0.0]] + [[0.2, 0.8]] * 40), np.ones(41), np.ones(41))
    assert np.isfinite(found).all()
    assert found[-1, 1] > 0.9
