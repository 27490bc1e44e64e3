"""Do a paper's study on a corpus that is at hand, and put the published table beside what comes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from unheard.corpora import Corpus
from unheard.corpora.mapping import LabelMapping
from unheard.errors import InputError
from unheard.files import write_atomically
from unheard.frontends.store import FeatureStore
from unheard.papers.paper import AS_THEY_ARE, Paper, PaperStudy
from unheard.protocols import get_protocol
from unheard.recipe import Recipe
from unheard.studies.plan import Plan
from unheard.studies.report.data import read_study
from unheard.studies.report.write import remarks, report_html
from unheard.studies.reproduction.reproduction import Reproduction, mark
from unheard.studies.reproduction.text import reproduction_markdown, reproduction_table, reproduction_text
from unheard.studies.study import run_study, start_over


def reproduce(
    paper: Paper,
    corpus: Corpus,
    out: Path,
    store: FeatureStore,
    *,
    study: str | None = None,
    labels: str | None = None,
    protocol: str | None = None,
    folds: Sequence[int] | None = None,
    seeds: int | None = None,
    auxiliary: Corpus | None = None,
    overrides: Iterable[str] = (),
    workers: int | None = None,
    device: str = "cpu",
    force: bool = False,
) -> str:
    """Run a study of a paper; what is not given is the paper's.

    Leaves what a study leaves, and ``reproduction.md`` and ``reproduction.csv`` beside it. An interrupted one goes on
    where it was.

    Args:
        paper: whose study.
        corpus: the utterances with their own labels.
        out: the study's folder.
        store: where fixed features lie.
        study: which of the paper's studies, by default its first.
        labels: a label mapping by name or file, or ``as-they-are``.
        protocol: how the corpus is cut.
        folds: only these, counted from 1.
        seeds: how many runs of everything.
        auxiliary: further utterances to learn from, for the recipes that take them.
        overrides: ``key=value``, applied to the recipes that have the key.
        workers, device: see :func:`unheard.studies.study.run_study`.
        force: start over what is in the folder.

    Returns:
        the text for a terminal.

    Raises:
        InputError: there is no such study, or the corpus lacks what its labels or protocol need; the sentence says what
            to give instead.
    """
    name, chosen = paper.study(study)
    learned, rule = fitting(corpus, chosen, labels, protocol, f"the study {name} of {paper.name}")
    recipes = recipes_of(chosen, list(overrides))
    plan = Plan.make(
        corpus, rule, recipes,
        folds=folds, seeds=range(chosen.seeds if seeds is None else seeds), baseline=chosen.rows[chosen.first],
        labels=_mapping(learned), auxiliary=auxiliary,
    )  # fmt: skip
    if force:
        start_over(out)
    plan.continuing(out)  # a folder of another study is refused before it is marked
    mark(out, paper.name, name)
    run_study(plan, out, store, workers=workers, device=device)
    return write_reproduction(out)


def write_reproduction(folder: Path) -> str:
    """Write ``reproduction.md``, ``reproduction.csv`` and the report from what lies in a study's folder.

    Returns:
        the text for a terminal.

    Raises:
        InputError: the folder holds no paper's study, or none of its runs is finished.
    """
    data = read_study(folder)
    write_atomically(folder / "report.html", report_html(data))
    found = Reproduction.of(data)
    if found is None:
        raise InputError(f"{folder}: this is not the study of a paper; `unheard reproduce PAPER --out F` makes one")
    said = remarks(data)
    write_atomically(folder / "reproduction.md", reproduction_markdown(found, said))
    table = reproduction_table(found).to_csv(index=False, lineterminator="\n", float_format="%.8g")
    write_atomically(folder / "reproduction.csv", table)
    return reproduction_text(found, said)


def recipes_of(study: PaperStudy, overrides: Sequence[str] = ()) -> list[Recipe]:
    """The recipes of a study in the order of its rows, each with those overrides whose key it has.

    A key without a value in any of them goes to those that take it, and one that none takes to all, which say what is
    wrong with it.
    """
    built_in = study.recipes()
    having = {}
    for override in overrides:
        valued = {recipe.name for recipe in built_in if recipe.value(override.partition("=")[0]) is not None}
        having[override] = valued or {recipe.name for recipe in built_in if _takes(study, recipe.name, override)}
    return [
        study.recipe(name, [override for override, names in having.items() if name in names or not names])
        for name in (recipe.name for recipe in built_in)
    ]


def _takes(study: PaperStudy, name: str, override: str) -> bool:
    try:
        study.recipe(name, [override])
    except InputError:
        return False
    return True


def fitting(corpus: Corpus, study: PaperStudy, labels: str | None, protocol: str | None, whose: str) -> tuple[str, str]:
    """Labels and protocol: those given, otherwise the paper's.

    Raises:
        InputError: the paper's do not fit the corpus, and what to give instead; or those given are wrong.
    """
    chosen, rule = labels or study.labels, protocol or study.protocol
    try:
        get_protocol(rule).folds(_learned(corpus, chosen))
        return chosen, rule
    except InputError as problem:
        if labels and protocol:
            raise
        instead = _instead(corpus, study, labels, protocol)
        if instead is None:
            raise
        reason = str(problem).partition(";")[0].removeprefix(f"{corpus.source}: ")
        raise InputError(
            f"{corpus.source}: {whose} does not fit this corpus ({reason}); add for example {' '.join(instead)}"
        ) from None


def _instead(corpus: Corpus, study: PaperStudy, labels: str | None, protocol: str | None) -> list[str] | None:
    """The options that make the study fit: the first labels with the first protocol that cuts what they leave."""
    for learned in [labels] if labels else [study.labels, *study.instead.labels]:
        for rule in [protocol] if protocol else [study.protocol, *study.instead.protocol]:
            try:
                get_protocol(rule).folds(_learned(corpus, learned))
            except InputError:
                continue
            options = [] if labels or learned == study.labels else ["--labels", learned]
            return options + ([] if protocol or rule == study.protocol else ["--protocol", rule])
    return None


def _learned(corpus: Corpus, labels: str) -> Corpus:
    mapping = _mapping(labels)
    return mapping.apply(corpus) if mapping else corpus


def _mapping(labels: str) -> LabelMapping | None:
    return None if labels == AS_THEY_ARE else LabelMapping.load(labels)
