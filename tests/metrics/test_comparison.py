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
from unheard.seeds import generator

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
    assert (result.p_speakers, result.p_runs) == (2 / 2**8, 2 / 2**4)  # as small as eight speakers and four runs allow
    assert result.p_value == result.p_runs
    assert result.error_reduction_low < result.relative_error_reduction < result.error_reduction_high
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
    monkeypatch.setattr("unheard.metrics.comparison.EXACT_UNITS", 0)
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
    assert (result.p_speakers, result.p_value) == (1, 1)
    assert np.isnan([result.low, result.high, result.error_reduction_low, result.error_reduction_high]).all()


def test_one_training_proves_nothing():
    result = compare(predictions(0.2, seeds=1).assign(fold=0), predictions(0.9, seeds=1, seed=1).assign(fold=0))
    assert result.p_speakers == 2 / 2**8
    assert (result.runs, result.p_value) == (1, 1)


def test_one_speaker_a_run_makes_both_tests_the_same():
    tables = [predictions(skill, seeds=1, seed=seed) for skill, seed in ((0.4, 0), (0.5, 1))]
    result = compare(*(table.assign(fold=table["speaker"]) for table in tables))
    assert result.p_speakers == result.p_runs


def trained_with_luck(random, folds=4, each=3, seeds=3, luck=0.04):
    """Counts by speaker and by run of one method whose trainings differ by luck, alike for the speakers of a fold."""
    skill = (0.6 + luck * random.standard_normal((folds, seeds))).repeat(each, axis=0)
    right = random.binomial(20, skill[..., None], size=(*skill.shape, 2))
    counts = np.zeros((folds * each, seeds, 2, 2), dtype=np.int64)
    counts[..., 0, 0], counts[..., 0, 1] = right[..., 0], 20 - right[..., 0]
    counts[..., 1, 1], counts[..., 1, 0] = right[..., 1], 20 - right[..., 1]
    by_run = np.zeros((folds, seeds, seeds, 2, 2), dtype=np.int64)
    by_run[:, range(seeds), range(seeds)] = counts.reshape(folds, each, seeds, 2, 2).sum(axis=1)
    return counts, by_run.reshape(folds * seeds, seeds, 2, 2)


def test_no_recipe_of_several_is_called_better_by_chance(monkeypatch):
    """One method trained as if it were four recipes: the least corrected p is below 0.05 in some 5 % of the studies."""
    monkeypatch.setattr("unheard.metrics.comparison.EXACT_UNITS", 0)
    random = np.random.default_rng(0)
    found = []
    for _ in range(300):
        baseline, *others = (trained_with_luck(random) for _ in range(4))
        both = [
            [permutation_test(one, other, permutations=200) for one, other in zip(baseline, system, strict=True)]
            for system in others
        ]
        speakers, either = [p for p, _ in both], [max(pair) for pair in both]
        found.append([min(ps) <= 0.05 for ps in (holm(either), either, holm(speakers))])
    corrected, uncorrected, over_speakers_alone = np.mean(found, axis=0)
    assert corrected < 0.075
    assert uncorrected > 1.5 * corrected  # what the correction is for
    assert over_speakers_alone > 2 * corrected  # what the test over runs is for


def test_the_interval_of_the_errors_removed_is_that_of_the_same_draws():
    baseline, system = predictions(0.4, speakers=6), predictions(0.6, speakers=6, seed=1)
    result = compare(baseline, system, resamples=40)
    draws = generator(0, "bootstrap over speakers").multinomial(6, np.full(6, 1 / 6), size=40)
    reductions = []
    for draw in draws:
        drawn = []
        for table in (baseline, system):
            several = table.loc[table.index.repeat([draw[int(name[1:])] for name in table["speaker"]])]
            drawn.append(scores(several, "seed")["ua"].mean())
        reductions.append(1 - (1 - drawn[1]) / (1 - drawn[0]))
    expected = np.quantile(reductions, [0.025, 0.975])
    assert (result.error_reduction_low, result.error_reduction_high) == pytest.approx(tuple(expected))


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
