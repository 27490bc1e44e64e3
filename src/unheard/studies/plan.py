"""The plan of a study: which recipes, folds and seeds, over what, and where each run lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unheard.corpora import Corpus
from unheard.corpora.mapping import LabelMapping
from unheard.errors import InputError
from unheard.evaluation.leak_corpus import unheard_speakers
from unheard.files import write_atomically
from unheard.protocols import get_protocol
from unheard.protocols.auxiliary import apart_from, auxiliary_speakers, without_emotions
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

    Attributes:
        given: the utterances with their own labels.
        corpus: those that take part, with the labels that are learned.
        labels: the label mapping that makes ``corpus`` out of ``given``.
        folds: the numbers of the folds to run, counted from 1.
        fold_count: how many the protocol makes.
        test: whether the test speakers are looked at; a search for settings must not.
        leak_corpus: speakers that no run learns from, with digests; the leak is measured on them too, and they need
            no emotion labels.
        auxiliary: further utterances to learn from, with digests and without emotions; nobody of the leak corpus is
            among them.
        enrol: how many utterances enrol a speaker, see :func:`unheard.evaluation.speaker_verification.verify`.
    """

    given: Corpus
    corpus: Corpus
    protocol: Protocol
    recipes: tuple[Recipe, ...]
    folds: tuple[int, ...]
    fold_count: int
    seeds: tuple[int, ...]
    protocol_seed: int = 0
    baseline: str | None = None
    labels: LabelMapping | None = None
    test: bool = True
    leak_corpus: Corpus | None = None
    auxiliary: Corpus | None = None
    enrol: int | None = None

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
        labels: LabelMapping | None = None,
        test: bool = True,
        leak_corpus: Corpus | None = None,
        auxiliary: Corpus | None = None,
        enrol: int | None = None,
    ) -> Plan:
        """A checked plan.

        Of ``leak_corpus`` only the speakers with utterances enough to be told apart are kept, and of ``auxiliary`` only
        what is not among these.

        Raises:
            InputError: the protocol does not fit the corpus, two recipes share a name, a fold does not exist, the
                leak corpus shares a speaker or a recording with the corpus, no recipe takes the auxiliary data, or one
                asks for more speakers than it has.
        """
        rule = get_protocol(protocol)
        given = corpus.with_digests()
        learned = labels.apply(given) if labels else given
        count = len(rule.folds(learned, protocol_seed))
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
        fixed = unheard_speakers(leak_corpus.with_digests(), given) if leak_corpus else None
        return cls(
            given,
            learned,
            rule,
            tuple(recipes),
            chosen,
            count,
            tuple(sorted(set(seeds))),
            protocol_seed,
            baseline,
            labels,
            test,
            fixed,
            _auxiliary(auxiliary, fixed, recipes) if auxiliary else None,
            enrol,
        )

    def runs(self) -> list[Run]:
        """Every run, all recipes of one seed and fold together, so that a study cut short compares like with like."""
        return [Run(recipe, fold, seed) for seed in self.seeds for fold in self.folds for recipe in self.recipes]

    def cut(self) -> list[Fold]:
        """All folds of the protocol."""
        return self.protocol.folds(self.corpus, self.protocol_seed)

    def fold(self, number: int) -> tuple[Corpus, Fold]:
        """A fold by its number, counted from 1, and the corpus with the labels that are learned in it."""
        fold = self.cut()[number - 1]
        return self.labels.fitted_on(self.corpus, fold.train) if self.labels else self.corpus, fold

    def auxiliary_of(self, run: Run) -> tuple[Corpus | None, int]:
        """The auxiliary utterances that a run learns from, and how many it must not.

        The speakers are drawn by the seed of the run. Left out is what the fold judges by: every utterance whose
        speaker or recording is in its dev or test part.
        """
        if self.auxiliary is None or not run.recipe.takes_auxiliary:
            return None, 0
        wanted = run.recipe.auxiliary.speakers if run.recipe.auxiliary else None
        if wanted == 0:
            return None, 0
        drawn = auxiliary_speakers(self.auxiliary, wanted, run.seed) if wanted else self.auxiliary
        _, fold = self.fold(run.fold)
        learned = apart_from(drawn, self.corpus.take([*fold.dev, *fold.test]))
        return learned if len(learned) else None, len(drawn) - len(learned)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without the corpus's rows."""
        return {
            "corpus": _said(self.corpus),
            "protocol": self.protocol.name,
            "protocol_seed": self.protocol_seed,
            "recipes": [recipe.to_dict() for recipe in self.recipes],
            "folds": list(self.folds),
            "seeds": list(self.seeds),
            "baseline": self.baseline,
            "labels": self.labels.to_dict() if self.labels else None,
            "test": self.test,
            "leak_corpus": _said(self.leak_corpus) if self.leak_corpus else None,
            "auxiliary": _said(self.auxiliary) if self.auxiliary else None,
            "enrol": self.enrol,
        }

    def write(self, study: Path) -> None:
        """Keep the plan in the study's folder."""
        study.mkdir(parents=True, exist_ok=True)
        self.given.write(study / "corpus.csv")
        for further, name in ((self.leak_corpus, "leak_corpus"), (self.auxiliary, "auxiliary")):
            if further:
                further.write(study / f"{name}.csv")
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
        return cls.make(
            _listed(study / "corpus.csv", values["corpus"]),
            values["protocol"],
            [Recipe.check(recipe, f"{path}, recipes") for recipe in values["recipes"]],
            folds=values["folds"],
            seeds=values["seeds"],
            protocol_seed=values["protocol_seed"],
            baseline=values["baseline"],
            labels=LabelMapping.check(values["labels"], f"{path}, labels") if values.get("labels") else None,
            test=values.get("test", True),
            leak_corpus=_listed(study / "leak_corpus.csv", said) if (said := values.get("leak_corpus")) else None,
            auxiliary=_listed(study / "auxiliary.csv", said) if (said := values.get("auxiliary")) else None,
            enrol=values.get("enrol"),
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
            ("label mapping", before.labels and before.labels.name, self.labels and self.labels.name),
            ("protocol", before.protocol.name, self.protocol.name),
            ("seed of the protocol", before.protocol_seed, self.protocol_seed),
            ("use of the test speakers", before.test, self.test),
            ("leak corpus", _hash(before.leak_corpus), _hash(self.leak_corpus or before.leak_corpus)),
            ("auxiliary corpus", _hash(before.auxiliary), _hash(self.auxiliary or before.auxiliary)),
            ("number of enrolled utterances", before.enrol, self.enrol),
        ):
            if old != new:
                raise InputError(
                    f"{study}: the study in this folder has another {what} ({old}, now {new}); choose another --out "
                    "or start it over with --force"
                )
        if before.labels != self.labels:  # of the same name
            raise InputError(
                f"{study}: the label mapping of the study in this folder had other contents; choose another --out or "
                "start it over with --force"
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
            leak_corpus=before.leak_corpus,
            auxiliary=before.auxiliary,
        )


