from pathlib import Path

import pandas as pd
import pytest

from unheard.corpora import Corpus
from unheard.corpora.mapping import LabelMapping
from unheard.errors import InputError
from unheard.recipe import Recipe
from unheard.studies.plan import Plan


def test_names_that_differ_in_case_only_are_one_folder_on_some_systems(tiny_corpus: Corpus):
    recipes = [Recipe.load("tdnn"), Recipe.load("tdnn", ["name=TDNN"])]
    with pytest.raises(InputError, match=r'two recipes are called "tdnn"; give one another name'):
        Plan.make(tiny_corpus, "speaker-folds:3", recipes)


def rated(corpus: Corpus) -> Corpus:
    """The corpus with a valence and an activation that differ from utterance to utterance, and style."""
    table = corpus.table.assign(
        valence=[1 + 0.25 * row for row in range(len(corpus))],
        activation=[1 + 4 * (row % 3) / 2 for row in range(len(corpus))],
        style=["improvised" if row % 4 else "scripted" for row in range(len(corpus))],
    )
    return Corpus.from_table(table, corpus.folder, corpus.source)


def test_a_plan_keeps_its_labels(tmp_path: Path, tiny_corpus: Corpus):
    recipes = [Recipe.load("tdnn")]
    plan = Plan.make(
        rated(tiny_corpus), "speaker-folds:3", recipes, labels=LabelMapping.load("four-improvised-without-excited")
    )
    assert set(plan.corpus.table["style"]) == {"improvised"}
    plan.write(tmp_path)
    again = Plan.read(tmp_path)
    pd.testing.assert_frame_equal(again.corpus.table, plan.corpus.table)
    assert len(again.given) == len(tiny_corpus) > len(again.corpus)
    assert again.labels == plan.labels

    (tmp_path / "runs" / "tdnn" / "fold1-seed0").mkdir(parents=True)
    other = Plan.make(rated(tiny_corpus), "speaker-folds:3", recipes, labels=LabelMapping.load("four-without-excited"))
    with pytest.raises(InputError, match=r"another corpus|another label mapping"):
        other.continuing(tmp_path)


def test_a_label_mapping_of_the_same_name_may_have_other_contents(tmp_path: Path, tiny_corpus: Corpus):
    recipes = [Recipe.load("tdnn")]
    values = LabelMapping.load("clusters-3").to_dict()
    given, edited = (
        Plan.make(rated(tiny_corpus), "speaker-folds:3", recipes, labels=LabelMapping.check(mapping, "mine.yaml"))
        for mapping in (values, values | {"clusters": {"k": 3, "fit_on": "train"}})
    )
    given.write(tmp_path)
    (tmp_path / "runs" / "tdnn" / "fold1-seed0").mkdir(parents=True)
    assert given.continuing(tmp_path).labels == given.labels
    with pytest.raises(InputError, match=r"the label mapping of the study in this folder had other contents"):
        edited.continuing(tmp_path)


def test_clusters_are_found_in_each_folds_training_part(tiny_corpus: Corpus):
    labels = LabelMapping.load("clusters-3-train")
    plan = Plan.make(rated(tiny_corpus), "leave-one-speaker-out", [Recipe.load("tdnn")], labels=labels)
    for number in (1, 2):
        learned, fold = plan.fold(number)
        found = labels.clusters.centres(plan.corpus, fold.train)
        assert learned.table["emotion"].tolist() == labels.clusters.classes(plan.corpus, found).tolist()
    assert plan.fold(1)[0].table["emotion"].tolist() != plan.fold(3)[0].table["emotion"].tolist()
