"""Does one recipe beat another by more than chance? Both are tested on the same folds, seeds and utterances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from unheard.errors import InputError
from unheard.metrics.classification import classes_of
from unheard.metrics.counts import Counts, Floats, Statistic, mean_recall, statistic_of_sums
from unheard.metrics.intervals import percentile_interval, speaker_counts, speaker_draws
from unheard.metrics.predictions import require
from unheard.seeds import generator

#: Up to this many units every pattern of swaps is tried; beyond, random ones.
EXACT_UNITS = 14


@dataclass(frozen=True)
class Comparison:
    """A recipe against a baseline, pooled over folds, mean over seeds.

    Attributes:
        baseline: the score of the baseline.
        system: the score of the other recipe.
        difference: ``system − baseline``.
        low: lower end of the difference's interval by bootstrap over speakers; NaN with one speaker.
        high: its upper end.
        p_speakers: two-sided p of the paired permutation test over speakers: is it more than the luck of who spoke?
        p_runs: the same over runs (a fold with a seed): is it more than the luck of training?
        relative_error_reduction: the share of the baseline's errors that are gone.
        error_reduction_low: lower end of its interval, from the same draws of speakers.
        error_reduction_high: its upper end.
        speakers: how many speakers both were tested on. Their p cannot fall below 2 / 2^speakers.
        runs: how many folds with how many seeds both have. Their p cannot fall below 2 / 2^runs.
    """

    baseline: float
    system: float
    difference: float
    low: float
    high: float
    p_speakers: float
    p_runs: float
    relative_error_reduction: float
    error_reduction_low: float
    error_reduction_high: float
    speakers: int
    runs: int

    @property
    def p_value(self) -> float:
        """The larger of both: only a difference that neither kind of luck explains is one of the methods."""
        return max(self.p_speakers, self.p_runs)


def compare(
    baseline: pd.DataFrame,
    system: pd.DataFrame,
    statistic: Statistic = mean_recall,
    *,
    resamples: int = 2000,
    permutations: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare two recipes' predictions of the same utterances.

    For the interval speakers are drawn with replacement, together for both recipes and all seeds. For the tests
    predictions are swapped between the recipes: those of a speaker, for all seeds at once, which tests these trained
    models on other speakers; and those of a run, which tests other trainings on these speakers. Both are needed:
    speakers of one fold share a model, so that a lucky training makes many of them better at once, and the test over
    speakers alone would call that a better method (in 9 to 20 of 100 cases instead of 5, in simulations).

    Args:
        baseline: predictions with the columns ``id, fold, seed, speaker, emotion, predicted``.
        system: the same of the other recipe, in any order.
        statistic: a score of confusion counts: :func:`unheard.metrics.counts.mean_recall` (UA), ``accuracy`` (WA), …
        resamples: how many times the speakers are drawn for the interval.
        permutations: how many random patterns of swaps are tried where there are too many for all.
        confidence: of the interval.
        seed: of the draws and swaps.

    Raises:
        InputError: a column is missing, or the recipes were not tested on the same utterances, folds and seeds.

    >>> table = pd.DataFrame({"id": list("wxyz"), "fold": 0, "seed": 0, "speaker": list("aabb"),
    ...                       "emotion": ["sad", "angry"] * 2, "predicted": ["sad", "sad", "sad", "angry"]})
    >>> result = compare(table, table.assign(predicted=table["emotion"]))
    >>> result.difference, result.low, result.high, result.p_value, result.relative_error_reduction
    (0.25, 0.0, 0.5, 1.0, 1.0)
    """
    first, second = _paired(baseline, system)
    classes = classes_of(first["emotion"], first["predicted"], second["predicted"])
    one, other = speaker_counts(first, classes), speaker_counts(second, classes)
    run, rival_run = (speaker_counts(table.assign(speaker=_runs(table)), classes) for table in (first, second))
    everyone = np.ones((1, len(one)))
    scores = [float(statistic_of_sums(statistic, everyone, counts)[0]) for counts in (one, other)]
    low, high, reduction_low, reduction_high = (np.nan,) * 4
    if len(one) > 1:
        draws = speaker_draws(len(one), resamples, seed)  # both recipes are tested by the same speakers
        drawn, rival = (statistic_of_sums(statistic, draws, counts) for counts in (one, other))
        low, high = percentile_interval(rival - drawn, confidence)
        reduction_low, reduction_high = percentile_interval(_error_reductions(drawn, rival), confidence)
    return Comparison(
        baseline=scores[0],
        system=scores[1],
        difference=scores[1] - scores[0],
        low=low,
        high=high,
        p_speakers=permutation_test(one, other, statistic, permutations=permutations, seed=seed),
        p_runs=permutation_test(run, rival_run, statistic, permutations=permutations, seed=seed),
        relative_error_reduction=relative_error_reduction(*scores),
        error_reduction_low=reduction_low,
        error_reduction_high=reduction_high,
        speakers=len(one),
        runs=len(run),
    )


