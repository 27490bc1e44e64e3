"""Label mappings as data: which utterances take part, which emotions are one, and classes made from ratings."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from unheard.corpora.corpus import EMOTIONS, Corpus
from unheard.errors import InputError, did_you_mean
from unheard.settings import checked

#: Where the emotion goes when ratings take its place.
CATEGORY = "category"

Ratings = NDArray[np.float64]


class Levels(BaseModel):
    """Classes from the levels of one rating (``valence``, ``activation``, ``dominance``).

    ``edges`` are the upper bounds, inclusive, of all levels but the last, by corpus: scales and their use differ.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    names: tuple[str, ...] = ("low", "middle", "high")
    edges: dict[str, tuple[float, ...]]

    @model_validator(mode="after")
    def _edges_lie_between_levels(self) -> Levels:
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"two levels have the same name ({', '.join(self.names)})")
        for corpus, edges in self.edges.items():
            if len(edges) != len(self.names) - 1 or sorted(set(edges)) != list(edges):
                raise ValueError(
                    f"{len(self.names)} levels need {len(self.names) - 1} rising edges, and {corpus} has {list(edges)}"
                )
        return self

    def classes(self, corpus: Corpus) -> pd.Series:
        """The level of each utterance; missing where the rating is."""
        values = corpus.column(self.column)
        if not pd.api.types.is_numeric_dtype(values):
            raise InputError(f'{corpus.source}: the column "{self.column}" is no rating but text; levels need numbers')
        name = corpus.table["corpus"] if "corpus" in corpus.table else pd.Series(corpus.name, values.index)
        levels = pd.Series(None, values.index, dtype="object")
        for each in name[values.notna()].unique():
            if each not in self.edges:
                raise InputError(
                    f'{corpus.source}: there are no levels of {self.column} for the corpus "{each}", only for '
                    f"{', '.join(self.edges)}; write a label mapping with its edges"
                )
            rows = values.notna() & (name == each)
            levels[rows] = np.asarray(self.names)[np.searchsorted(self.edges[each], values[rows], side="left")]
        return levels.astype("str").mask(levels.isna())


