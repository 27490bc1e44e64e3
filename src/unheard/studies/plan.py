"""The plan of a study: which recipes, folds and seeds, over what, and where each run lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.files import write_atomically
from unheard.protocols import get_protocol
from unheard.protocols.fold import Fold, Protocol
from unheard.recipe import Recipe


@dataclass(frozen=True)
class Run:
    """One recipe, one fold, one seed."""

    recipe: Recipe
    fold: int
    seed: int

    def folder(self, study: Path) -> Path:
        """Where the run lies in the study's folder."""
        return study / "runs" / self.recipe.name / f"fold{self.fold}-seed{self.seed}"


@dataclass(frozen=True)
class Plan:
    """What a study compares; kept in its folder as ``study.json`` and ``corpus.csv``.

    ``folds`` are the numbers of the folds to run, counted from 1; ``fold_count`` is how many the protocol makes.
    """

    corpus: Corpus
    protocol: Protocol
    recipes: tuple[Recipe, ...]
    folds: tuple[int, ...]
    fold_count: int
    seeds: tuple[int, ...]
    protocol_seed: int = 0
    baseline: str | None = None

    @classmethod
    def make(
        cls,
        corpus: Corpus,
        protocol: str,
        recipes: Sequence[Recipe],
        *,
        folds: Sequence[int] | None = None,
        seeds: Sequence[int] = (0,),
        protocol_seed: int = 0,
        baseline: str | None = None,
    ) -> Plan:
        """A checked plan.

        Raises:
            InputError: the protocol does not fit the corpus, two recipes share a name, a fold does not exist.
        """
        rule = get_protocol(protocol)
        count = len(rule.folds(corpus, protocol_seed))
        names = [recipe.name for recipe in recipes]
        folders = [name.casefold() for name in names]  # which on some systems are the same whatever the case
        for name, folder in zip(names, folders, strict=True):
            if folders.count(folder) > 1:
                raise InputError(f'two recipes are called "{name}"; give one another name, for example name={name}-2')
        if baseline is not None and baseline not in names:
            raise InputError(f'the baseline "{baseline}" is not among the recipes of the study ({", ".join(names)})')
        chosen = tuple(sorted(set(folds))) if folds else tuple(range(1, count + 1))
        for fold in chosen:
            if not 1 <= fold <= count:
                raise InputError(f"there is no fold {fold}; {protocol} cuts this corpus into folds 1 to {count}")
        return cls(
            corpus.with_digests(),
            rule,
            tuple(recipes),
            chosen,
            count,
            tuple(sorted(set(seeds))),
            protocol_seed,
            baseline,
        )

    def runs(self) -> list[Run]:
        """Every run, all recipes of one seed and fold together, so that a study cut short compares like with like."""
        return [Run(recipe, fold, seed) for seed in self.seeds for fold in self.folds for recipe in self.recipes]

    def cut(self) -> list[Fold]:
        """All folds of the protocol."""
        return self.protocol.folds(self.corpus, self.protocol_seed)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without the corpus's rows."""
        return {
            "corpus": {"name": self.corpus.name, "folder": str(self.corpus.folder.resolve()), "hash": self.corpus.hash},
            "protocol": self.protocol.name,
            "protocol_seed": self.protocol_seed,
            "recipes": [recipe.to_dict() for recipe in self.recipes],
            "folds": list(self.folds),
            "seeds": list(self.seeds),
            "baseline": self.baseline,
        }

    def write(self, study: Path) -> None:
        """Keep the plan in the study's folder."""
        study.mkdir(parents=True, exist_ok=True)
        self.corpus.write(study / "corpus.csv")
        write_atomically(study / "study.json", json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, study: Path) -> Plan:
        """The plan that a study's folder holds.

        Raises:
            InputError: there is none.
        """
        path = study / "study.json"
        if not path.is_file():
            raise InputError(f"{study}: there is no study here (no study.json); `unheard study` makes one")
        values = json.loads(path.read_text(encoding="utf-8"))
        listed = Corpus.read(study / "corpus.csv", check_audio=False)
        corpus = replace(listed, folder=Path(values["corpus"]["folder"]))
        return cls.make(
            corpus,
            values["protocol"],
            [Recipe.check(recipe, f"{path}, recipes") for recipe in values["recipes"]],
            folds=values["folds"],
            seeds=values["seeds"],
            protocol_seed=values["protocol_seed"],
            baseline=values["baseline"],
        )

    def continuing(self, study: Path) -> Plan:
        """This plan joined with the one already in the folder: recipes, folds and seeds may be added.

        What was planned but never begun binds nobody: a first try that failed leaves the folder free.

        Raises:
            InputError: the folder holds a study of another corpus or protocol, or another recipe of the same name.
        """
        begun = {folder.parent.name for folder in (study / "runs").glob("*/*")}
        if not begun or not (study / "study.json").is_file():
            return self
        before = Plan.read(study)
        for what, old, new in (
            ("corpus", before.corpus.hash, self.corpus.hash),
            ("protocol", before.protocol.name, self.protocol.name),
            ("seed of the protocol", before.protocol_seed, self.protocol_seed),
        ):
            if old != new:
                raise InputError(
                    f"{study}: the study in this folder has another {what} ({old}, now {new}); choose another --out "
                    "or start it over with --force"
                )
        recipes = {recipe.name: recipe for recipe in before.recipes if recipe.name in begun}
        for recipe in self.recipes:
            if recipes.setdefault(recipe.name, recipe).to_dict() != recipe.to_dict():
                raise InputError(
                    f'{study}: the study in this folder has another recipe "{recipe.name}"; choose another --out, '
                    "rename the recipe with name=…, or start it over with --force"
                )
        return replace(
            self,
            recipes=tuple(recipes.values()),
            folds=tuple(sorted({*before.folds, *self.folds})),
            seeds=tuple(sorted({*before.seeds, *self.seeds})),
            baseline=self.baseline or before.baseline,
        )
