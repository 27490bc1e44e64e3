"""A part of a report: what a network's attention looks at, by gender."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd
from markupsafe import Markup

from unheard.frontends import FRONT_ENDS
from unheard.networks import NETWORKS
from unheard.recipe import Recipe
from unheard.settings import make
from unheard.studies.inside import NO_GENDER, read_attention
from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import stairs
from unheard.studies.report.tables import NONE, Section, grid, many, paragraph, table

#: Weights that are closer than this are the same: what lies in attention.csv is rounded to it.
SAME = 1e-6
#: So many bands are named in a sentence.
NAMED = 2


@dataclass(frozen=True)
class Attention:
    """The attention of a recipe in its runs.

    Attributes:
        recipe: its name.
        means: over the utterances that a run noted, by ``gender, row, fold, seed``; rows counted from 1.
        deviations: over the utterances of a gender, by row, mean over genders and runs.
        edges: of the rows in Hz, [rows + 1]; empty where they are no bands of frequency.
        constant: the number of runs in which every utterance has the same weights.
        runs: the number of runs.
    """

    recipe: str
    means: pd.Series
    deviations: pd.Series
    edges: tuple[float, ...]
    constant: int
    runs: int

    @property
    def genders(self) -> list[str]:
        """Those that were noted, in alphabetical order."""
        return sorted(self.means.index.unique("gender"))

    @property
    def bands(self) -> list[str]:
        """A name for each row."""
        if not self.edges:
            return [f"row {row}" for row in self.deviations.index]
        return [f"{low:,.0f}–{high:,.0f} Hz" for low, high in pairwise(self.edges)]

    @property
    def differences(self) -> pd.DataFrame:
        """The first of two genders' weights minus the second's, [rows, runs with both]; otherwise without columns."""
        if len(self.compared) != 2:
            return pd.DataFrame(index=self.deviations.index)
        first, second = map(self.of, self.compared)
        return (first - second).dropna(axis="columns")

    @property
    def compared(self) -> list[str]:
        """The genders that have a name."""
        return [gender for gender in self.genders if gender != NO_GENDER]

    def of(self, gender: str) -> pd.DataFrame:
        """The weights of a gender, [rows, runs]."""
        weights: pd.DataFrame = self.means.xs(gender, level="gender").unstack(["fold", "seed"])
        return weights


def attention_part(data: StudyData) -> Section | None:
    """The tap ``attention``, mean over the utterances of each gender, for every recipe that has it."""
    found = list(attentions(data))
    if not found:
        return None
    note = (
        "The weights of the tap “attention”, averaged over the utterances of a gender in dev and test, or in all of "
        "the fold where these hold one gender: thin steps for runs, thick ones for their mean. Differences are means "
        "over the runs with both genders, “same sign” counts those of them that have the sign of the mean. The gap is "
        "the largest difference of a run, the deviation is within a gender, both are means over runs. A gap that is "
        "small beside the range of the weights says that the attention tells bands apart, and not the genders. All "
        "numbers are in each run's attention.csv."
    )
    plots = [
        stairs(
            one.recipe,
            {gender: one.of(gender) for gender in one.genders},
            one.edges or [row + 0.5 for row in range(len(one.deviations) + 1)],
            f"attention{index}",
            "weight",
            "Hz" if one.edges else "row of the attention",
        )
        for index, one in enumerate(found)
    ]
    head = ["recipe", "lowest", "highest", "gap between genders", "deviation over utterances"]
    rows = [
        [one.recipe, *map(_number, (one.means.min(), one.means.max(), _gap(one), one.deviations.mean()))]
        for one in found
    ]
    body = [paragraph(f"{sentence}.") for sentence in map(_sentence, found) if sentence]
    body += [grid(plots), table(head, rows, "Weights of the rows."), *map(_by_band, found), paragraph(note, "note")]
    return Section("attention", "What the attention looks at", Markup("").join(body))


def attention_sentences(data: StudyData) -> list[str]:
    """Where the attention of a recipe differs most between the genders, and whether it moves at all."""
    return [sentence for one in attentions(data) if (sentence := _sentence(one))]


def attentions(data: StudyData) -> Iterator[Attention]:
    """The attention of every recipe that has it."""
    for recipe in data.plan.recipes:
        noted = {
            (run.fold, run.seed): kept
            for run in (data.runs(recipe.name) if recipe.name in data.names else ())
            if (kept := read_attention(run.folder(data.study))) is not None
        }
        if noted:
            rows = pd.concat(noted, names=["fold", "seed"])
            deviations = rows.groupby("row")["sd"].mean()
            yield Attention(
                recipe=recipe.name,
                means=_means(rows),
                deviations=deviations,
                edges=_edges(recipe, len(deviations)),
                constant=sum(_constant(each) for each in noted.values()),
                runs=len(noted),
            )


def _means(rows: pd.DataFrame) -> pd.Series:
    """The mean over the parts of a fold together."""
    weighted = rows.assign(total=rows["mean"] * rows["utterances"])
    sums = weighted.groupby(["gender", "row", "fold", "seed"])[["total", "utterances"]].sum()
    means: pd.Series = sums["total"] / sums["utterances"]
    return means


def _edges(recipe: Recipe, rows: int) -> tuple[float, ...]:
    """Of the attention's rows in Hz; none where the network or the front end does not say where they lie."""
    covered = None if recipe.network is None else NETWORKS[recipe.network.name].attended_rows
    if covered is None:
        return ()
    edges = make(FRONT_ENDS[recipe.front_end.name], recipe.front_end.settings).row_edges or ()
    return tuple(edges[: covered * rows + 1 : covered])


