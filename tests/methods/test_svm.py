import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load, save
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from unheard.errors import InputError
from unheard.methods.svm import LinearSvm
from unheard.seeds import generator


def speakers_data(values: int, classes: int = 4, speakers: int = 6, each: int = 5, spread: float = 2.0, seed: int = 0):
    """Vectors of classes that overlap, off-centre and on different scales, with a shift per speaker."""
    draw = generator(seed, "svm test", values)
    labels = np.tile(np.repeat(np.arange(classes), each), speakers)
    groups = np.repeat([f"s{speaker}" for speaker in range(speakers)], classes * each)
    centres, shifts = draw.normal(size=(classes, values)), draw.normal(size=(speakers, values))
    features = centres[labels] + np.repeat(shifts, classes * each, axis=0)
    features = features + spread * draw.normal(size=features.shape)
    return (features * draw.uniform(0.01, 100.0, values) + draw.normal(size=values)), labels, groups


def reference(cost: float) -> LinearSVC:
    return LinearSVC(C=cost, dual=False, tol=1e-10, max_iter=100000)


@pytest.mark.parametrize("values", [7, 300], ids=["fewer values than utterances", "more values than utterances"])
@pytest.mark.parametrize("cost", [1e-4, 1e-2, 1.0])
def test_the_planes_are_those_of_scikit_learn(values: int, cost: float):
    features, labels, groups = speakers_data(values)
    expected = make_pipeline(StandardScaler(), reference(cost)).fit(features, labels)
    svm = LinearSvm(costs=(cost,))
    svm.fit(features, labels, groups)
    unseen = speakers_data(values, seed=1)[0]
    scale = np.abs(expected.decision_function(unseen)).max()
    np.testing.assert_allclose(svm.decisions(unseen), expected.decision_function(unseen), atol=1e-5 * scale)


@pytest.mark.parametrize("values", [20, 150])
def test_the_cost_is_that_of_a_grid_search_over_speaker_folds(values: int):
    costs = (1e-5, 1e-3, 1e-1, 1.0)
    features, labels, groups = speakers_data(values, spread=5.0)
    pipeline = make_pipeline(StandardScaler(), reference(1.0))
    search = GridSearchCV(
        pipeline, {"linearsvc__C": list(costs)}, cv=GroupKFold(5), scoring="balanced_accuracy", refit=False
    )
    search.fit(features, labels, groups=groups)
    svm = LinearSvm(costs=costs, inner_folds=5)
    svm.fit(features, labels, groups)
    assert svm.cost == search.best_params_["linearsvc__C"]


def test_a_rising_cost_starts_from_the_last_but_ends_in_the_same_place():
    features, labels, groups = speakers_data(40)
    alone = LinearSvm(costs=(1.0,))
    alone.fit(features, labels, groups)
    *_, last = LinearSvm()._fits(features, labels, (1e-4, 1e-2, 1.0))
    np.testing.assert_allclose(last.decisions(features), alone.decisions(features), rtol=1e-6, atol=1e-8)


def test_class_weights_help_the_rare_class():
    features, labels, groups = speakers_data(10, classes=2, each=20, spread=3.0)
    rare = (labels == 0) | (np.arange(len(labels)) % 10 == 0)
    recalls = []
    for weights in (False, True):
        svm = LinearSvm(costs=(1e-3,), class_weights=weights)
        svm.fit(features[rare], labels[rare], groups[rare])
        predicted = svm.posteriors(features).argmax(axis=1)
        recalls.append((predicted[labels == 1] == 1).mean())
        if weights:
            assert balanced_accuracy_score(labels, predicted) > 0.7
    assert recalls[1] > recalls[0] + 0.1


def test_posteriors_are_a_distribution_with_the_decision_on_top():
    features, labels, groups = speakers_data(12)
    svm = LinearSvm()
    svm.fit(features, labels, groups)
    posteriors = svm.posteriors(features)
    np.testing.assert_allclose(posteriors.sum(axis=1), 1.0)
    assert (posteriors.argmax(axis=1) == svm.decisions(features).argmax(axis=1)).all()
    assert svm.posteriors(features * 1e6).min() >= 0.0
    assert (posteriors.argmax(axis=1) == labels).mean() > 0.6


def test_the_state_brings_the_same_svm_back():
    features, labels, groups = speakers_data(12)
    svm, again = LinearSvm(), LinearSvm()
    svm.fit(features, labels, groups)
    again.fit(features, labels, groups)
    state = load(save(svm.state()))
    assert {name: value.tobytes() for name, value in again.state().items()} == {
        name: value.tobytes() for name, value in state.items()
    }
    back = LinearSvm.from_state(state)
    assert back.cost == svm.cost
    np.testing.assert_array_equal(back.posteriors(features), svm.posteriors(features))
    with pytest.raises(InputError, match="has no 'mean'"):
        LinearSvm.from_state({name: value for name, value in state.items() if name != "mean"})
    with pytest.raises(InputError, match="do not fit"):
        LinearSvm.from_state(state | {"scale": np.ones(3)})


def test_constant_values_count_nothing_also_where_they_vary_later():
    features, labels, groups = speakers_data(6)
    with_constant = np.hstack([features, np.full((len(features), 1), np.float32(0.1))])
    plain, svm = LinearSvm(costs=(0.1,)), LinearSvm(costs=(0.1,))
    plain.fit(features, labels, groups)
    svm.fit(with_constant, labels, groups)
    later = np.hstack([features, np.full((len(features), 1), 1e9)])
    np.testing.assert_allclose(svm.decisions(later), plain.decisions(features), atol=1e-9)


def test_missing_labels_are_left_out_and_an_absent_class_is_never_decided_for():
    features, labels, groups = speakers_data(8)
    kept = labels != 1
    plain, svm = LinearSvm(), LinearSvm()
    plain.fit(features[kept], labels[kept], groups[kept])
    svm.fit(features, np.where(kept, labels, -1), groups)
    np.testing.assert_array_equal(svm.decisions(features), plain.decisions(features))
    posteriors = plain.posteriors(features)
    assert posteriors.shape == (len(features), 4)
    assert (posteriors[:, 1] == 0.0).all()
    assert np.isfinite(posteriors).all()


def test_confounded_speakers_and_single_speakers():
    features, labels, _ = speakers_data(8)
    groups = np.array([f"only {label}" for label in labels])
    svm = LinearSvm()
    svm.fit(features, labels, groups)
    assert svm.cost in svm.costs
    with pytest.raises(InputError, match=r"one speaker.*classifier\.costs"):
        svm.fit(features, labels, ["a"] * len(labels))
    LinearSvm(costs=(0.01,)).fit(features, labels, ["a"] * len(labels))
    with pytest.raises(InputError, match="fewer than two emotions"):
        svm.fit(features, np.zeros(len(labels), dtype=int), groups)


def test_thousands_of_values():
    features, labels, groups = speakers_data(6373, classes=7, speakers=8, each=6)
    svm = LinearSvm()
    svm.fit(features, labels, groups)
    assert (svm.posteriors(features).argmax(axis=1) == labels).mean() > 0.9


def test_no_torch():
    code = "import unheard.methods.svm, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
