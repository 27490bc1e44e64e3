import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from unheard.metrics.counts import accuracy, mean_f1, mean_recall, present_mean, recalls, statistic_of_sums


def test_many_matrices_at_once_give_what_each_gives_alone():
    random = np.random.default_rng(0)
    stack = random.integers(0, 6, size=(4, 3, 5, 5))
    for score in (accuracy, recalls, mean_recall, mean_f1):
        alone = np.array([[score(counts) for counts in row] for row in stack])
        np.testing.assert_allclose(score(stack), alone)


def test_scikit_learn_agrees():
    random = np.random.default_rng(1)
    counts = random.integers(0, 9, size=(6, 6))
    counts[2] = 0  # predicted, but never the reference
    reference, predicted = (np.repeat(codes.ravel(), counts.ravel()) for codes in np.indices(counts.shape))
    present = [0, 1, 3, 4, 5]
    assert accuracy(counts) == pytest.approx(accuracy_score(reference, predicted))
    assert mean_recall(counts) == pytest.approx(recall_score(reference, predicted, labels=present, average="macro"))
    assert mean_f1(counts) == pytest.approx(f1_score(reference, predicted, labels=present, average="macro"))


def test_nothing_counted_is_not_a_number_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for score in (accuracy, mean_recall, mean_f1):
            assert np.isnan(score(np.zeros((3, 3))))
        assert np.isnan(present_mean(np.full(3, np.nan), axis=0))


def test_statistic_of_sums_adds_units_and_averages_repetitions():
    random = np.random.default_rng(2)
    counts, weights = random.integers(0, 5, size=(3, 2, 4, 4)), random.integers(0, 3, size=(7, 3)).astype(float)
    expected = [np.mean(mean_recall(np.tensordot(row, counts, axes=1))) for row in weights]
    np.testing.assert_allclose(statistic_of_sums(mean_recall, weights, counts), expected)


def test_a_repetition_without_counts_is_left_out_of_the_mean():
    counts = np.zeros((2, 2, 2, 2))
    counts[0, 0], counts[1, 1] = [[1, 0], [0, 1]], [[1, 1], [0, 0]]
    values = statistic_of_sums(accuracy, np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), counts)
    assert values.tolist() == [0.75, 1.0, 0.5]


def test_large_stacks_go_through_in_parts():
    random = np.random.default_rng(3)
    counts, weights = random.integers(0, 5, size=(5, 1, 200, 200)), random.integers(0, 3, size=(250, 5)).astype(float)
    values = statistic_of_sums(accuracy, weights, counts)
    np.testing.assert_allclose(
        values[[0, 99, 100, 249]], statistic_of_sums(accuracy, weights[[0, 99, 100, 249]], counts)
    )