def _constant(noted: pd.DataFrame) -> bool:
    means = noted.groupby("row")["mean"]
    return bool(noted["sd"].max() <= SAME and (means.max() - means.min()).max() <= SAME)


def _by_band(one: Attention) -> Markup:
    genders, differences = one.genders, one.differences
    between = [] if differences.empty else [" − ".join(one.compared), "same sign"]
    rows = [
        [
            band,
            *(_number(one.of(gender).loc[row].mean()) for gender in genders),
            *([_signed(differences.loc[row].mean()), _agreeing(differences.loc[row])] if between else []),
            _number(one.deviations[row]),
        ]
        for band, row in zip(one.bands, one.deviations.index, strict=True)
    ]
    caption = f"{one.recipe}: mean weight of each {'band' if one.edges else 'row'}."
    return table(["band" if one.edges else "row", *genders, *between, "deviation"], rows, caption)


def _sentence(one: Attention) -> str:
    """Nothing where there is nothing to tell."""
    constant = f"is the same for all utterances in {one.constant} of {many(one.runs, 'run')}" if one.constant else ""
    if one.differences.empty or one.constant == one.runs:
        return f"{one.recipe}: the attention {constant}" if constant else ""
    return f"{one.recipe}: the attention {_largest(one)}{f'; it {constant}' if constant else ''}"


def _largest(one: Attention) -> str:
    """The bands whose difference between the genders is largest."""
    differences, bands = one.differences, dict(zip(one.deviations.index, one.bands, strict=True))
    mean = differences.mean(axis=1)
    places = [
        f"{bands[row]} ({_signed(mean[row])}, same sign in {_agreeing(differences.loc[row])})"
        for row in mean.abs().sort_values(ascending=False, kind="stable").index[:NAMED]
    ]
    return f"to {' and '.join(one.compared)} voices differs most at {' and '.join(places)}"


def _agreeing(differences: pd.Series) -> str:
    """In how many runs a difference has the sign of the mean."""
    return f"{int((differences * differences.mean() > 0).sum())} of {many(len(differences), 'run')}"


def _gap(one: Attention) -> float:
    return math.nan if one.differences.empty else float(one.differences.abs().max().mean())


def _signed(value: float) -> str:
    text = f"{value:+.4f}".replace("-", "−")
    return "0.0000" if float(text[1:]) == 0 else text


def _number(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.4f}"
