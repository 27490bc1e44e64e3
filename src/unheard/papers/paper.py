"""What a paper published, what its study consists of, and what it leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from unheard.errors import InputError, did_you_mean
from unheard.metrics.classification import Spread
from unheard.recipe import Recipe
from unheard.settings import checked, parse_yaml

#: Of ``results.csv``, see :func:`published_results`.
COLUMNS = ("paper", "table", "row", "corpus", "protocol", "metric", "value", "std", "source")
#: The labels as they stand in the manifest.
AS_THEY_ARE = "as-they-are"

Metric = Literal["wa", "ua", "auc"]


class Claim(BaseModel):
    """Something a paper says about a row against the first one.

    Attributes:
        kind: ``gain``, it is better; ``error_reduction``, it makes fewer errors by the share published; ``no_gain``, it
            does not; ``smaller_gap``, it does better on dev than on test by less.
        source: where the paper says so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: str
    kind: Literal["gain", "error_reduction", "no_gain", "smaller_gap"]
    source: str


class Instead(BaseModel):
    """What to try, in this order, on corpora that lack what the paper's labels or protocol need."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: tuple[str, ...]
    protocol: tuple[str, ...]


class PaperStudy(BaseModel):
    """A study of a paper: what was run, which recipe is which row, how the rows are scored.

    Attributes:
        table: where it was published, see ``results.csv``.
        where: columns of ``results.csv`` that tell its rows from others of the same table.
        corpus: the name its reader gives the corpus; None for a corpus without a reader.
        utterances, speakers: how many take part.
        labels: a label mapping, or ``as-they-are``.
        seeds: how often everything was run.
        metrics: what was published; the rows are compared in these. ``auc`` stands alone: the area under the curve of
            WA over the numbers of a ``low-resource`` protocol, divided by its range.
        aggregation: ``pooled`` scores all folds together, ``folds`` takes the mean of their scores.
        rows: recipes by the rows they stand for; the others are compared with the first.
        variants: rows' recipes that are no files: another recipe and what to override in it.
        given: keys of the recipes that have no default and must be given, such as a file with weights.
        auxiliary: the name of the corpus without emotion labels that some rows learn from too.
        analyses: further tables about these rows: ``confusion_MEANT_TAKEN`` (per cent), ``gender_distance_EMOTION``,
            ``gender_accuracy``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str
    table: str
    where: dict[str, str] = Field(default_factory=dict)
    corpus: str | None = None
    utterances: PositiveInt
    speakers: PositiveInt
    labels: str
    protocol: str
    seeds: PositiveInt
    metrics: tuple[Metric, ...]
    aggregation: Literal["pooled", "folds"]
    rows: dict[str, str]
    variants: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    given: tuple[str, ...] = ()
    auxiliary: str | None = None
    analyses: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    instead: Instead

    @model_validator(mode="after")
    def _has_rows(self) -> PaperStudy:
        if not self.rows:
            raise ValueError("a study has at least one row")
        for claim in self.claims:
            if claim.row not in self.rows:
                raise ValueError(f'a claim is about the row "{claim.row}"; {did_you_mean(claim.row, self.rows)}')
        return self

    @property
    def first(self) -> str:
        """The row that the others are compared with."""
        return next(iter(self.rows))

    def recipe(self, name: str, overrides: Sequence[str] = ()) -> Recipe:
        """A row's recipe by its name, with further overrides."""
        if name not in self.variants:
            return Recipe.load(name, overrides)
        base, *own = self.variants[name]
        return Recipe.load(base, [f"name={name}", *own, *overrides])

    def recipes(self) -> list[Recipe]:
        """Those of the rows, in their order."""
        return [self.recipe(name) for name in dict.fromkeys(self.rows.values())]


class Choice(BaseModel):
    """What a paper leaves open, what is taken here, and what changes it.

    Attributes:
        keys: of the recipes.
        option: of the command, where it is no key of a recipe.
        study: the only one that it is about, where it is not about all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    open: str
    taken: str
    keys: tuple[str, ...] = ()
    option: str = ""
    study: str = ""


class Paper(BaseModel):
    """A paper as data; see ``papers/tu2019.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    authors: str
    link: str
    studies: dict[str, PaperStudy]
    choices: tuple[Choice, ...] = ()

    @classmethod
    def load(cls, name: str) -> Paper:
        """A paper by its name.

        Raises:
            InputError: there is none, or only its tables are there.
        """
        if name not in paper_names():
            known = published_results()["paper"].unique().tolist()
            if name in known:
                raise InputError(
                    f"the studies of {name} cannot be run yet, only its tables are there; "
                    f"`unheard reproduce {name} --table` prints them"
                )
            raise InputError(f'there is no paper "{name}"; {did_you_mean(name, known)}')
        file = resources.files("unheard.papers") / f"{name}.yaml"
        where = f"papers/{name}.yaml"
        paper = checked(cls, {"name": name, **parse_yaml(file.read_text(encoding="utf-8"), where)}, where)
        assert isinstance(paper, Paper)
        return paper

    def study(self, name: str | None = None) -> tuple[str, PaperStudy]:
        """One of its studies and its name, by default the first.

        Raises:
            InputError: there is no such study.
        """
        chosen = next(iter(self.studies)) if name is None else name
        if chosen not in self.studies:
            raise InputError(f'{self.name} has no study "{chosen}"; {did_you_mean(chosen, self.studies)}')
        return chosen, self.studies[chosen]


def paper_names() -> list[str]:
    """The papers whose studies can be run."""
    folder = resources.files("unheard.papers")
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


@cache
def _results() -> pd.DataFrame:
    with (resources.files("unheard.papers") / "results.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype="str", keep_default_na=False)


def published_results(paper: str | None = None, table: str | None = None, **where: str) -> pd.DataFrame:
    """What the papers' tables say, in their order: the columns of :data:`COLUMNS`, all of them text.

    Values are in per cent, those of ``error_reduction`` (the share of the first row's errors that are gone) too;
    ``std`` is the deviation over runs where one is given. A metric starts with ``dev_`` where it is of the validation
    part, and is ``unstated`` where the paper does not say whether it means WA or UA.

    >>> published_results("tu2019", "abstract", row="SER SR CGT")["value"].tolist()
    ['7.4']
    """
    found = _results()
    for column, value in {"paper": paper, "table": table, **where}.items():
        found = found if value is None else found[found[column] == value]
    return found.reset_index(drop=True)


def published_value(results: pd.DataFrame, row: str, metric: str) -> Spread | None:
    """The share (not per cent) that was published for a row, and its deviation; None where there is none.

    Where the paper does not say whether it means WA or UA, it is either.

    >>> published_value(published_results("tu2019", "Table 2"), "SER only", "wa")
    Spread(mean=0.539, sd=0.01)
    """
    metrics = (metric, "unstated") if metric in ("wa", "ua") else (metric,)
    found: Any = results[(results["row"] == row) & results["metric"].isin(metrics)]
    if found.empty:
        return None
    value, deviation = found.iloc[0][["value", "std"]]
    return Spread(float(value) / 100, float(deviation) / 100 if deviation else float("nan"))
