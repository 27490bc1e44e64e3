"""A paper's study done again: its published table beside ours, its claims, its open choices, and what is not alike."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from unheard.errors import InputError
from unheard.files import write_atomically
from unheard.metrics.classification import Spread
from unheard.metrics.comparison import relative_error_reduction
from unheard.metrics.intervals import Interval, speaker_interval
from unheard.metrics.predictions import scores
from unheard.papers.paper import AS_THEY_ARE, Choice, Claim, Paper, PaperStudy, published_results, published_value
from unheard.recipe import Recipe
from unheard.studies.compared import STATISTICS, Compared, compare_recipes
from unheard.studies.report.data import StudyData, ranges
from unheard.studies.report.low_resource import utterances_of_each, weighted
from unheard.studies.report.tables import many
from unheard.studies.reproduction.analyses import Analysis, analyses
from unheard.studies.study import read_predictions

#: Says in a study's folder which paper's study it is.
FILE = "reproduction.json"

NOTHING = Spread(math.nan, math.nan)


@dataclass(frozen=True)
class Scores:
    """A row's accuracy on dev and test and the gap between them, as mean and deviation over runs; shares.

    Where a run is not known, as in a paper, the gap has no deviation.
    """

    dev: Spread
    test: Spread
    gap: Spread


@dataclass(frozen=True)
class ReproducedRow:
    """A row of a paper's table in one metric, and what came out here.

    Attributes:
        row: as the paper calls it.
        recipe: that stands for it; empty for a row that is only published.
        done: finished runs.
        published, ours: ``ours`` is None before the first run is done.
        interval: of our test score, over speakers, pooled over folds.
        published_gain, published_reduction: of the published test score over the first row's: the difference, and the
            share of errors that are gone.
        compared: with the first row; None for that row itself and where nothing can be compared.
    """

    row: str
    recipe: str
    metric: str
    done: int
    published: Scores
    ours: Scores | None
    interval: Interval | None
    published_gain: float
    published_reduction: float
    compared: Compared | None


@dataclass(frozen=True)
class Reproduction:
    """A study's folder read as the study of a paper.

    Attributes:
        name: of the paper's study.
        study: what the paper did.
        rows: by metric, then in the order of the paper's table.
        analyses: what the paper gives about its rows besides their scores.
    """

    paper: Paper
    name: str
    study: PaperStudy
    data: StudyData
    rows: tuple[ReproducedRow, ...]
    analyses: tuple[Analysis, ...]

    @classmethod
    def of(cls, data: StudyData) -> Reproduction | None:
        """What lies in the folder of the data; None where it is no paper's study."""
        path = data.study / FILE
        if not path.is_file():
            return None
        said = json.loads(path.read_text(encoding="utf-8"))
        paper = Paper.load(said["paper"])
        name, study = paper.study(said["study"])
        return cls(paper, name, study, data, tuple(_rows(data, paper, study)), tuple(analyses(data, paper, study)))

    @property
    def choices(self) -> list[Choice]:
        """What the paper leaves open in this study."""
        return [choice for choice in self.paper.choices if choice.study in ("", self.name)]

    def row(self, name: str, metric: str) -> ReproducedRow:
        """A row by its name in one metric."""
        return next(row for row in self.rows if (row.row, row.metric) == (name, metric))

    def verdict(self, claim: Claim) -> str:
        """What our numbers say to something that the paper says, in its first metric."""
        first, row = (self.row(name, self.study.metrics[0]) for name in (self.study.first, claim.row))
        if claim.kind == "smaller_gap":
            if first.ours is None or row.ours is None or math.isnan(row.ours.gap.mean - first.ours.gap.mean):
                return "cannot be told yet"
            return "seen here (not tested)" if row.ours.gap.mean < first.ours.gap.mean else "not seen here"
        if row.compared is None:
            return "cannot be told yet"
        words = row.compared.verdict
        if claim.kind == "no_gain":
            return f"not seen here: {words}" if words == "better" else f"nothing against it here: {words}"
        if words == "better":
            return "seen here"
        if row.compared.result.difference > 0:
            return f"in the same direction here, but {words}"
        return f"not seen here: {words}"

    def settings(self, choice: Choice) -> list[str]:
        """What the recipes of the study have under the keys of a choice: ``key=value``, and whose where they differ."""
        said = []
        for key in choice.keys:
            values: dict[str, list[str]] = {}
            for recipe in self._recipes():
                if (value := recipe.value(key)) is not None:
                    before = self.study.recipe(recipe.name).value(key)
                    words = _written(value) + ("" if value == before else f" instead of {_written(before)}")
                    values.setdefault(words, []).append(recipe.name)
            for value, names in values.items():
                said.append(f"{key}={value}" if len(values) == 1 else f"{key}={value} ({', '.join(names)})")
        return said

    def uneven(self) -> list[str]:
        """Keys that the paper leaves open and that are not the same in all rows that have them."""
        keys = dict.fromkeys(key for choice in self.choices for key in choice.keys)
        found = {key: {repr(recipe.value(key)) for recipe in self._recipes()} - {"None"} for key in keys}
        return [key for key, values in found.items() if len(values) > 1]

    def unlike(self) -> list[str]:
        """In what this is another study than the paper's, beyond what the paper leaves open."""
        return [
            *_another_corpus(self.data, self.study),
            *_another_plan(self.data, self.study),
            *(f"without {key}" for key in self.study.given if not any(one.value(key) for one in self._recipes())),
            *self._settings_changed(),
        ]

    def _recipes(self) -> list[Recipe]:
        names = set(self.study.rows.values())
        return [recipe for recipe in self.data.plan.recipes if recipe.name in names]

    def _settings_changed(self) -> Iterator[str]:
        """Settings that the paper gives and that were changed."""
        ours = {*self.study.given, *(key for choice in self.paper.choices for key in choice.keys)}
        changed: dict[str, None] = {}
        for recipe in self._recipes():
            now, before = _leaves(recipe.to_dict()), _leaves(self.study.recipe(recipe.name).to_dict())
            for key in [*before, *(key for key in now if key not in before)]:
                if now.get(key) != before.get(key) and key not in ours:
                    changed[f"{key}={_written(now.get(key))}, not {_written(before.get(key))}"] = None
        yield from changed


