"""What is shipped about the papers is true of itself: every name in it is there, and its numbers agree."""

from __future__ import annotations

import re

import pytest

from trees import iemocap
from unheard.corpora import CORPORA
from unheard.corpora.corpus import Corpus
from unheard.corpora.mapping import LabelMapping
from unheard.errors import InputError
from unheard.metrics.comparison import relative_error_reduction
from unheard.papers.paper import (
    AS_THEY_ARE,
    COLUMNS,
    Paper,
    PaperStudy,
    paper_names,
    published_results,
    published_value,
)
from unheard.protocols import get_protocol
from unheard.recipe import Recipe

STUDIES = [
    pytest.param(paper, name, study, id=f"{paper.name}-{name}")
    for paper in map(Paper.load, paper_names())
    for name, study in paper.studies.items()
]


def test_every_paper_has_its_tables() -> None:
    results = published_results()
    assert tuple(results.columns) == COLUMNS
    assert set(results["paper"]) == {"tu2019", "fan2020", "latif2022", "gat2022", "xia2021"}
    assert set(paper_names()) <= set(results["paper"])
    assert not results.duplicated(["paper", "table", "row", "corpus", "protocol", "metric"]).any()
    assert results.drop(columns="std").ne("").all(axis=None)
    numbers = results[results["metric"] != "context_span_ms"]  # "75-200" where two features have each their own
    assert numbers["value"].str.fullmatch(r"\d+(\.\d+)?").all()
    assert results["std"].str.fullmatch(r"(\d+\.\d+)?").all()


def test_a_published_value_is_a_share() -> None:
    results = published_results("tu2019", "Table 2")
    assert published_value(results, "SER SR CGT", "wa") == pytest.approx((0.573, 0.012))
    assert published_value(results, "SER SR CGT", "ua") is None


@pytest.mark.parametrize(("paper", "name", "study"), STUDIES)
def test_a_study_names_what_is_there(paper: Paper, name: str, study: PaperStudy) -> None:
    assert study.corpus is None or {*study.corpus.split(" + ")} <= {*CORPORA}
    for labels in (study.labels, *study.instead.labels):
        assert labels == AS_THEY_ARE or LabelMapping.load(labels)
    for protocol in (study.protocol, *study.instead.protocol):
        assert get_protocol(protocol).name == protocol
    published = published_results(paper.name, study.table, **study.where)
    places = [(one.table, row, recipe) for one in paper.studies.values() for row, recipe in one.rows.items()]
    for row, recipe in study.rows.items():
        base = study.variants.get(recipe, [recipe])[0]
        sources = {f'{paper.name}, {table}, row "{name}"' for table, name, other in places if other == base}
        assert Recipe.load(base).source in sources
        assert study.recipe(recipe).name == recipe
        for metric in study.metrics if len(published) else ():
            assert published_value(published, row, metric) is not None, (row, metric)


@pytest.mark.parametrize(("paper", "name", "study"), STUDIES)
def test_what_a_paper_claims_follows_from_its_table(paper: Paper, name: str, study: PaperStudy) -> None:
    published = published_results(paper.name, study.table, **study.where)
    metric = study.metrics[0]
    first = published_value(published, study.first, metric)
    for claim in study.claims:
        row = published_value(published, claim.row, metric)
        if claim.kind == "smaller_gap":
            before, after = (published_value(published, one, f"dev_{metric}") for one in (study.first, claim.row))
            assert after.mean - row.mean < before.mean - first.mean
            continue
        removed = relative_error_reduction(first.mean, row.mean)
        if claim.kind == "gain":
            assert removed > 0
            continue
        if claim.kind == "no_gain":
            assert removed <= 0
            continue
        corpus = published["corpus"].iloc[0]
        said = published_results(paper.name, claim.source, row=claim.row, corpus=corpus, metric="error_reduction")
        assert said["value"].astype(float).tolist() == [round(100 * removed, 1)]


