import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest
from sklearn.metrics import mutual_info_score, normalized_mutual_info_score

from unheard.errors import InputError
from unheard.metrics.association import association, majority_accuracy

# The same examples every time, and no limit on time that a busy machine would break.
QUICK = settings(derandomize=True, deadline=None, max_examples=60)

PAIRS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["angry", "happy", "sad"])), min_size=1, max_size=30
)


@QUICK
@given(PAIRS)
def test_scikit_learn_agrees(pairs):
    column, target = zip(*pairs, strict=True)
    found = association(column, target, permutations=5)
    entropy = mutual_info_score(target, target)
    if len(set(target)) > 1:
        assert found.uncertainty == pytest.approx(mutual_info_score(column, target) / entropy, abs=1e-9)
        assert found.symmetric == pytest.approx(normalized_mutual_info_score(column, target), abs=1e-9)
    else:
        assert np.isnan(found.uncertainty)
    assert found.accuracy >= max(target.count(value) for value in set(target)) / len(target) - 1e-12


@QUICK
@given(PAIRS)
def test_the_accuracy_by_hand(pairs):
    column, target = zip(*pairs, strict=True)
    table = pd.DataFrame({"column": column, "target": target})
    right = sum(part["target"].value_counts().iloc[0] for _, part in table.groupby("column"))
    assert majority_accuracy(column, target) == pytest.approx(right / len(table))


def test_everything_and_nothing():
    emotions = ["angry", "happy", "sad"] * 20
    whole = association(emotions, emotions)
    assert (whole.accuracy, whole.rows) == (1, 60)
    assert whole.uncertainty == pytest.approx(1)
    assert whole.symmetric == pytest.approx(1)
    assert whole.p_value == 1 / 1000
    nothing = association(["one"] * 60, emotions)
    assert (nothing.uncertainty, nothing.uncertainty_chance) == pytest.approx((0, 0), abs=1e-12)
    assert nothing.p_value == 1
    assert (nothing.accuracy, nothing.accuracy_chance) == pytest.approx((1 / 3, 1 / 3))


def test_a_value_of_its_own_for_every_row_looks_perfect_and_is_chance():
    random = np.random.default_rng(0)
    emotions = random.choice(["angry", "sad"], 200, p=[0.3, 0.7])
    found = association(np.arange(200), emotions)
    assert found.uncertainty == pytest.approx(1)
    assert found.uncertainty_chance == pytest.approx(1)
    assert (found.accuracy, found.accuracy_chance, found.p_value) == (1, 1, 1)


def test_chance_is_what_shuffling_the_rows_gives():
    random = np.random.default_rng(0)
    # Values with many rows, few, and one: the last go the short way.
    column = np.array([0] * 30 + [1] * 20 + [2, 2, 3, 3, 3] + list(range(4, 12)))
    target = random.choice(["angry", "happy", "sad"], len(column), p=[0.6, 0.3, 0.1])
    found = association(column, target, permutations=3000)
    shuffled = [random.permutation(target) for _ in range(500)]
    information = np.array([mutual_info_score(column, labels) for labels in shuffled])
    accuracy = [majority_accuracy(column, labels) for labels in shuffled]
    assert found.uncertainty_chance == pytest.approx(information.mean() / mutual_info_score(target, target), abs=0.01)
    assert found.accuracy_chance == pytest.approx(np.mean(accuracy), abs=0.01)
    share = (information >= mutual_info_score(column, target) - 1e-10).mean()
    assert found.p_value == pytest.approx(share, abs=0.07)


def test_p_is_uniform_where_nothing_is_to_be_found():
    random = np.random.default_rng(1)
    values = []
    for _ in range(200):
        column, target = random.integers(0, 6, 80), random.integers(0, 4, 80)
        values.append(association(column, target, permutations=200).p_value)
    assert kstest(values, "uniform").pvalue > 0.01


def test_a_weak_association_is_found_among_many_rows():
    random = np.random.default_rng(2)
    speakers = random.integers(0, 20, 4000)
    emotions = np.where(random.random(4000) < 0.1, speakers % 4, random.integers(0, 4, 4000))
    found = association(speakers, emotions)
    assert found.p_value < 0.01
    assert found.uncertainty_chance < found.uncertainty < 0.05
    assert found.accuracy > found.accuracy_chance


def test_rows_with_a_missing_value_are_left_out():
    found = association(["a", "a", "b", "b", None, "c"], ["sad", "sad", "angry", "angry", "sad", np.nan])
    assert (found.rows, found.accuracy) == (4, 1.0)


def test_the_same_seed_gives_the_same_chance():
    random = np.random.default_rng(3)
    column, target = random.integers(0, 6, 80), random.integers(0, 4, 80)
    assert association(column, target) == association(column, target)
    assert association(column, target) != association(column, target, seed=1)


@pytest.mark.parametrize("speakers", [30, 1000, 100_000])
def test_a_hundred_thousand_rows(speakers):
    random = np.random.default_rng(4)
    column = random.permutation(100_000) % speakers
    target = random.integers(0, 8, 100_000)
    found = association(column, target)
    assert found.rows == 100_000
    assert found.p_value > 0.001


def test_wrong_columns_get_a_sentence():
    with pytest.raises(InputError, match="2 rows and the other 1"):
        association(["a", "b"], ["sad"])
    with pytest.raises(InputError, match="no row has a value in both"):
        association(["a", None], [None, "sad"])