def mark(folder: Path, paper: str, study: str) -> None:
    """Note in a study's folder which paper's study it is.

    Raises:
        InputError: it is another one's.
    """
    path, said = folder / FILE, {"paper": paper, "study": study}
    begun = any((folder / "runs").glob("*/*"))
    if begun and path.is_file() and (before := json.loads(path.read_text(encoding="utf-8"))) != said:
        raise InputError(
            f"{folder}: here lies the study {before['study']} of {before['paper']}; choose another --out or start it "
            "over with --force"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(said) + "\n")


def _rows(data: StudyData, paper: Paper, study: PaperStudy) -> Iterator[ReproducedRow]:
    published = published_results(paper.name, study.table, **study.where)
    sizes = utterances_of_each(data) if "auc" in study.metrics else {}
    if sizes:
        data = replace(data, predictions=weighted(data.predictions, sizes))
    first = study.rows[study.first]
    others = [recipe for recipe in study.rows.values() if recipe != first]
    compared = {(one.system, one.metric): one for one in compare_recipes(data, first, others, study.metrics)}
    dev = read_predictions(data.plan, data.study, "dev_predictions.csv")
    if not dev.empty:
        dev = dev[pd.MultiIndex.from_frame(dev[["fold", "seed"]]).isin(list(data.shown))]
        dev = weighted(dev, sizes) if sizes else dev
    for metric in study.metrics:
        base = published_value(published, study.first, metric) or NOTHING
        for row in dict.fromkeys([*study.rows, *published["row"]]):
            recipe = study.rows.get(row, "")
            test, selected = (published_value(published, row, name) or NOTHING for name in (metric, f"dev_{metric}"))
            shown = recipe in data.names
            of_dev = dev[dev["recipe"] == recipe] if not dev.empty else dev
            yield ReproducedRow(
                row=row,
                recipe=recipe,
                metric=metric,
                done=len(data.done.get(recipe, ())),
                published=Scores(selected, test, Spread(selected.mean - test.mean, math.nan)),
                ours=_scores(data.of(recipe), of_dev, metric, study.aggregation, data.even) if shown else None,
                interval=speaker_interval(data.of(recipe), STATISTICS[metric]) if shown else None,
                published_gain=test.mean - base.mean,
                published_reduction=relative_error_reduction(base.mean, test.mean),
                compared=compared.get((recipe, metric)),
            )


def _scores(test: pd.DataFrame, dev: pd.DataFrame, metric: str, aggregation: str, even: bool) -> Scores:
    tested, selected = (_by_run(table, metric, aggregation) for table in (test, dev))
    return Scores(*(_spread(values, even) for values in (selected, tested, selected - tested)))


def _by_run(predictions: pd.DataFrame, metric: str, aggregation: str) -> pd.Series:
    """The score of each run of the whole study (a seed)."""
    if predictions.empty:
        return pd.Series(dtype="float64")
    by = ("seed",) if aggregation == "pooled" else ("seed", "fold")
    return scores(predictions, *by).groupby("seed")["wa" if metric == "auc" else metric].mean()


def _spread(values: pd.Series, even: bool) -> Spread:
    """Mean and deviation; seeds with different folds differ by these, and then have no deviation."""
    several = even and len(values) > 1
    return Spread(float(values.mean()), float(values.std(ddof=0)) if several else math.nan)


def _another_corpus(data: StudyData, study: PaperStudy) -> Iterator[str]:
    plan = data.plan
    further = plan.auxiliary.name if plan.auxiliary else None
    if further != study.auxiliary:
        yield f"auxiliary data: {further or 'none'}, not {study.auxiliary or 'none'}"
    if study.corpus is not None and plan.corpus.name != study.corpus:
        yield f"another corpus ({plan.corpus.name}, not {study.corpus})"
        return
    speakers = plan.corpus.table["speaker"].nunique()
    for count, wanted, what in (
        (len(plan.corpus), study.utterances, "utterance"),
        (speakers, study.speakers, "speaker"),
    ):
        if count != wanted:
            yield f"{many(count, what)}, not {wanted:,}"


def _another_plan(data: StudyData, study: PaperStudy) -> Iterator[str]:
    plan = data.plan
    labels = plan.labels.name if plan.labels else AS_THEY_ARE
    if labels != study.labels:
        yield f"other labels ({labels}, not {study.labels})"
    if missing := set(plan.labels.keep if plan.labels else ()) - set(plan.corpus.table["emotion"].dropna()):
        yield f"no utterance is {' or '.join(sorted(missing))}"
    if plan.protocol.name != study.protocol:
        yield f"another protocol ({plan.protocol.name}, not {study.protocol})"
    if len(plan.folds) < plan.fold_count:
        yield f"folds {ranges(plan.folds)} of {plan.fold_count}"
    if len(plan.seeds) < study.seeds:
        yield f"{many(len(plan.seeds), 'run')} of everything, not {study.seeds}"
    if not data.complete:
        yield "not all runs are done"


def _written(value: Any) -> str:
    """A value as it is written in a recipe."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _leaves(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _leaves(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found
