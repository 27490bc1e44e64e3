"""Speaker verification: both error rates over the threshold, their crossing, and an interval over speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unheard.errors import InputError
from unheard.metrics.counts import Floats, present_mean
from unheard.metrics.intervals import Interval, percentile_interval, speaker_draws

Trials = Sequence[float] | NDArray[np.floating]

#: Thresholds of each kind of trial between which an interval is computed; of fewer different scores it is exact.
STEPS = 200


class EqualErrorRate(NamedTuple):
    """Where false acceptance and false rejection are nearest to each other; rates are shares from 0 to 1."""

    eer: float
    threshold: float
    far: float
    frr: float


class ErrorRates(NamedTuple):
    """Both error rates at every score, the lowest first: FAR falls from 1 to 0, FRR rises from 0 to 1."""

    thresholds: Floats
    far: Floats
    frr: Floats


def equal_error_rate(targets: Trials, nontargets: Trials) -> EqualErrorRate:
    """The mean of both error rates at the threshold where they differ least. O(n log n).

    A trial is accepted above the threshold: FRR = share of targets ≤ t, FAR = share of non-targets > t. Among the
    scores and the midpoints between neighbours (the candidates of SpeechBrain's ``metric_stats.EER``), the lowest
    threshold with the smallest |FAR − FRR| is taken.

    Args:
        targets: scores of trials with the same speaker twice, higher is more alike.
        nontargets: scores of trials with two speakers.

    Raises:
        InputError: one of the two is empty or holds a score that is not finite.

    >>> equal_error_rate([0.9, 0.8, 0.4, 0.3], [0.7, 0.5, 0.2, 0.1])
    EqualErrorRate(eer=0.5, threshold=0.4, far=0.5, frr=0.5)
    """
    same, other = _sorted(targets, "target"), _sorted(nontargets, "non-target")
    # A midpoint has the error rates of the score below it, so the lowest best candidate is always a score.
    thresholds, accepted, rejected = _counted(same, other)
    # |FAR − FRR| in whole numbers, so that rounding never decides between equal gaps.
    best = int(np.abs(accepted * len(same) - rejected * len(other)).argmin())
    far, frr = accepted[best] / len(other), rejected[best] / len(same)
    return EqualErrorRate(float(far + frr) / 2, float(thresholds[best]), float(far), float(frr))


def error_rates(targets: Trials, nontargets: Trials) -> ErrorRates:
    """The curve: both error rates with each score as the threshold, and with one below all of them.

    Args:
        targets, nontargets: see :func:`equal_error_rate`.

    Raises:
        InputError: one of the two is empty or holds a score that is not finite.

    >>> rates = error_rates([0.9, 0.3], [0.5, 0.1])
    >>> rates.far.tolist(), rates.frr.tolist()
    ([1.0, 0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    """
    same, other = _sorted(targets, "target"), _sorted(nontargets, "non-target")
    thresholds, accepted, rejected = _counted(same, other)
    return ErrorRates(
        np.append(-np.inf, thresholds),
        np.append(1.0, accepted / len(other)),
        np.append(0.0, rejected / len(same)),
    )


@dataclass(frozen=True, eq=False)
class Verified:
    """The scores of one system: every test utterance against the model of every speaker.

    Attributes:
        speakers: whom the models are of, [models].
        owners: the place of each utterance's speaker among them, [utterances].
        scores: [utterances, models], higher is more alike.
    """

    speakers: tuple[str, ...]
    owners: NDArray[np.intp]
    scores: NDArray[np.floating]

    @property
    def trials(self) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """The scores of the targets, and those of the others."""
        same = self.owners[:, None] == np.arange(len(self.speakers))
        return self.scores[same], self.scores[~same]


def eer_interval(
    runs: Sequence[Verified], *, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """The mean EER of runs, and a percentile interval by bootstrap over speakers.

    Trials share speakers, so whole speakers are drawn with replacement, for all runs at once (by name), each with the
    utterances and the model: a trial counts as often as both its speakers were drawn, a target as often as its one; two
    copies of a speaker are not set against each other. With one run it is the interval of its EER. It is exact where
    the trials have few different scores, otherwise within a quarter of a point; with few speakers it is too narrow, as
    :func:`unheard.metrics.intervals.speaker_interval` is.

    Args:
        runs: the same system trained several times, or on several folds.
        resamples: how many times the speakers are drawn.
        confidence: the share of draws inside the interval.
        seed: of the draws.

    Raises:
        InputError: a run has no trial of one kind, or a score is not finite.

    >>> run = Verified(("a", "b"), np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> eer_interval([run])
    Interval(estimate=0.0, low=0.0, high=0.0)
    """
    estimate = float(np.mean([equal_error_rate(*run.trials).eer for run in runs]))
    names = sorted({speaker for run in runs for speaker in run.speakers})
    place = {speaker: index for index, speaker in enumerate(names)}
    draws = speaker_draws(len(names), resamples, seed)
    found = [_drawn(run, draws[:, [place[speaker] for speaker in run.speakers]]) for run in runs]
    return Interval(estimate, *percentile_interval(present_mean(np.stack(found, axis=1), axis=1), confidence))


def _drawn(run: Verified, draws: Floats) -> Floats:
    """The EER with each speaker counted as often as drawn, [draws, models] → [draws]; NaN without both kinds."""
    thresholds = np.unique(np.concatenate([_steps(scores) for scores in run.trials]))
    models = len(run.speakers)
    # How many scores of each pair of a speaker and a model lie at or below each threshold.
    below = np.zeros((models, models, len(thresholds)))
    for speaker in range(models):
        scores = np.sort(run.scores[run.owners == speaker], axis=0)
        for model in range(models):
            below[speaker, model] = np.searchsorted(scores[:, model], thresholds, side="right")
    counts = np.bincount(run.owners, minlength=models).astype(np.float64)
    same = np.arange(models)
    rejected = _ratio(draws @ below[same, same], draws @ counts)
    pairs = draws[:, :, None] * draws[:, None, :]
    pairs[:, same, same] = 0
    flat = pairs.reshape(len(draws), -1)
    accepted = 1 - _ratio(flat @ below.reshape(models * models, -1), flat @ np.repeat(counts, models))
    # Rounded, so that rounding never decides between equal gaps; a row of NaN has its first, which is NaN.
    best = np.abs(accepted - rejected).round(9).argmin(axis=1)
    return np.asarray(np.take_along_axis((accepted + rejected) / 2, best[:, None], axis=1)[:, 0], dtype=np.float64)


def _steps(scores: NDArray[np.floating]) -> Floats:
    """All different scores, or as many of them as are enough."""
    different = np.unique(scores.astype(np.float64))
    if len(different) <= STEPS:
        return different
    return np.quantile(scores.astype(np.float64), np.linspace(0, 1, STEPS), method="inverted_cdf")


def _ratio(part: Floats, whole: Floats) -> Floats:
    """[draws, thresholds] by [draws]; NaN where nothing was drawn."""
    return part / np.where(whole > 0, whole, np.nan)[:, None]


def _counted(same: Floats, other: Floats) -> tuple[Floats, NDArray[Any], NDArray[Any]]:
    """Every score, how many of the others lie above it, and how many of the same do not."""
    thresholds = np.unique(np.concatenate([same, other]))
    rejected = np.searchsorted(same, thresholds, side="right")
    accepted = len(other) - np.searchsorted(other, thresholds, side="right")
    return thresholds, accepted, rejected


def _sorted(scores: Trials, what: str) -> Floats:
    array = np.asarray(scores, dtype=np.float64).ravel()
    if not len(array):
        raise InputError(f"there is no {what} trial; an equal error rate needs trials of both kinds")
    if not np.isfinite(array).all():
        row = int((~np.isfinite(array)).argmax())
        raise InputError(
            f"the score {array[row]} of {what} trial {row + 1} is not a finite number; score it or leave it out"
        )
    return np.sort(array)