@pytest.mark.parametrize("paper", [*map(Paper.load, paper_names())], ids=lambda paper: paper.name)
def test_what_is_open_is_a_setting_of_a_recipe(paper: Paper) -> None:
    recipes = [recipe for study in paper.studies.values() for recipe in study.recipes()]
    for choice in paper.choices:
        assert choice.study == "" or choice.study in paper.studies
        for key in choice.keys:
            assert any(recipe.value(key) is not None for recipe in recipes), key
        for protocol in re.findall(r"--protocol ([\w:.-]+\w)", choice.option):
            assert get_protocol(protocol)


def test_the_study_of_tu2019_is_that_of_its_corpus() -> None:
    """2,943 utterances; the sizes of the five folds are those in the documentation of the corpus."""
    study = Paper.load("tu2019").studies["iemocap"]
    corpus = Corpus.from_table(iemocap.manifest(), ".")
    learned = LabelMapping.load(study.labels).apply(corpus)
    folds = get_protocol(study.protocol).folds(learned)
    assert (len(learned), learned.table["speaker"].nunique()) == (study.utterances, study.speakers)
    sizes = [(fold.train.size, fold.dev.size, fold.test.size) for fold in folds]
    assert sizes == [(2422, 271, 250), (2413, 273, 257), (2316, 305, 322), (2409, 268, 266), (2212, 366, 365)]


def test_the_study_of_fan2020_is_that_of_its_corpus() -> None:
    """2,280 utterances, each speaker tested once, nobody to select; the sizes are those of the corpus."""
    study = Paper.load("fan2020").studies["iemocap"]
    learned = LabelMapping.load(study.labels).apply(Corpus.from_table(iemocap.manifest(), "."))
    folds = get_protocol(study.protocol).folds(learned)
    assert (len(learned), learned.table["speaker"].nunique()) == (study.utterances, study.speakers)
    assert [fold.test.size for fold in folds] == [217, 205, 185, 208, 264, 274, 149, 221, 298, 259]
    assert not any(fold.dev.size for fold in folds)


@pytest.mark.parametrize("name", ["iemocap", "iemocap-known", "iemocap-tasks", "iemocap-valence", "iemocap-clusters-3"])
def test_the_studies_of_latif2022_are_those_of_their_corpus(name: str) -> None:
    """5,531 utterances; each speaker is tested, once by itself or in ten folds that share all of them."""
    study = Paper.load("latif2022").studies[name]
    learned = LabelMapping.load(study.labels).apply(Corpus.from_table(iemocap.manifest(), "."))
    assert (len(learned), learned.table["speaker"].nunique()) == (study.utterances, study.speakers)
    folds = get_protocol(study.protocol).folds(learned)
    assert len(folds) == 10
    assert sum(fold.test.size for fold in folds) == study.utterances


def test_the_weights_of_latif2022_add_up() -> None:
    """α and β as section 5.1 gives them, 1 − β for every other task, and no task where a row does not have it."""
    paper = Paper.load("latif2022")
    best = published_results("latif2022", "text 5.1").set_index(["row", "protocol", "metric"])["value"].astype(float)
    for name, study in paper.studies.items():
        labels = "levels" if study.table.startswith("Table 6") else "four emotions"
        for row, recipe in zip(study.rows, study.recipes(), strict=True):
            weights = {term: part.settings["weight"] for term, part in recipe.terms.items() if term != "prior"}
            kind = "AAE" if "prior" in recipe.terms else "AE"
            if "reconstruction" in weights:
                alpha, beta = (best[kind, labels, metric] for metric in ("best_alpha", "best_beta"))
                assert (weights.pop("reconstruction"), weights["emotion"]) == (alpha, beta), name
            beta = weights.pop("emotion")
            assert all(weight == pytest.approx(1 - beta) for weight in weights.values())
            if row in ("Gender", "Speaker"):
                assert list(weights) == [row.lower()] == list(recipe.stages[0].terms or ())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tu2018", 'there is no paper "tu2018"; did you mean "tu2019"?'),
        *((name, f"the studies of {name} cannot be run yet") for name in ("xia2021",) if name not in paper_names()),
    ],
)
def test_a_paper_that_is_not_there(name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        Paper.load(name)


def test_a_study_that_is_not_there() -> None:
    with pytest.raises(InputError, match='tu2019 has no study "iemocaps"; did you mean "iemocap"'):
        Paper.load("tu2019").study("iemocaps")
