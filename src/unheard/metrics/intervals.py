"""Confidence intervals over speakers: what would the score be with other speakers of the same kind?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from unheard.errors import InputError
from unheard.metrics.classification import classes_of
from unheard.metrics.counts import Counts, Floats, Statistic, mean_recall, statistic_of_sums
from unheard.metrics.predictions import grouped_counts, require
from unheard.seeds import generator


class Interval(NamedTuple):
    """An estimate and the ends of its confidence interval; both ends are NaN where the interval is undefined."""

    estimate: float
    low: float
    high: float


def speaker_interval(
    table: pd.DataFrame,
    statistic: Statistic = mean_recall,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """A percentile interval by bootstrap over speakers (Efron 1979) for a score pooled over folds.

    Utterances of one speaker resemble each other, so whole speakers are drawn with replacement, each with all their
    utterances; a speaker is drawn for every seed at once, and the score is the mean over seeds. A class that no drawn
    speaker has is left out of that draw's UA. With few speakers the interval is too narrow: of nominal 95 % some 84 %
    remain with five speakers, 90 % with ten, 93 % with thirty. With one speaker it is undefined (NaN).

    The models stay as they are: how far another training run would move the score is the spread over seeds.

    Args:
        table: predictions with the columns ``speaker, emotion, predicted``, and ``seed`` where there are several.
        statistic: a score of confusion counts: :func:`unheard.metrics.counts.mean_recall` (UA), ``accuracy`` (WA), …
        resamples: how many times the speakers are drawn.
        confidence: the share of draws inside the interval.
        seed: of the draws.

    Raises:
        InputError: a column, a speaker or a label is missing.

    >>> table = pd.DataFrame({"speaker": ["a", "a", "b", "b"], "emotion": ["sad", "angry"] * 2,
    ...                       "predicted": ["sad", "angry", "sad", "sad"]})
    >>> speaker_interval(table)
    Interval(estimate=0.75, low=0.5, high=1.0)
    """
    require(table, ("speaker", "emotion", "predicted"))
    counts = speaker_counts(table, classes_of(table["emotion"], table["predicted"]))
    estimate = float(statistic_of_sums(statistic, np.ones((1, len(counts))), counts)[0])
    if len(counts) < 2:
        return Interval(estimate, np.nan, np.nan)
    return Interval(estimate, *bootstrap_interval(statistic, counts, resamples, confidence, seed))


def speaker_counts(table: pd.DataFrame, classes: list[str]) -> Counts:
    """Each speaker's confusion counts with each seed, [speakers, seeds, classes, classes], both in sorted order.

    Without a column ``seed`` all rows count as one seed. Speakers whom a seed did not test have no counts there.

    >>> table = pd.DataFrame({"speaker": ["b", "a"], "emotion": ["sad", "sad"], "predicted": ["sad", "angry"]})
    >>> speaker_counts(table, ["angry", "sad"]).tolist()
    [[[[0, 0], [1, 0]]], [[[0, 0], [0, 1]]]]
    """
    require(table, ("speaker",))
    if table["speaker"].isna().any():
        raise InputError(
            f"prediction {int(table['speaker'].isna().to_numpy().argmax()) + 1} has no speaker; "
            "an interval over speakers needs one for each"
        )
    table = table if "seed" in table else table.assign(seed=0)
    keys, counts = grouped_counts(table, ("speaker", "seed"), classes)
    speaker, speakers = pd.factorize(keys["speaker"], sort=True)
    run, runs = pd.factorize(keys["seed"], sort=True)
    whole = np.zeros((len(speakers), len(runs), *counts.shape[1:]), dtype=counts.dtype)
    whole[speaker, run] = counts
    return whole


def bootstrap_interval(
    statistic: Statistic, counts: Counts, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """The ends of the percentile interval of a statistic of :func:`speaker_counts`; NaN with one speaker.

    >>> counts = np.array([[[[1, 0], [0, 1]]], [[[1, 0], [1, 0]]]])
    >>> bootstrap_interval(mean_recall, counts)
    (0.5, 1.0)
    """
    if len(counts) < 2:
        return np.nan, np.nan
    return percentile_interval(
        statistic_of_sums(statistic, speaker_draws(len(counts), resamples, seed), counts), confidence
    )


def percentile_interval(values: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """The ends of the interval that holds the middle share of the values; those that are NaN do not count.

    >>> percentile_interval(np.array([0.0, 0.1, 0.2, np.nan]), confidence=1)
    (0.0, 0.2)
    """
    if np.isnan(values).all():
        return np.nan, np.nan
    low, high = np.nanquantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def speaker_draws(speakers: int, resamples: int = 2000, seed: int = 0) -> Floats:
    """How often each speaker is drawn, with replacement, [resamples, speakers]."""
    random = generator(seed, "bootstrap over speakers")
    return random.multinomial(speakers, np.full(speakers, 1 / speakers), size=resamples).astype(np.float64)