def _auxiliary(auxiliary: Corpus, leak_corpus: Corpus | None, recipes: Sequence[Recipe]) -> Corpus:
    """What there is for all runs; that the recipes take it, and have speakers enough, is checked."""
    takers = [recipe for recipe in recipes if recipe.takes_auxiliary]
    if not takers:
        raise InputError(
            f"{auxiliary.source}: auxiliary data is given, and none of the recipes takes it "
            f"({', '.join(recipe.name for recipe in recipes)}); leave --auxiliary out, or write for example "
            "auxiliary.use=join"
        )
    learned = without_emotions(auxiliary.with_digests())
    if leak_corpus:
        learned = apart_from(learned, leak_corpus)
    for recipe in takers:
        if recipe.auxiliary and recipe.auxiliary.speakers:
            auxiliary_speakers(learned, recipe.auxiliary.speakers)
    return learned


def _said(corpus: Corpus) -> dict[str, str]:
    return {"name": corpus.name, "folder": str(corpus.folder.resolve()), "hash": corpus.hash}


def _listed(file: Path, said: dict[str, str]) -> Corpus:
    """A corpus whose table lies in a study's folder and whose audio does not."""
    return replace(Corpus.read(file, check_audio=False), folder=Path(said["folder"]))


def _hash(corpus: Corpus | None) -> str:
    return corpus.hash if corpus else "none"
