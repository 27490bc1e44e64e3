"""Recipes against a baseline: differences, tests, and the correction for how many are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from unheard.metrics.comparison import Comparison, compare, holm
from unheard.metrics.counts import Statistic, accuracy, mean_recall
from unheard.studies.report.data import StudyData
from unheard.studies.report.tables import many, probability

#: Below this corrected p a difference is called one.
SIGNIFICANT = 0.05

#: What can be compared. The area under a curve of WA is the WA of predictions that are weighted for it.
STATISTICS: dict[str, Statistic] = {"ua": mean_recall, "wa": accuracy, "auc": accuracy}


@dataclass(frozen=True)
class Compared:
    """A recipe against the baseline in one metric; ``p`` is corrected for the number of comparisons (Holm)."""

    baseline: str
    system: str
    metric: str
    result: Comparison
    p: float
    comparisons: int

    @property
    def verdict(self) -> str:
        """The outcome in plain words."""
        count, what = min((self.result.speakers, "speaker"), (self.result.runs, "run"), key=itemgetter(0))
        least = 2 / 2**count
        if least * self.comparisons >= SIGNIFICANT:
            return f"too few {what}s to tell (with {many(count, what)} p cannot fall below {probability(least)})"
        if self.p >= SIGNIFICANT:
            return "no difference beyond chance"
        return "better" if self.result.difference > 0 else "worse"


def compare_recipes(
    data: StudyData, baseline: str, systems: Sequence[str], metrics: Sequence[str] = ("ua",)
) -> list[Compared]:
    """Each of the systems against the baseline in each metric, the p-values corrected for all of these comparisons.

    There is nothing to compare where a recipe has no finished run, or no fold and seed is common to all.
    """
    systems = [name for name in systems if name in data.names and name != baseline]
    if baseline not in data.names or not data.comparable:
        return []
    pairs = [(name, metric) for metric in metrics for name in systems]
    found = [compare(data.of(baseline), data.of(name), STATISTICS[metric]) for name, metric in pairs]
    corrected = holm([result.p_value for result in found])
    return [
        Compared(baseline, name, metric, result, p, len(pairs))
        for (name, metric), result, p in zip(pairs, found, corrected, strict=True)
    ]
