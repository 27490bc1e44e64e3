"""Temperatures are found again, and the reliability diagram counts what it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unheard.errors import InputError
from unheard.metrics.calibration import fit_temperature, reliability, tempered


def drawn(temperature: float, items: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Honest posteriors made overconfident or timid by a temperature, and labels drawn from the honest ones."""
    random = np.random.default_rng(0)
    honest = random.dirichlet(np.full(4, 0.7), items)
    labels = (honest.cumsum(axis=1) > random.random((items, 1))).argmax(axis=1)
    return tempered(honest, 1 / temperature), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_temperature_is_found_again_and_mends_the_error(temperature):
    posteriors, labels = drawn(temperature)
    assert fit_temperature(posteriors, labels) == pytest.approx(temperature, rel=0.05)
    assert reliability(tempered(posteriors, temperature), labels).error < 0.015
    if temperature != 1.0:
        assert reliability(posteriors, labels).error > 0.05


@given(st.floats(0.06, 15), st.integers(0, 10**6))
def test_tempering_keeps_the_order_and_sums_to_one(temperature, seed):
    posteriors = np.random.default_rng(seed).dirichlet(np.full(5, 0.5), 3)
    found = tempered(posteriors, temperature)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found.argmax(axis=1) == posteriors.argmax(axis=1)).all()


def test_who_is_always_right_or_always_wrong_gets_a_finite_temperature():
    sure = np.tile([1.0, 0.0], (5, 1))
    assert 0.05 <= fit_temperature(sure, [0] * 5) <= 1
    assert fit_temperature(sure, [1] * 5) == pytest.approx(20.0, rel=0.1)


def test_every_item_is_in_one_bin_edges_included():
    posteriors = [[1.0, 0.0], [0.5, 0.5], [0.6, 0.4], [0.55, 0.45]]
    found = reliability(posteriors, [0, 0, 1, 0])
    assert found.count.tolist() == [0, 0, 0, 0, 1, 2, 0, 0, 0, 1]
    assert found.accuracy[5] == 0.5
    assert np.isnan(found.confidence[0])
    assert found.error == pytest.approx((0.5 + abs(1 - 1.15) + 0) / 4)


def test_nothing_to_calibrate_by_gets_one_sentence():
    with pytest.raises(InputError, match="no prediction to calibrate by"):
        fit_temperature(np.empty((0, 3)), [])
    with pytest.raises(InputError, match="3 labels and posteriors of shape"):
        reliability([[0.5, 0.5]], [0, 1, 1])
