"""A part of a report: pictures of the embeddings, by emotion and by speaker, and the numbers beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from unheard.errors import InputError
from unheard.evaluation.projection import EMBEDDINGS, project, read_embeddings, silhouette
from unheard.seeds import generator
from unheard.studies.plan import Run
from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import scatter
from unheard.studies.report.tables import NONE, Section, grid, many, paragraph, table

#: More points than these are no picture; they are drawn by the seed.
MOST_POINTS = 600
#: So many speakers are shown, drawn by the seed (Tu et al. 2019, Figure 2).
SPEAKERS = 4


@dataclass(frozen=True)
class _Embedded:
    """What one run kept: whose embeddings, the utterances, and the values [utterances, width]."""

    run: Run
    part: str
    table: pd.DataFrame
    values: NDArray[np.float32]


def projection_part(data: StudyData) -> Section | None:
    """The embeddings of the dev utterances of one fold and seed, for every recipe whose run kept them."""
    fold, seed = data.projected
    found = [embedded for run in data.drawn if (embedded := _read(data, run)) is not None]
    if not found:
        return None
    # Recipes that learn from the dev speakers have kept the test part: other utterances, of other speakers.
    parts = {one.part: one.table for one in found}
    shown = {part: np.sort(_drawn(seed, "points", range(len(rows)), MOST_POINTS)) for part, rows in parts.items()}
    everyone = {part: sorted(rows["speaker"].dropna().unique()) for part, rows in parts.items()}
    plots = []
    for index, one in enumerate(found):
        points = project(one.values[shown[one.part]], seed)
        if points is None:
            continue
        orders = {
            "emotion": sorted(one.table["emotion"].dropna().unique()),
            "speaker": sorted(map(str, _drawn(seed, "speakers", everyone[one.part], SPEAKERS))),
        }
        for column, order in orders.items():
            groups = [value if value in order else None for value in one.table[column].iloc[shown[one.part]]]
            title = f"{one.run.recipe.name}, by {column}"
            plots.append(scatter(title, points, groups, order, f"{column}-points{index}"))
    numbers = [
        [
            one.run.recipe.name,
            f"{one.part}: {many(len(one.table), 'utterance')} of {many(len(everyone[one.part]), 'speaker')}",
            *(_number(silhouette(one.values, one.table[by].to_numpy(dtype=np.str_))) for by in ("emotion", "speaker")),
        ]
        for one in found
    ]
    whose = f"the {' or '.join(parts)} utterances of fold {fold}, seed {seed}"
    body = [
        paragraph(f"The embeddings of {whose}, laid out in the plane: do they lie together by emotion, or by speaker?"),
        grid(plots),
        table(["recipe", "embeddings", "silhouette by emotion", "silhouette by speaker"], numbers),
        paragraph(_reading(parts, everyone), "note"),
    ]
    return Section("projection", "What lies together", Markup("").join(body))


def _read(data: StudyData, run: Run) -> _Embedded | None:
    kept = read_embeddings(run.folder(data.study))
    if kept is None:
        return None
    part, values = kept
    corpus, fold = data.plan.fold(run.fold)
    rows = corpus.table.iloc[{"dev": fold.dev, "test": fold.test}[part]].reset_index(drop=True)
    if len(rows) != len(values):
        raise InputError(
            f"{run.folder(data.study) / EMBEDDINGS}: it holds {len(values)} embeddings, and the {part} part of fold "
            f"{run.fold} has {len(rows)} utterances; delete it, and the report does without it"
        )
    return _Embedded(run, part, rows, values)


def _number(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:+.2f}".replace("-", "−").replace("+0.00", "0.00")


def _drawn(seed: int, what: str, values: Sequence[Any], most: int) -> list[Any]:
    return list(generator(seed, f"{what} of the projection").permutation(np.asarray(values))[:most])


def _reading(parts: dict[str, pd.DataFrame], everyone: dict[str, list[str]]) -> str:
    some = f" At most {MOST_POINTS} utterances are drawn." if max(map(len, parts.values())) > MOST_POINTS else ""
    few = (
        f" {SPEAKERS} speakers, drawn by the seed, are coloured." if max(map(len, everyone.values())) > SPEAKERS else ""
    )
    other = (
        " A recipe that learns from the dev speakers shows the test part instead: its numbers are of other utterances."
        if len(parts) > 1
        else ""
    )
    return (
        "t-SNE of the standardised embeddings (of a classical model: its features), as in Figure 2 of Tu et al. 2019: "
        f"near points are alike; distances between groups and their sizes mean nothing.{some}{few} The silhouette is "
        "measured on the whole embedding, not on the picture: 1 where groups lie far apart, 0 where they mingle, below "
        f"where utterances lie nearer to another group than to their own. Best is high by emotion and low by "
        f"speaker.{other}"
    )
