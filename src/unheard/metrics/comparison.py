"""Does one recipe beat another by more than chance? Both are tested on the same folds, seeds and utterances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unheard.errors import InputError
from unheard.metrics.classification import classes_of
from unheard.metrics.counts import Floats, Statistic, mean_recall, statistic_of_sums
from unheard.metrics.intervals import bootstrap_interval, speaker_counts
from unheard.metrics.predictions import require
from unheard.seeds import generator

#: Up to this many speakers every pattern of swaps is tried; beyond, random ones.
EXACT_SPEAKERS = 14


@dataclass(frozen=True)
class Comparison:
    """A recipe against a baseline, pooled over folds, mean over seeds.

    Attributes:
        baseline: the score of the baseline.
        system: the score of the other recipe.
        difference: ``system − baseline``.
        low: lower end of the difference's interval by bootstrap over speakers; NaN with one speaker.
        high: its upper end.
        p_value: two-sided p of the paired permutation test over speakers.
        relative_error_reduction: the share of the baseline's errors that are gone.
        speakers: how many speakers both were tested on. p cannot fall below 2 / 2^speakers.
    """

    baseline: float
    system: float
    difference: float
    low: float
    high: float
    p_value: float
    relative_error_reduction: float
    speakers: int


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

    The speaker is the unit: for the interval speakers are drawn with replacement, together for both recipes and all
    seeds; for the test each speaker's predictions are swapped between the recipes, for all seeds at once. What is
    tested is these trained models on other speakers. Speakers of one fold share a model, and the luck of its training
    is averaged out by more folds and seeds, not by more speakers.

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
    everyone = np.ones((1, len(one)))
    scores = [float(statistic_of_sums(statistic, everyone, counts)[0]) for counts in (one, other)]
    low, high = bootstrap_interval(_difference(statistic), np.stack([one, other], axis=2), resamples, confidence, seed)
    return Comparison(
        baseline=scores[0],
        system=scores[1],
        difference=scores[1] - scores[0],
        low=low,
        high=high,
        p_value=permutation_test(one, other, statistic, permutations=permutations, seed=seed),
        relative_error_reduction=relative_error_reduction(*scores),
        speakers=len(one),
    )


def permutation_test(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    statistic: Statistic = mean_recall,
    *,
    permutations: int = 10_000,
    seed: int = 0,
) -> float:
    """The two-sided p of a paired permutation test that swaps two systems' predictions speaker by speaker.

    Up to 14 speakers it is exact: the share of the 2^speakers patterns with a difference at least as large as the one
    seen. Beyond, it is (1 + hits) / (1 + permutations) over random patterns (Phipson and Smyth 2010).

    Args:
        first: one system's confusion counts, [speakers, seeds, classes, classes].
        second: the other's, of the same shape.
        statistic: a score of confusion counts.
        permutations: how many random patterns are tried.
        seed: of the random patterns.

    >>> right, wrong = np.array([[[[1, 0], [0, 1]]]] * 5), np.array([[[[0, 1], [1, 0]]]] * 5)
    >>> permutation_test(right, wrong)
    0.0625
    """
    speakers = len(first)
    exact = speakers <= EXACT_SPEAKERS
    if exact:
        swapped = ((np.arange(2**speakers)[:, None] >> np.arange(speakers)) & 1).astype(np.float64)
    else:
        random = generator(seed, "permutation test over speakers")
        swapped = random.integers(0, 2, size=(permutations, speakers)).astype(np.float64)
    observed = _swapped_difference(statistic, first, second, np.zeros((1, speakers)))[0]
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
    return 1 - (1 - system) / (1 - baseline) if baseline < 1 else float("nan")


def _difference(statistic: Statistic) -> Statistic:
    """The statistic of the second minus that of the first of two systems, [..., 2, classes, classes] → [...]."""

    def difference(counts: Floats) -> Floats:
        values = statistic(counts)
        return values[..., 1] - values[..., 0]

    return difference


def _swapped_difference(
    statistic: Statistic, first: NDArray[np.int64], second: NDArray[np.int64], swapped: Floats
) -> Floats:
    """The difference, second minus first, under each pattern of swaps [patterns, speakers]."""
    both = np.concatenate([np.stack([first, second], axis=2), np.stack([second, first], axis=2)])
    return statistic_of_sums(_difference(statistic), np.concatenate([1 - swapped, swapped], axis=1), both)


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
