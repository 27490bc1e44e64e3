import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from unheard.errors import InputError
from unheard.metrics.comparison import compare, holm, permutation_test, relative_error_reduction
from unheard.metrics.counts import accuracy, mean_recall
from unheard.metrics.predictions import scores

# The same examples every time, and no limit on time that a busy machine would break.
QUICK = settings(derandomize=True, deadline=None, max_examples=60)

CLASSES = ["angry", "happy", "sad"]


def predictions(skill, speakers=8, per_speaker=15, seeds=2, seed=0):
    """One system's predictions; the utterances are the same whatever the skill and the seed."""
    fixed, random = np.random.default_rng(99), np.random.default_rng(seed)
    size = speakers * per_speaker
    utterances = pd.DataFrame(
        {
            "id": [f"u{number}" for number in range(size)],
            "speaker": [f"s{number // per_speaker}" for number in range(size)],
            "fold": [number // per_speaker % 2 for number in range(size)],
            "emotion": fixed.choice(CLASSES, size),
        }
    )
    table = pd.concat([utterances.assign(seed=run) for run in range(seeds)], ignore_index=True)
    guess = random.choice(CLASSES, len(table))
    return table.assign(predicted=np.where(random.random(len(table)) < skill, table["emotion"], guess))


def random_counts(random, speakers, skill):
    """Confusion counts [speakers, 1, 2, 2] of a system that gets a share ``skill`` of 20 utterances per class right."""
    right = random.binomial(20, skill, size=(speakers, 2))
    counts = np.zeros((speakers, 1, 2, 2), dtype=np.int64)
    counts[:, 0, 0, 0], counts[:, 0, 0, 1] = right[:, 0], 20 - right[:, 0]
    counts[:, 0, 1, 1], counts[:, 0, 1, 0] = right[:, 1], 20 - right[:, 1]
    return counts


def test_a_clear_difference():
    result = compare(predictions(0.3), predictions(0.8, seed=1))
    assert result.difference == pytest.approx(result.system - result.baseline)
    assert result.low < result.difference < result.high
    assert result.low > 0
    assert result.speakers == 8
    assert result.p_value == 2 / 2**8  # as small as eight speakers allow
    assert result.relative_error_reduction == pytest.approx(1 - (1 - result.system) / (1 - result.baseline))


@pytest.mark.parametrize(("statistic", "column"), [(mean_recall, "ua"), (accuracy, "wa")])
def test_the_scores_are_those_of_the_report(statistic, column):
    baseline, system = predictions(0.4), predictions(0.6, seed=1)
    result = compare(baseline, system, statistic)
    assert result.baseline == pytest.approx(scores(baseline, "seed")[column].mean())
    assert result.system == pytest.approx(scores(system, "seed")[column].mean())


def test_a_system_against_itself():
    table = predictions(0.5)
    result = compare(table, table.sample(frac=1, random_state=0))
    assert (result.difference, result.low, result.high, result.p_value) == (0, 0, 0, 1)


def test_turned_round_only_the_sign_changes():
    one, other = predictions(0.4), predictions(0.5, seed=1)
    there, back = compare(one, other), compare(other, one)
    assert back.difference == pytest.approx(-there.difference)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-3)
    assert back.p_value == there.p_value


def test_the_pairing_narrows_the_interval():
    """Two systems that err on the same utterances are told apart by few."""
    baseline = predictions(0.5, speakers=20)
    wrong = baseline.index[baseline["emotion"] != baseline["predicted"]]
    better = baseline["predicted"].where(~baseline.index.isin(wrong[::5]), baseline["emotion"])
    paired = compare(baseline, baseline.assign(predicted=better))
    unpaired = compare(baseline, predictions(paired.system, speakers=20, seed=5))
    assert paired.high - paired.low < 0.7 * (unpaired.high - unpaired.low)


def test_exact_enumeration_by_hand():
    random = np.random.default_rng(0)
    first, second = random_counts(random, 5, 0.6), random_counts(random, 5, 0.7)
    observed = mean_recall(second.sum(axis=0))[0] - mean_recall(first.sum(axis=0))[0]
    hits = 0
    for pattern in itertools.product([False, True], repeat=5):
        swap = np.array(pattern)[:, None, None, None]
        one, other = np.where(swap, second, first), np.where(swap, first, second)
        difference = mean_recall(other.sum(axis=0))[0] - mean_recall(one.sum(axis=0))[0]
        hits += abs(difference) >= abs(observed) - 1e-12
    assert permutation_test(first, second) == hits / 2**5


def test_random_patterns_come_near_the_exact_test(monkeypatch):
    random = np.random.default_rng(4)
    first, second = random_counts(random, 12, 0.6), random_counts(random, 12, 0.64)
    exact = permutation_test(first, second)
    monkeypatch.setattr("unheard.metrics.comparison.EXACT_SPEAKERS", 0)
    assert permutation_test(first, second) == pytest.approx(exact, abs=0.02)
    assert permutation_test(first, second) == permutation_test(first, second)


def test_p_is_uniform_where_nothing_differs():
    random = np.random.default_rng(1)
    values = []
    for _ in range(300):
        skill = np.clip(random.normal(0.6, 0.15, size=(10, 1)), 0, 1)  # speakers differ, the systems do not
        values.append(permutation_test(random_counts(random, 10, skill), random_counts(random, 10, skill)))
    assert kstest(values, "uniform").pvalue > 0.01
    assert np.mean(np.array(values) <= 0.05) < 0.09


def test_p_is_small_with_many_speakers_and_a_clear_difference():
    random = np.random.default_rng(2)
    first, second = random_counts(random, 30, 0.5), random_counts(random, 30, 0.7)
    assert permutation_test(first, second) == 1 / 10_001


def test_one_speaker_proves_nothing():
    result = compare(predictions(0.2, speakers=1), predictions(0.9, speakers=1, seed=1))
    assert result.p_value == 1
    assert np.isnan(result.low)
    assert np.isnan(result.high)


@QUICK
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_by_its_definition(values):
    corrected = holm(values)
    order = sorted(range(len(values)), key=lambda number: values[number])
    highest = 0.0
    for rank, number in enumerate(order):
        highest = min(1.0, max(highest, (len(values) - rank) * values[number]))
        assert corrected[number] == pytest.approx(highest)
        assert values[number] <= corrected[number]


def test_relative_error_reduction():
    assert relative_error_reduction(0.6, 0.7) == pytest.approx(0.25)
    assert relative_error_reduction(0.6, 0.5) == pytest.approx(-0.25)
    assert np.isnan(relative_error_reduction(1.0, 1.0))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda table: table.iloc[1:], 'the other recipe lacks 1 .* utterance "u0" in fold 0 with seed 0'),
        (lambda table: table[table["seed"] == 0], "the other recipe lacks 120 .* with seed 1"),
        (lambda table: pd.concat([table, table.iloc[[0]].assign(id="new")]), 'the baseline lacks 1 .* utterance "new"'),
        (lambda table: table.assign(fold=table["fold"] + 1), "same folds"),
        (lambda table: pd.concat([table, table.iloc[[7]]]), 'the other recipe predicts utterance "u7" .* twice'),
        (lambda table: table.assign(emotion="sad"), "name another emotion"),
        (lambda table: table.assign(speaker="s0"), "name another speaker"),
        (lambda table: table.drop(columns="id"), 'no column "id"'),
    ],
)
def test_other_utterances_get_a_sentence(change, sentence):
    table = predictions(0.5)
    with pytest.raises(InputError, match=sentence) as caught:
        compare(table, change(table))
    assert "\n" not in str(caught.value)
