import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score

from unheard.errors import InputError
from unheard.metrics.classification import (
    averaged_confusion,
    classes_of,
    confusion,
    fold_mean,
    macro_f1,
    normalised_confusion,
    pooled,
    recalls,
    spread,
    unweighted_accuracy,
    weighted_accuracy,
)

# The same examples every time, and no limit on time that a busy machine would break.
QUICK = settings(derandomize=True, deadline=None, max_examples=60)

CLASSES = ["angry", "happy", "neutral", "sad"]
PAIRS = st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=40)


@QUICK
@given(PAIRS)
def test_scikit_learn_agrees(pairs):
    reference, predicted = map(list, zip(*pairs, strict=True))
    occurring = sorted(set(reference))
    mean_recall = recalls(reference, predicted, CLASSES)
    assert unweighted_accuracy(reference, predicted) == pytest.approx(np.nanmean(list(mean_recall.values())))
    if set(predicted) <= set(reference) and len(occurring) > 1:  # otherwise scikit-learn warns, and does the same
        assert unweighted_accuracy(reference, predicted) == pytest.approx(balanced_accuracy_score(reference, predicted))
    f1 = f1_score(reference, predicted, labels=occurring, average="macro", zero_division=0)
    assert macro_f1(reference, predicted) == pytest.approx(f1)
    assert (
        confusion(reference, predicted, CLASSES).tolist()
        == confusion_matrix(reference, predicted, labels=CLASSES).tolist()
    )


@QUICK
@given(PAIRS, st.sampled_from(CLASSES), st.integers(2, 5))
def test_repeating_a_class_changes_wa_but_not_ua(pairs, name, times):
    repeated = [pair for pair in pairs for _ in range(times if pair[0] == name else 1)]
    before, after = (unweighted_accuracy(*zip(*rows, strict=True)) for rows in (pairs, repeated))
    assert after == pytest.approx(before)
    right = sum(a == b for a, b in repeated)
    assert weighted_accuracy(*zip(*repeated, strict=True)) == pytest.approx(right / len(repeated))


@QUICK
@given(PAIRS, st.permutations(CLASSES))
def test_the_names_of_the_classes_do_not_matter(pairs, names):
    renamed = [(names[CLASSES.index(a)], names[CLASSES.index(b)]) for a, b in pairs]
    for score in (weighted_accuracy, unweighted_accuracy, macro_f1):
        assert score(*zip(*renamed, strict=True)) == pytest.approx(score(*zip(*pairs, strict=True)))


def test_a_class_only_in_the_predictions_is_no_class_with_recall_zero():
    assert unweighted_accuracy([0, 0], [0, 1]) == 0.5  # audmetric: 0.25
    assert macro_f1([0, 0], [0, 1]) == pytest.approx(2 / 3)  # not its half


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series, lambda labels: pd.Series(labels, dtype="category")])
@pytest.mark.parametrize("labels", [["sad", "sad", "angry"], [3, 3, 1]])
def test_labels_of_any_kind(kind, labels):
    reference, predicted = kind(labels), kind([labels[0], labels[2], labels[2]])
    assert weighted_accuracy(reference, predicted) == pytest.approx(2 / 3)
    assert unweighted_accuracy(reference, predicted) == 0.75
    assert confusion(reference, predicted, [labels[2], labels[0]]).tolist() == [[1, 0], [1, 1]]
    assert classes_of(reference) == sorted(set(labels))


def test_a_series_is_read_by_position_not_by_index():
    reference = pd.Series(["sad", "angry"], index=[0, 1])
    assert weighted_accuracy(reference, pd.Series(["sad", "angry"], index=[1, 0])) == 1.0


def test_rows_of_the_averaged_confusion_come_from_the_folds_that_have_the_class():
    folds = [np.array([[2, 0, 0], [1, 3, 0], [0, 0, 0]]), np.array([[1, 1, 0], [0, 0, 0], [0, 0, 0]])]
    averaged = averaged_confusion(folds)
    np.testing.assert_array_equal(averaged, [[0.75, 0.25, 0], [0.25, 0.75, 0], [np.nan] * 3])
    assert np.isnan(normalised_confusion(folds[1])[1]).all()


def test_pooled_is_not_the_fold_mean():
    folds = [(["sad"], ["sad"]), (["sad", "angry", "angry"], ["angry", "angry", "sad"])]
    assert pooled(weighted_accuracy, folds) == 0.5
    mean, sd = fold_mean(weighted_accuracy, folds)
    assert (mean, sd) == (pytest.approx(2 / 3), pytest.approx(1 / 3))


def test_spread_of_nothing_is_not_a_number():
    assert np.isnan(spread([])).all()
    assert spread([0.4]) == (0.4, 0.0)


@pytest.mark.parametrize(
    ("reference", "predicted", "classes", "sentence"),
    [
        (["sad"], [], ["sad"], "1 reference labels and 0 predictions"),
        ([], [], ["sad"], "no utterance"),
        (["sad", "anger"], ["sad", "sad"], ["angry", "sad"], 'reference label "anger" of utterance 2.*"angry"'),
        (["sad"], [None], ["angry", "sad"], "predicted label"),
        (["sad"], ["sad"], ["sad", "sad"], "'sad' is listed twice"),
    ],
)
def test_wrong_labels_get_a_sentence(reference, predicted, classes, sentence):
    with pytest.raises(InputError, match=sentence):
        confusion(reference, predicted, classes)


def test_missing_and_mixed_labels_get_a_sentence():
    with pytest.raises(InputError, match="a label is missing"):
        weighted_accuracy(["sad", None], ["sad", "sad"])
    with pytest.raises(InputError, match="strings and others numbers"):
        weighted_accuracy(["1", "2"], [1, 2])
