import audmetric
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.errors import InputError
from unheard.metrics.regression import concordance, pearson

# The same examples every time, and no limit on time that a busy machine would break.
QUICK = settings(derandomize=True, deadline=None, max_examples=60)

PAIRS = st.lists(st.tuples(st.floats(1, 5), st.floats(1, 5)), min_size=2, max_size=30)


@QUICK
@given(PAIRS)
def test_audmetric_agrees(pairs):
    reference, predicted = map(np.array, zip(*pairs, strict=True))
    assert concordance(reference, predicted) == pytest.approx(
        audmetric.concordance_cc(reference, predicted), abs=1e-9, nan_ok=True
    )


@QUICK
@given(PAIRS)
def test_concordance_is_symmetric_and_never_above_correlation(pairs):
    reference, predicted = zip(*pairs, strict=True)
    ccc = concordance(reference, predicted)
    assert ccc == pytest.approx(concordance(predicted, reference), abs=1e-12, nan_ok=True)
    if np.std(reference) > 1e-3 and np.std(predicted) > 1e-3:
        assert abs(ccc) <= abs(pearson(reference, predicted)) + 1e-9
        assert pearson(reference, predicted) == pytest.approx(np.corrcoef(reference, predicted)[0, 1], abs=1e-9)


def test_an_offset_and_a_scale_cost_concordance_but_not_correlation():
    reference = np.array([1.0, 2.0, 3.0, 5.0])
    assert concordance(reference, reference) == 1.0
    for predicted in (reference + 1, 0.5 * reference):
        assert concordance(reference, predicted) < 0.9
        assert pearson(reference, predicted) == pytest.approx(1)


def test_no_variance_is_not_a_number():
    assert np.isnan(concordance([2.0, 2.0], [2.0, 2.0]))
    assert concordance([2.0, 2.0], [3.0, 3.0]) == 0.0
    assert np.isnan(pearson([2.0, 2.0], [1.0, 3.0]))


@pytest.mark.parametrize(
    ("reference", "predicted", "sentence"),
    [
        ([1.0], [1.0, 2.0], "1 reference values and 2 predictions"),
        ([], [], "0 reference values"),
        ([1.0, np.nan], [1.0, 2.0], "reference value of utterance 2 is nan"),
        ([1.0, 2.0], [np.inf, 2.0], "predicted value of utterance 1 is inf"),
    ],
)
def test_wrong_values_get_a_sentence(reference, predicted, sentence):
    for score in (concordance, pearson):
        with pytest.raises(InputError, match=sentence):
            score(reference, predicted)