def permutation_test(
    first: Counts,
    second: Counts,
    statistic: Statistic = mean_recall,
    *,
    permutations: int = 10_000,
    seed: int = 0,
) -> float:
    """The two-sided p of a paired permutation test that swaps two systems' predictions unit by unit.

    Up to 14 units it is exact: the share of the 2^units patterns with a difference at least as large as the one seen.
    Beyond, it is (1 + hits) / (1 + permutations) over random patterns (Phipson and Smyth 2010).

    Args:
        first: one system's confusion counts, [units, seeds, classes, classes]; the units are speakers, or runs.
        second: the other's, of the same shape.
        statistic: a score of confusion counts.
        permutations: how many random patterns are tried.
        seed: of the random patterns.

    >>> right, wrong = np.array([[[[1, 0], [0, 1]]]] * 5), np.array([[[[0, 1], [1, 0]]]] * 5)
    >>> permutation_test(right, wrong)
    0.0625
    """
    units = len(first)
    exact = units <= EXACT_UNITS
    if exact:
        swapped = ((np.arange(2**units)[:, None] >> np.arange(units)) & 1).astype(np.float64)
    else:
        random = generator(seed, "permutation test over speakers")
        swapped = random.integers(0, 2, size=(permutations, units)).astype(np.float64)
    observed = _swapped_difference(statistic, first, second, np.zeros((1, units)))[0]
    differences = _swapped_difference(statistic, first, second, swapped)
    # The same difference summed in another order may come out a rounding error smaller.
    hits = int((np.abs(differences) >= abs(observed) - 1e-10).sum())
    return hits / len(swapped) if exact else (1 + hits) / (1 + len(swapped))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for the number of comparisons (Holm 1979), in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    corrected = np.empty_like(raw)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1)))
    return [float(p) for p in corrected]


def relative_error_reduction(baseline: float, system: float) -> float:
    """The share of the baseline's errors that are gone, from two accuracies; NaN where the baseline makes none.

    >>> round(relative_error_reduction(0.75, 0.80), 3)
    0.2
    """
    return float(_error_reductions(np.asarray(baseline), np.asarray(system)))


def _error_reductions(baseline: Floats, system: Floats) -> Floats:
    errors = 1 - baseline
    reductions: Floats = np.full(errors.shape, np.nan)
    np.divide(system - baseline, errors, out=reductions, where=errors > 0)
    return reductions


def _difference(statistic: Statistic) -> Statistic:
    """The statistic of the second minus that of the first of two systems, [..., 2, classes, classes] → [...]."""

    def difference(counts: Floats) -> Floats:
        values = statistic(counts)
        return values[..., 1] - values[..., 0]

    return difference


def _swapped_difference(statistic: Statistic, first: Counts, second: Counts, swapped: Floats) -> Floats:
    """The difference, second minus first, under each pattern of swaps [patterns, units]."""
    moved = second - first
    unswapped = np.stack([first.sum(axis=0), second.sum(axis=0)], axis=1)[None]
    counts = np.concatenate([unswapped, np.stack([moved, -moved], axis=2)])  # a swap adds its unit's difference
    weights = np.concatenate([np.ones((len(swapped), 1)), swapped], axis=1)
    return statistic_of_sums(_difference(statistic), weights, counts)


def _runs(table: pd.DataFrame) -> pd.Series:
    """The run that made each prediction."""
    return table["fold"].astype(str) + "/" + table["seed"].astype(str)


def _paired(baseline: pd.DataFrame, system: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    keys = ["id", "fold", "seed"]
    tables = []
    for table, what in ((baseline, "baseline"), (system, "other recipe")):
        require(table, (*keys, "speaker", "emotion", "predicted"))
        twins = table.duplicated(keys)
        if twins.any():
            raise InputError(
                f"the {what} predicts {_name(table[twins])} twice; keep one row per utterance, fold and seed"
            )
        tables.append(table.set_index(keys).sort_index())
    first, second = tables
    if not first.index.equals(second.index):
        lost, what = first.index.difference(second.index), "other recipe"
        if lost.empty:
            lost, what = second.index.difference(first.index), "baseline"
        raise InputError(
            f"the {what} lacks {len(lost)} of its rival's predictions, first {_name(lost.to_frame())}; "
            "compare recipes that were tested on the same utterances in the same folds and seeds"
        )
    for column in ("speaker", "emotion"):
        differs = (first[column] != second[column]) & ~(first[column].isna() & second[column].isna())
        if differs.any():
            row = first.index[differs].to_frame()
            raise InputError(
                f"the two recipes name another {column} for {_name(row)}; compare runs on one and the same corpus"
            )
    return first.reset_index(), second.reset_index()


def _name(rows: pd.DataFrame) -> str:
    row = rows.iloc[0]
    return f'utterance "{row["id"]}" in fold {row["fold"]} with seed {row["seed"]}'
