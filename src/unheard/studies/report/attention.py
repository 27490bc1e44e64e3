"""A part of a report: what a network's attention looks at, by gender."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from unheard.studies.inside import read_attention
from unheard.studies.report.data import Pair, StudyData
from unheard.studies.report.plots import curves
from unheard.studies.report.tables import NONE, Section, grid, paragraph, table


def attention_part(data: StudyData) -> Section | None:
    """The tap ``attention``, mean over the dev and test utterances of each gender, for every recipe that has it."""
    plots, rows = [], []
    for index, name in enumerate(data.names):
        found = {
            (run.fold, run.seed): kept
            for run in data.runs(name)
            if (kept := read_attention(run.folder(data.study))) is not None
        }
        if not found:
            continue
        means = _means(found)
        lines = {str(gender): _by_row(one) for gender, one in means.groupby("gender")}
        plots.append(curves(name, lines, f"attention{index}", "weight", along="row of the attention, low to high"))
        deviation = pd.concat(found.values())["sd"].mean()
        rows.append([name, *map(_number, (means.min(), means.max(), _gap(means), deviation))])
    if not plots:
        return None
    note = (
        "The weights of the tap “attention”, averaged over the dev and test utterances of a gender: a thin line for "
        "each run, a thick one for their mean. Where rows are bands of frequency they go from low to high. The gap is "
        "the largest of a run's differences between genders, mean over runs with both; the deviation, within a gender, "
        "is the mean over rows. A gap that is small beside the range of the rows says that the attention tells bands "
        "apart, and not the genders. All numbers are in each run's attention.csv."
    )
    head = ["recipe", "lowest", "highest", "gap between genders", "deviation over utterances"]
    body = grid(plots) + table(head, rows, "Weights of the rows.") + paragraph(note, "note")
    return Section("attention", "What the attention looks at", body)


def _means(found: Mapping[Pair, pd.DataFrame]) -> pd.Series:
    """The mean over dev and test together, by gender, row, fold and seed."""
    weighted = pd.concat(found, names=["fold", "seed"]).assign(total=lambda rows: rows["mean"] * rows["utterances"])
    sums = weighted.groupby(["gender", "row", "fold", "seed"])[["total", "utterances"]].sum()
    means: pd.Series = sums["total"] / sums["utterances"]
    return means


def _by_row(means: pd.Series) -> pd.DataFrame:
    """[rows, runs], rows counted from 0."""
    wide = means.unstack(["gender", "fold", "seed"])
    return wide.set_axis(wide.index - 1)


def _gap(means: pd.Series) -> float:
    genders = means.unstack("gender")
    if genders.shape[1] < 2:
        return math.nan
    apart = (genders.max(axis=1, skipna=False) - genders.min(axis=1, skipna=False)).dropna()
    return float(apart.groupby(["fold", "seed"]).max().mean())


def _number(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.4f}"