class Clusters(BaseModel):
    """Classes from k-means over ratings; ``cluster-1`` has the lowest first rating.

    ``fit_on: train`` finds the centres in the training part of each fold; ``all`` in the whole corpus, test speakers
    included, as latif2022 does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[str, ...] = ("valence", "activation")
    k: Annotated[int, Field(ge=2)]
    fit_on: Literal["all", "train"] = "all"

    def centres(self, corpus: Corpus, rows: Sequence[int] | NDArray[np.intp] | None = None) -> Ratings:
        """The centres [k, ratings] in the order of their first rating, from all utterances or those at ``rows``.

        Raises:
            InputError: fewer utterances than clusters have the ratings.
        """
        from sklearn.cluster import KMeans

        ratings = self._ratings(corpus)
        known = ratings[slice(None) if rows is None else np.asarray(rows)]
        known = known[np.isfinite(known).all(axis=1)]
        if len(np.unique(known, axis=0)) < self.k:
            raise InputError(
                f"{corpus.source}: {self.k} clusters of {' and '.join(self.columns)} need as many different ratings, "
                f"and {len(np.unique(known, axis=0))} are there"
            )
        centres = KMeans(self.k, n_init=20, random_state=0).fit(known).cluster_centers_
        order = np.lexsort(centres.T[::-1])
        return np.asarray(centres[order], dtype=np.float64)

    def classes(self, corpus: Corpus, centres: Ratings) -> pd.Series:
        """The nearest centre of each utterance; missing where a rating is."""
        ratings = self._ratings(corpus)
        nearest = ((ratings[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        names = pd.Series([f"cluster-{index + 1}" for index in nearest], corpus.table.index, dtype="str")
        return names.mask(pd.Series(~np.isfinite(ratings).all(axis=1), names.index))

    def _ratings(self, corpus: Corpus) -> Ratings:
        return np.stack([corpus.column(column).to_numpy(dtype=np.float64) for column in self.columns], axis=1)


class LabelMapping(BaseModel):
    """From the labels of a corpus to those that are learned, in this order: where, merge, keep, then one of the rest.

    Attributes:
        about, source: for people.
        where: only utterances with one of these values in a column.
        merge: emotions that become another one.
        keep: only these emotions.
        levels, clusters: classes from ratings take the emotion's place; it moves to the column ``category``.
        column: the values of another column take the emotion's place, to probe how well they can be told.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    about: str
    source: str = ""
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    merge: dict[str, str] = Field(default_factory=dict)
    keep: tuple[str, ...] = ()
    levels: Levels | None = None
    clusters: Clusters | None = None
    column: str | None = None

    @model_validator(mode="after")
    def _names_emotions(self) -> LabelMapping:
        for emotion in (*self.merge, *self.merge.values(), *self.keep):
            if emotion not in EMOTIONS:
                raise ValueError(f'there is no emotion "{emotion}"; {did_you_mean(emotion, EMOTIONS)}')
        gone = [emotion for emotion in self.keep if emotion in self.merge]
        if gone:
            raise ValueError(f'"{gone[0]}" is kept, but it has become "{self.merge[gone[0]]}" before')
        if sum(part is not None for part in (self.levels, self.clusters, self.column)) > 1:
            raise ValueError("a label mapping has levels, clusters or a column, and this one has more than one of them")
        return self

    @classmethod
    def load(cls, name_or_file: str | Path) -> LabelMapping:
        """A built-in label mapping by name, or any YAML file.

        Raises:
            InputError: there is none, or a key or value in it is wrong.
        """
        path = Path(name_or_file)
        if path.suffix in {".yaml", ".yml"}:
            if not path.is_file():
                raise InputError(f"{path}: there is no such label mapping; {', '.join(mapping_names())} are built in")
            text, where = path.read_text(encoding="utf-8", errors="replace"), str(path)
        else:
            names = mapping_names()
            if str(name_or_file) not in names:
                raise InputError(
                    f'there is no label mapping "{name_or_file}"; {did_you_mean(str(name_or_file), names)}'
                )
            file = resources.files("unheard.corpora") / "mappings" / f"{name_or_file}.yaml"
            text, where = file.read_text(encoding="utf-8"), f"label mapping {name_or_file}"
        try:
            values = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError) as error:
            raise InputError(f"{where}: this is not YAML ({' '.join(str(error).split())})") from error
        if not isinstance(values, dict):
            raise InputError(f"{where}: a label mapping is a mapping of keys to values")
        return cls.check({"name": path.stem} | values, where)

    @classmethod
    def check(cls, values: dict[str, Any], where: str) -> LabelMapping:
        """A label mapping from its values.

        Raises:
            InputError: a key or value is wrong.
        """
        mapping = checked(cls, values, where)
        assert isinstance(mapping, LabelMapping)
        return mapping

    def to_dict(self) -> dict[str, Any]:
        """Plain values: what :meth:`check` reads back."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def apply(self, corpus: Corpus) -> Corpus:
        """The utterances that take part, with the labels that are learned. Clusters are found over all of them.

        Raises:
            InputError: a column is missing, or nothing is left.
        """
        rows = pd.Series(True, corpus.table.index)
        for column, values in self.where.items():
            rows &= corpus.column(column).isin(values)
        emotion = corpus.column("emotion").replace(self.merge) if self.merge or self.keep else None
        if self.keep and emotion is not None:
            rows &= emotion.isin(self.keep)
        if not rows.any():
            raise InputError(f"{corpus.source}: the label mapping {self.name} leaves no utterance of it")
        if emotion is not None:
            corpus = corpus.with_columns(emotion=emotion)
        chosen = corpus.take(rows)
        if self.levels:
            return _relabelled(chosen, self.levels.classes(chosen))
        if self.clusters:
            return _relabelled(chosen, self.clusters.classes(chosen, self.clusters.centres(chosen)))
        if self.column:
            return _relabelled(chosen, chosen.column(self.column))
        return chosen

    def fitted_on(self, corpus: Corpus, rows: Sequence[int] | NDArray[np.intp]) -> Corpus:
        """The corpus that :meth:`apply` gave, with the classes that must be found in the training ``rows`` only."""
        if self.clusters is None or self.clusters.fit_on == "all":
            return corpus
        return corpus.with_columns(emotion=self.clusters.classes(corpus, self.clusters.centres(corpus, rows)))


def mapping_names() -> list[str]:
    """The built-in label mappings."""
    folder = resources.files("unheard.corpora") / "mappings"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def _relabelled(corpus: Corpus, classes: pd.Series) -> Corpus:
    moved = {CATEGORY: corpus.table["emotion"]} if "emotion" in corpus.table else {}
    return corpus.with_columns(emotion=classes, **moved)
