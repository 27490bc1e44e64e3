import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.errors import InputError
from unheard.metrics.verification import equal_error_rate

# The same examples every time, and no limit on time that a busy machine would break.
QUICK = settings(derandomize=True, deadline=None, max_examples=60)

# Few distinct values, so that ties inside and across the groups are common.
SCORES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


def by_definition(targets, nontargets):
    """The sweep over scores and midpoints as it is written down, with exact gaps."""
    scores = sorted({*targets, *nontargets})
    candidates = sorted({*scores, *((a + b) / 2 for a, b in itertools.pairwise(scores))})
    best = None
    for threshold in candidates:
        rejected = sum(score <= threshold for score in targets)
        accepted = sum(score > threshold for score in nontargets)
        gap = abs(accepted * len(targets) - rejected * len(nontargets))
        if best is None or gap < best[0]:
            best = gap, threshold, accepted / len(nontargets), rejected / len(targets)
    _, threshold, far, frr = best
    return (far + frr) / 2, threshold, far, frr


@QUICK
@given(SCORES, SCORES)
def test_the_definition_by_brute_force(targets, nontargets):
    assert equal_error_rate(targets, nontargets) == pytest.approx(by_definition(targets, nontargets), abs=1e-12)


@QUICK
@given(SCORES, SCORES)
def test_bounds_and_order(targets, nontargets):
    found = equal_error_rate(targets, nontargets)
    assert 0 <= found.eer <= 1
    assert found.eer == pytest.approx((found.far + found.frr) / 2)
    assert min(*targets, *nontargets) <= found.threshold <= max(*targets, *nontargets)
    # A monotone change of the scores, and their order, change nothing but the threshold.
    again = equal_error_rate([np.exp(score) for score in reversed(targets)], np.exp(nontargets))
    assert again.eer == found.eer
    assert again.threshold == pytest.approx(np.exp(found.threshold))


@QUICK
@given(st.sets(st.integers(-50, 50), min_size=2, max_size=20), st.data())
def test_swapping_the_groups_of_negated_scores_keeps_the_rate(values, data):
    """Without ties the two error curves mirror each other; the rate differs by half a trial at most."""
    values = data.draw(st.permutations(sorted(values)))
    size = data.draw(st.integers(1, len(values) - 1))
    targets, nontargets = values[:size], values[size:]
    found = equal_error_rate(targets, nontargets).eer
    mirrored = equal_error_rate([-score for score in nontargets], [-score for score in targets]).eer
    assert abs(found - mirrored) <= 0.5 * max(1 / len(targets), 1 / len(nontargets)) + 1e-12


def test_separable_and_inverted():
    assert equal_error_rate([3.0, 4.0], [1.0, 2.0]) == (0.0, 2.0, 0.0, 0.0)
    assert equal_error_rate([1.0, 2.0], [3.0, 4.0]).eer == 1.0


def test_half_a_million_trials():
    random = np.random.default_rng(0)
    targets, nontargets = random.normal(2, 1, 50_000), random.normal(0, 1, 450_000)
    found = equal_error_rate(targets, nontargets)
    assert found.eer == pytest.approx(0.1587, abs=0.005)  # the normal distribution beyond one sd


@pytest.mark.parametrize(
    ("targets", "nontargets", "sentence"),
    [
        ([], [1.0], "no target trial"),
        ([1.0], [], "no non-target trial"),
        ([1.0, np.nan], [0.0], "nan of target trial 2"),
        ([1.0], [np.inf], "inf of non-target trial 1"),
    ],
)
def test_wrong_scores_get_a_sentence(targets, nontargets, sentence):
    with pytest.raises(InputError, match=sentence):
        equal_error_rate(targets, nontargets)
