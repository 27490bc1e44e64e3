"""Parts of a report: how well each recipe does, and whether one does better than another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from unheard.metrics.classification import Spread
from unheard.metrics.comparison import Comparison, compare
from unheard.metrics.counts import accuracy
from unheard.metrics.intervals import Interval, speaker_interval
from unheard.metrics.predictions import class_recalls, scores, spread_over
from unheard.studies.compared import SIGNIFICANT, Compared, compare_recipes
from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import interval_plot
from unheard.studies.report.tables import (
    NONE,
    Section,
    grid,
    interval,
    many,
    paragraph,
    percent,
    points,
    probability,
    spread,
    table,
)  # fmt: skip


@dataclass(frozen=True)
class RecipeScores:
    """How well a recipe does on the runs shown; shares, not per cent.

    Attributes:
        ua, wa: pooled over folds, mean over seeds, with the interval over speakers.
        ua_folds, wa_folds: mean ± sd over folds, each averaged over seeds.
        ua_seeds, wa_seeds: mean ± sd over seeds of the pooled score.
        dev_ua: mean over runs of the score on the dev part; NaN without one.
        gap: by how much that is above the mean over runs of the score on the test part.
    """

    name: str
    done: int
    ua: Interval
    wa: Interval
    ua_folds: Spread
    wa_folds: Spread
    ua_seeds: Spread
    wa_seeds: Spread
    dev_ua: float
    gap: float


@dataclass(frozen=True)
class Chance:
    """What always giving the most frequent class scores."""

    ua: float
    wa: float


def recipe_scores(data: StudyData) -> list[RecipeScores]:
    """The scores of every recipe with finished runs."""
    return [_scores(data, name) for name in data.names]


def _scores(data: StudyData, name: str) -> RecipeScores:
    predictions, results = data.of(name), data.results_of(name)
    folds = spread_over(scores(predictions, "seed", "fold"), "fold")
    seeds = spread_over(scores(predictions, "seed"), "seed").iloc[0]
    # One fold or one seed has a mean and no deviation, and seeds with other folds differ by these.
    several_folds = predictions["fold"].nunique() > 1
    several_seeds = predictions["seed"].nunique() > 1 and data.even
    dev, test = (results[column].astype("float64").mean() for column in ("dev_ua", "ua"))
    return RecipeScores(
        name=name,
        done=len(data.done[name]),
        ua=speaker_interval(predictions),
        wa=speaker_interval(predictions, accuracy),
        ua_folds=Spread(folds["ua"].mean(), folds["ua_sd"].mean() if several_folds else np.nan),
        wa_folds=Spread(folds["wa"].mean(), folds["wa_sd"].mean() if several_folds else np.nan),
        ua_seeds=Spread(seeds["ua"], seeds["ua_sd"] if several_seeds else np.nan),
        wa_seeds=Spread(seeds["wa"], seeds["wa_sd"] if several_seeds else np.nan),
        dev_ua=dev,
        gap=dev - test,
    )


def chance(data: StudyData) -> Chance:
    """What always giving the most frequent class scores on the runs shown."""
    first = data.of(data.names[0])["emotion"]
    return Chance(ua=1 / first.nunique(), wa=float(first.value_counts(normalize=True).iloc[0]))


def compared(data: StudyData) -> list[Compared]:
    """Every recipe against the baseline in UA."""
    return compare_recipes(data, data.baseline, data.names)


def accuracy_part(data: StudyData) -> Section:
    """WA and UA with their intervals, how they spread, the recalls, and the dev scores."""
    rows, by_chance = recipe_scores(data), chance(data)
    main = [
        [_name(data, row), interval(row.ua), interval(row.wa), spread(row.ua_folds), spread(row.wa_folds)]
        for row in rows
    ]
    for name in data.done:
        if name not in data.names:
            main.append([_named(name, f"0/{data.planned}, no run is finished"), *["–"] * 4])
    main.append(["always the most frequent class", percent(by_chance.ua), percent(by_chance.wa), "", ""])
    plots = [
        interval_plot("UA, pooled", {row.name: row.ua for row in rows}, by_chance.ua, "ua"),
        interval_plot("WA, pooled", {row.name: row.wa for row in rows}, by_chance.wa, "wa"),
    ]
    more = [
        [row.name, spread(row.ua_seeds), spread(row.wa_seeds), percent(row.dev_ua), points(row.gap)] for row in rows
    ]
    body = [
        table(
            ["recipe", "UA pooled, %", "WA pooled, %", "UA over folds, %", "WA over folds, %"],
            main,
            "UA is the mean of the classes' recalls, WA the share of utterances that were right.",
        ),
        paragraph(
            "Pooled: all test utterances together, mean over seeds; small, the 95 % interval by bootstrap over "
            f"speakers ({many(data.predictions['speaker'].nunique(), 'speaker')}). "
            "Over folds: mean ± standard deviation of the folds' scores, averaged over seeds.",
            "note",
        ),
        grid(plots),
        table(
            ["recipe", "UA over seeds, %", "WA over seeds, %", "UA on dev, %", "dev − test, points"],
            more,
            "What another training run moves, and how much better the dev speakers do, by whom the model was chosen.",
        ),
        paragraph(
            "Over seeds: mean ± standard deviation of the pooled score. Dev and dev − test: mean over runs of a "
            "run's UA on its dev part, and how far above its UA on the test part that is.",
            "note",
        ),
        _recalls(data),
    ]
    return Section("accuracy", "Accuracy", Markup("").join(body))


def _name(data: StudyData, row: RecipeScores) -> Markup:
    done = f"{row.done}/{data.planned} runs" + ("" if row.done == data.planned else ", not complete")
    return _named(row.name, done)


def _named(name: str, done: str) -> Markup:
    return Markup("{} <small>{}</small>").format(name, done)


def _recalls(data: StudyData) -> Markup:
    """A row per class, a column per recipe."""
    recalls = {
        name: spread_over(class_recalls(data.of(name), "seed").drop(columns="n"), "seed").set_index("emotion")
        for name in data.names
    }
    first = data.of(data.names[0]).drop_duplicates(["id", "fold"])
    counts = first["emotion"].value_counts().sort_index()
    rows = [
        [emotion, f"{count:,}", *(_recall(found, emotion, data.even) for found in recalls.values())]
        for emotion, count in zip(counts.index.astype(str), counts, strict=True)
    ]
    caption = "Recall of each class, %: pooled over folds, mean ± standard deviation over seeds."
    return table(["class", "utterances", *data.names], rows, caption)


def _recall(found: pd.DataFrame, emotion: str, even: bool) -> str:
    if emotion not in found.index:
        return "–"
    recall, sd, repeats = (found[column][emotion] for column in ("recall", "recall_sd", "repeats"))
    return spread(Spread(recall, sd if even and repeats > 1 else np.nan))


def comparison_part(data: StudyData) -> Section | None:
    """Whether the recipes beat the baseline by more than chance."""
    if len(data.done) < 2:
        return None
    found = compared(data)
    if not found:
        reason = "no fold and seed is finished by all recipes" if not data.comparable else _lone(data)
        return Section("comparison", "Compared", paragraph(f"Nothing can be compared yet: {reason}."))
    rows = [
        [
            one.system,
            _difference(one.result),
            probability(one.result.p_speakers),
            probability(one.result.p_runs),
            probability(one.p),
            Markup('<strong class="verdict-{}">{}</strong>').format(one.verdict.split()[0], one.verdict),
        ]
        for one in found
    ]
    by_wa = [compare(data.of(data.baseline), data.of(one.system), accuracy) for one in found]
    more = [
        [one.system, _errors_removed(one.result), _difference(wa), _errors_removed(wa)]
        for one, wa in zip(found, by_wa, strict=True)
    ]
    speakers, runs = many(found[0].result.speakers, "speaker"), many(found[0].result.runs, "run")
    body = [
        table(
            ["recipe", "UA difference, points", "p over speakers", "p over runs", "p corrected", "in words"],
            rows,
            Markup("Against <strong>{}</strong>, on the same utterances, folds and seeds.").format(data.baseline),
        ),
        paragraph(
            f"Difference: pooled UA minus that of {data.baseline}; small, its 95 % interval by bootstrap over "
            f"{speakers}. p: paired permutation tests that swap the two recipes speaker by speaker (is it more than "
            f"the luck of who spoke?) and run by run ({runs}: is it more than the luck of training?). Corrected: the "
            f"larger of both, for {many(found[0].comparisons, 'comparison')} (Holm). A difference counts from a "
            f"corrected p below {SIGNIFICANT}.",
            "note",
        ),
        table(["recipe", "errors removed (UA), %", "WA difference, points", "errors removed (WA), %"], more),
        paragraph(
            "Errors removed: the share of the baseline's errors (100 % − UA, or 100 % − WA) that are gone, the papers' "
            "“relative improvement”; small, its 95 % interval over the same draws of speakers. Only UA is tested.",
            "note",
        ),
    ]
    return Section("comparison", f"Compared with {data.baseline}", Markup("").join(body))


def _difference(result: Comparison) -> Markup:
    return _ranged(points(result.difference), points(result.low), points(result.high))


def _errors_removed(result: Comparison) -> Markup:
    ends = (result.error_reduction_low, result.error_reduction_high)
    return _ranged(*(percent(value).replace("-", "−") for value in (result.relative_error_reduction, *ends)))


def _ranged(value: str, low: str, high: str) -> Markup:
    """A value and, smaller, its interval where there is one."""
    ends = Markup("") if low == NONE else Markup(' <span class="interval">{} to {}</span>').format(low, high)
    return Markup("{}{}").format(value, ends)


def _lone(data: StudyData) -> str:
    if data.baseline not in data.names:
        return f"the baseline {data.baseline} has no finished run"
    return f"only {data.baseline} has finished runs"
