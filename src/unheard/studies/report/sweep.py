"""A part of a report: scores over a setting by which recipes of the study differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup

from unheard.errors import InputError
from unheard.metrics.intervals import Interval, speaker_interval
from unheard.recipe import Recipe
from unheard.settings import inside
from unheard.studies.report.data import StudyData
from unheard.studies.report.paired import by_run, mean_over_folds
from unheard.studies.report.plots import COLOURS, SETTINGS, plot, svg
from unheard.studies.report.tables import NONE, Section, aligned, grid, interval, paragraph, percent, table
from unheard.studies.report.verification import recipe_eer

#: What says nothing of how a recipe is trained.
WORDS = ("name", "about", "source")

#: So many values stand beside each other in a terminal.
ACROSS = 4

Measure = Callable[[str], Interval]


@dataclass(frozen=True)
class Swept:
    """Recipes that differ in nothing but the setting (and those that go along with it).

    Attributes:
        name: what they have in common, for people: the name of the first.
        values: of the setting, rising.
        recipes: one for each value.
    """

    name: str
    values: tuple[Any, ...]
    recipes: tuple[str, ...]


def sweeps(data: StudyData) -> list[Swept]:
    """The recipes of the study that differ in nothing but ``data.over``, in groups of two and more.

    The first key is the axis. Those after it may differ too: two weights that always add up to one.

    Raises:
        InputError: there are no two such recipes.
    """
    groups: dict[str, list[tuple[Any, str]]] = {}
    for recipe in data.plan.recipes:
        value = recipe.value(data.over[0])
        if recipe.name in data.names and value is not None:
            groups.setdefault(_rest(recipe, data.over), []).append((value, recipe.name))
    found = []
    for members in groups.values():
        if len({json.dumps(value) for value, _ in members}) > 1:
            values, names = zip(*sorted(members, key=_order), strict=True)
            found.append(Swept(names[0], values, names))
    if not found:
        raise InputError(
            f"{data.study}: no two recipes of this study differ in {' and '.join(data.over)} and in nothing else; a "
            f"study of one sweep is for example `unheard study a.yaml b.yaml`, alike but for that key"
        )
    return found


def sweep_part(data: StudyData) -> Section | None:
    """A plot and a line of a table for each score, over the values; None where nothing was asked for."""
    if not data.over:
        return None
    groups, scores = sweeps(data), _measures(data)
    found = {
        title: {group.name: [score(recipe) for recipe in group.recipes] for group in groups}
        for title, score in scores.items()
    }
    plots = [_curve(data.over[0], title, groups, lines, f"sweep{i}") for i, (title, lines) in enumerate(found.items())]
    rows = [
        [recipe, _written(value), *(interval(found[title][group.name][place]) for title in scores)]
        for group in groups
        for place, (value, recipe) in enumerate(zip(group.values, group.recipes, strict=True))
    ]
    note = (
        "Shaded, and small in the table, 95 % intervals: of UA and of the equal error rate by bootstrap over "
        "speakers, of the other scores Student's over folds, each with the mean of its seeds. Whether two values "
        "differ by more than chance is told by the comparison above, not by whether intervals overlap."
    )
    body = [grid(plots), table(["recipe", data.over[0], *scores], rows, "All in %."), paragraph(note, "note")]
    return Section("sweep", f"Over {data.over[0]}", Markup("").join(body))


def sweep_text(data: StudyData) -> list[str]:
    """The same for a terminal: a line for each score, a column for each value."""
    if not data.over:
        return []
    scores, lines = _measures(data), []
    for group in sweeps(data):
        for start in range(0, len(group.values), ACROSS):
            part = slice(start, start + ACROSS)
            head = ["", *map(_written, group.values[part])]
            rows = [[f"{title}, %", *map(_ends, map(score, group.recipes[part]))] for title, score in scores.items()]
            lines += ["", f"{group.name} over {data.over[0]}", *aligned([head, *rows])]
    return lines


def _rest(recipe: Recipe, over: Sequence[str]) -> str:
    """Everything of a recipe but these keys and what is for people."""
    values = {key: value for key, value in recipe.to_dict().items() if key not in WORDS}
    for key in over:
        parent: Any = values
        *path, last = key.split(".")
        for part in path:
            parent = inside(parent, part)
        if isinstance(parent, dict):
            parent.pop(last, None)
    return json.dumps(values, sort_keys=True)


def _measures(data: StudyData) -> dict[str, Measure]:
    """What is drawn, by its name: UA, the terms on the test part, the stages, the equal error rate, and the leak."""

    def mean(column: str, name: str) -> Interval:
        found = mean_over_folds(by_run(data, name, column))
        return Interval(found.estimate, *np.clip([found.low, found.high], 0, 1).tolist())  # of a share

    found: dict[str, Measure] = {"UA": lambda name: speaker_interval(data.of(name))}
    for column in map(str, data.results):
        kind, _, rest = column.partition("_")
        told = rest.removesuffix("_wa")
        if kind in ("term", "stage") and told != rest and data.results[column].notna().any():
            found[f"{told} WA" if kind == "term" else f"stage {told} WA"] = partial(mean, column)
    if "eer" in data.results:
        found["EER"] = lambda name: recipe_eer(data, name) or Interval(np.nan, np.nan, np.nan)
    if "leak" in data.results and data.results["leak"].notna().any():
        found["leak"] = partial(mean, "leak")
    return found


def _curve(
    key: str, title: str, groups: Sequence[Swept], lines: Mapping[str, Sequence[Interval]], anchor: str
) -> Markup:
    """A line for each group of recipes, and its intervals."""
    numbers = all(isinstance(value, int | float) for group in groups for value in group.values)
    names = list(dict.fromkeys(_written(value) for group in groups for value in group.values))
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plot(2.7, title)
        for group, colour in zip(groups, COLOURS * (1 + len(groups) // len(COLOURS)), strict=False):
            places = list(group.values) if numbers else [names.index(_written(value)) for value in group.values]
            estimates, lows, highs = 100 * np.array(lines[group.name], dtype=np.float64).T
            axes.fill_between(places, lows, highs, color=colour, alpha=0.18, linewidth=0)
            axes.plot(places, estimates, "o-", color=colour, linewidth=1.8, markersize=4.5, label=group.name)
        axes.set_xticks([float(name) for name in names] if numbers else range(len(names)), names)
        axes.set_xlabel(key)
        axes.set_ylabel("%")
        axes.grid(axis="y")
        if len(groups) > 1:
            figure.legend(loc="outside lower left", ncols=3, columnspacing=1.2)
        return svg(figure, anchor, f"{title} over {key}, in per cent")


def _order(member: tuple[Any, str]) -> tuple[bool, float, str]:
    """Numbers by size, then whatever else there is."""
    number = isinstance(member[0], int | float)
    return not number, member[0] if number else 0, json.dumps(member[0])


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _ends(values: Interval) -> str:
    if np.isnan(values.estimate):
        return NONE
    ends = "" if np.isnan(values.low) else f" [{percent(values.low)}, {percent(values.high)}]"
    return f"{percent(values.estimate)}{ends}"
