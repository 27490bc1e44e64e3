import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.errors import InputError
from unheard.metrics.verification import Verified, eer_interval, equal_error_rate, error_rates

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


@QUICK
@given(SCORES, SCORES)
def test_the_curve_by_its_definition(targets, nontargets):
    rates = error_rates(targets, nontargets)
    assert rates.thresholds.tolist() == [-np.inf, *sorted({*targets, *nontargets})]
    for threshold, far, frr in zip(*rates, strict=True):
        assert far == pytest.approx(np.mean([score > threshold for score in nontargets]))
        assert frr == pytest.approx(np.mean([score <= threshold for score in targets]))
    found = equal_error_rate(targets, nontargets)
    assert (found.far, found.frr) in {*zip(rates.far, rates.frr, strict=True)}


def made_up(speakers, each=4, apart=1.0, seed=0):
    """Utterances whose own model is nearer by ``apart``, on few steps so that there are ties."""
    owners = np.repeat(np.arange(len(speakers)), each)
    noise = np.random.default_rng(seed).standard_normal((len(owners), len(speakers)))
    return Verified(tuple(speakers), owners, (noise + apart * (owners[:, None] == np.arange(len(speakers)))).round(1))


def drawn_by_hand(run, times):
    """The EER of the trials of speakers that were drawn so many times, each trial written down as often."""
    targets, nontargets = [], []
    for owner, row in zip(run.owners, run.scores, strict=True):
        for model, score in enumerate(row):
            (targets if model == owner else nontargets).extend(
                [score] * int(times[owner] * (1 if model == owner else times[model]))
            )
    return equal_error_rate(targets, nontargets).eer if targets and nontargets else np.nan


def test_the_interval_is_that_of_trials_written_down_as_often_as_drawn():
    from unheard.metrics.intervals import percentile_interval, speaker_draws

    run = made_up("abcd")
    by_hand = np.array([drawn_by_hand(run, times) for times in speaker_draws(4, 50, seed=3)])
    found = eer_interval([run], resamples=50, seed=3)
    assert found.estimate == equal_error_rate(*run.trials).eer
    assert found[1:] == pytest.approx(percentile_interval(by_hand))
    assert found.low < found.estimate < found.high


def test_speakers_of_several_runs_are_drawn_at_once_by_name():
    run = made_up("abcd")
    assert eer_interval([run, run]) == eer_interval([run])
    turned = Verified(run.speakers[::-1], 3 - run.owners, run.scores[:, ::-1])
    assert eer_interval([run, turned]) == eer_interval([run])
    other = Verified(("a", "b", "e", "f"), run.owners, run.scores)
    both = eer_interval([run, other])
    assert both.estimate == eer_interval([run]).estimate
    assert both.high - both.low < eer_interval([run]).high - eer_interval([run]).low


def test_many_scores_are_counted_on_steps(monkeypatch):
    from unheard.metrics import verification

    run = made_up("abcdef", each=80)
    run = Verified(run.speakers, run.owners, run.scores + 1e-4 * np.random.default_rng(1).random(run.scores.shape))
    coarse = eer_interval([run], resamples=200)
    monkeypatch.setattr(verification, "STEPS", 10**6)
    assert coarse == pytest.approx(eer_interval([run], resamples=200), abs=0.0025)


def test_a_run_without_nontargets_is_refused():
    with pytest.raises(InputError, match="there is no non-target trial"):
        eer_interval([Verified(("a",), np.array([0, 0]), np.ones((2, 1)))])
