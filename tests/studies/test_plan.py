from pathlib import Path
from typing import Any

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


USES = ("auxiliary.use=join",)


def further(corpus: Corpus) -> Corpus:
    """Six speakers with a feeling, one of them of the corpus, and a copy of one of its recordings, of 000."""
    digests = [f"further {row}" for row in range(12)]
    digests[3] = corpus.with_digests().table["digest"].iloc[0]
    table = pd.DataFrame({"audio": [f"{row}.wav" for row in range(12)], "emotion": "sad", "digest": digests})
    table["speaker"] = [f"v{row // 2}" if row < 10 else "001" for row in range(12)]
    table["gender"] = ["female" if row % 4 < 2 else "male" for row in range(12)]
    return Corpus.from_table(table, corpus.folder / "further", "further.csv")


def with_auxiliary(corpus: Corpus, *overrides: str, **others: Any) -> Plan:
    recipes = [Recipe.load("tdnn", (*USES, *overrides)), Recipe.load("tdnn", ["name=other"])]
    return Plan.make(corpus, "leave-one-speaker-out", recipes, auxiliary=further(corpus), **others)


def test_auxiliary_data_is_kept_without_its_emotions(tmp_path: Path, tiny_corpus: Corpus):
    plan = with_auxiliary(tiny_corpus)
    assert "emotion" not in plan.auxiliary.table
    plan.write(tmp_path)
    assert Plan.read(tmp_path).to_dict() == plan.to_dict()

    (tmp_path / "runs" / "tdnn" / "fold1-seed0").mkdir(parents=True)
    unnamed = Plan.make(tiny_corpus, "leave-one-speaker-out", plan.recipes)
    assert unnamed.continuing(tmp_path).auxiliary.hash == plan.auxiliary.hash
    less = further(tiny_corpus).take(range(6))
    with pytest.raises(InputError, match="the study in this folder has another auxiliary corpus"):
        Plan.make(tiny_corpus, "leave-one-speaker-out", plan.recipes, auxiliary=less).continuing(tmp_path)


def test_nobody_whom_a_fold_judges_by_is_learned_from(tiny_corpus: Corpus):
    plan, left_out = with_auxiliary(tiny_corpus), []
    for run in plan.runs():
        learned, count = plan.auxiliary_of(run)
        if run.recipe.name == "other":
            assert (learned, count) == (None, 0)
            continue
        _, fold = plan.fold(run.fold)
        judged = plan.corpus.take([*fold.dev, *fold.test]).table
        assert not set(learned.table["speaker"]) & set(judged["speaker"])
        assert not set(learned.table["digest"]) & set(judged["digest"])
        assert len(learned) + count == 12
        left_out.append(count)
    assert left_out == [3, 2, 0, 1]  # 000 is tested in the first fold and dev in the last, 001 in the second and first


def test_auxiliary_speakers_are_drawn_by_the_seed(tiny_corpus: Corpus):
    plan = with_auxiliary(tiny_corpus, "auxiliary.speakers=3", seeds=range(5), folds=[3])
    learned = [plan.auxiliary_of(run)[0] for run in plan.runs() if run.recipe.name == "tdnn"]
    drawn = [frozenset(corpus.table["speaker"]) for corpus in learned]
    assert set(map(len, drawn)) == {3}
    assert len(set(drawn)) > 1
    none = with_auxiliary(tiny_corpus, "auxiliary.speakers=0")
    assert none.auxiliary_of(none.runs()[0]) == (None, 0)


def test_the_leak_corpus_is_not_learned_from(tiny_corpus: Corpus):
    strangers = pd.DataFrame({"audio": [f"s{row}.wav" for row in range(10)], "speaker": ["v0", "v4"] * 5})
    strangers["digest"] = [f"stranger {row}" for row in range(9)] + ["further 4"]
    plan = with_auxiliary(tiny_corpus, leak_corpus=Corpus.from_table(strangers, tiny_corpus.folder))
    assert set(plan.auxiliary.table["speaker"]) == {"v1", "v2", "v3", "001"}
    assert "further 4" not in set(plan.auxiliary.table["digest"])


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            (),
            r"further\.csv: auxiliary data is given, and none of the recipes takes it \(tdnn\); leave --auxiliary out",
        ),
        ((*USES, "auxiliary.speakers=7"), r"further\.csv: 7 auxiliary speakers are asked for, and it has 6"),
    ],
)
def test_auxiliary_data_that_does_not_fit_is_one_sentence(overrides, said, tiny_corpus: Corpus):
    with pytest.raises(InputError, match=said):
        Plan.make(tiny_corpus, "speaker-folds:4", [Recipe.load("tdnn", overrides)], auxiliary=further(tiny_corpus))


def test_clusters_are_found_in_each_folds_training_part(tiny_corpus: Corpus):
    labels = LabelMapping.load("clusters-3-train")
    plan = Plan.make(rated(tiny_corpus), "leave-one-speaker-out", [Recipe.load("tdnn")], labels=labels)
    for number in (1, 2):
        learned, fold = plan.fold(number)
        found = labels.clusters.centres(plan.corpus, fold.train)
        assert learned.table["emotion"].tolist() == labels.clusters.classes(plan.corpus, found).tolist()
    assert plan.fold(1)[0].table["emotion"].tolist() != plan.fold(3)[0].table["emotion"].tolist()


def test_a_plan_keeps_how_many_enrol(tmp_path: Path, tiny_corpus: Corpus):
    plans = [Plan.make(tiny_corpus, "speaker-folds:3", [Recipe.load("tdnn")], enrol=number) for number in (5, None)]
    plans[0].write(tmp_path)
    assert Plan.read(tmp_path).enrol == 5
    (tmp_path / "runs" / "tdnn" / "fold1-seed0").mkdir(parents=True)
    with pytest.raises(InputError, match=r"another number of enrolled utterances \(5, now None\)"):
        plans[1].continuing(tmp_path)
