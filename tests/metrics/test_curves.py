import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.errors import InputError
from unheard.metrics.curves import low_resource_curve

# The same examples every time, and no limit on time that a busy machine would break.
QUICK = settings(derandomize=True, deadline=None, max_examples=60)


@QUICK
@given(st.lists(st.integers(1, 1000), min_size=2, max_size=8, unique=True), st.floats(0, 100))
def test_a_flat_curve_is_as_high_as_it_is(samples, height):
    curve = low_resource_curve(sorted(samples), [[height, height]] * len(samples))
    for value in (curve.area_linear, curve.area_log, curve.plain_mean):
        assert value == pytest.approx(height)
    assert curve.sd == pytest.approx(np.zeros(len(samples)), abs=1e-9)


def test_each_axis_has_its_own_straight_line():
    samples = [10, 20, 80]
    assert low_resource_curve(samples, [[10], [20], [80]]).area_linear == pytest.approx(45)
    logarithms = np.log2(samples)
    assert low_resource_curve(samples, [[y] for y in logarithms]).area_log == pytest.approx(np.mean(logarithms[[0, 2]]))


@pytest.mark.parametrize(
    ("samples", "accuracies", "sentence"),
    [
        ([10], [[1.0]], "two or more"),
        ([10, 10], [[1.0], [2.0]], "increasing"),
        ([0, 10], [[1.0], [2.0]], "positive"),
        ([10, 20], [[1.0]], "2 numbers of samples per class and 1 rows"),
        ([10, 20], [[1.0, 2.0], [1.0]], "differ in length"),
        ([10, 20], [[], []], "empty"),
    ],
)
def test_wrong_curves_get_a_sentence(samples, accuracies, sentence):
    with pytest.raises(InputError, match=sentence):
        low_resource_curve(samples, accuracies)
