"""The page as a whole: its verdict, what is not finished, what stands in it, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix

from trees.reported import (
    EMOTIONS,
    Reader,
    add_to_results,
    finish,
    keep_some_embeddings,
    make_corpus,
    make_study,
    network,
    page,
)
from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.recipe import Recipe
from unheard.studies.plan import Plan
from unheard.studies.report.data import read_study
from unheard.studies.report.write import PARTS, write_report


def test_the_first_line_is_the_verdict_of_the_audit(study):
    make_study(study, [network("one")])
    verdict = "speaker-independent: no test speaker is heard in training (4 folds, 8 test speakers)"
    assert write_report(study).splitlines()[0] == verdict
    assert f'<p class="verdict-box good">{verdict}</p>' in page(study)
    assert page(study).index("verdict-box good") < page(study).index("<table")


def test_speaker_dependent_folds_have_a_red_banner(study):
    make_study(study, [network("one")], protocol="random-folds:4")
    assert write_report(study).splitlines()[0].startswith("SPEAKER-DEPENDENT")
    assert '<p class="verdict-box bad">SPEAKER-DEPENDENT' in page(study)


def test_broken_folds_have_a_red_banner(study):
    corpus = make_corpus(study, tuple("abcdefgh"))
    copies = Corpus.from_table(corpus.table.assign(digest="0" * 64), study)
    plan = Plan.make(copies, "speaker-folds:4", [network("one")])
    plan.write(study)
    for run in plan.runs():
        finish(plan, study, run)
    text = write_report(study)
    assert text.startswith("LEAKING")
    assert "BROKEN: " in text
    assert '<p class="verdict-box bad">LEAKING' in page(study)
    assert '<p class="remark bad">BROKEN' in page(study)


def test_synthesized_speech_is_labelled(study):
    make_study(study, [network("one")], name="synthetic")
    assert "SYNTHETIC: this corpus is synthesized speech" in write_report(study)
    assert "SYNTHETIC: this corpus is synthesized speech" in page(study)


def test_only_what_all_have_finished_is_shown_and_the_rest_is_said(study):
    recipes = [network("one"), network("two-b"), network("none")]
    plan, predictions = make_study(study, recipes, skills={"none": None}, seeds=(0, 1))
    for run in plan.runs():
        if run.recipe.name == "two-b" and (run.seed == 1 or run.fold == 4):
            (run.folder(study) / "result.json").unlink()
    text, reader = write_report(study), Reader(page(study))
    assert "NOT COMPLETE: two-b has 3 of 8 runs, none has 0 of 8 runs" in " ".join(text.split())
    assert "folds 1–3 with seed 0" in " ".join(text.split())
    assert re.search(r"^two-b +3/8 incomplete ", text, re.MULTILINE)
    assert re.search(r"^none +0/8 incomplete +–", text, re.MULTILINE)
    assert reader.row("none 0/8")[1] == "–"
    kept = predictions[(predictions["recipe"] == "one") & (predictions["seed"] == 0) & (predictions["fold"] < 4)]
    expected = f"{100 * balanced_accuracy_score(kept['emotion'], kept['predicted']):.1f}"
    assert reader.row("one 8/8")[1].split()[0] == expected
    assert reader.row("two-b 3/8 runs, not complete")
    assert "two-b against one" in text


def test_a_classical_recipe_has_no_learning_curve(study):
    svm = Recipe.load("egemaps-svm")
    make_study(study, [svm])
    write_report(study)
    assert "Learning curves" not in page(study)
    make_study(study.with_name("both"), [svm, network("one")])
    write_report(study.with_name("both"))
    assert "egemaps-svm: fitted in one go" in page(study.with_name("both"))
    assert "one: dev UA" in page(study.with_name("both"))


def test_a_study_begun_by_an_older_version_shows_what_all_its_runs_have(study):
    plan, _ = make_study(study, [network("one")])
    for run in plan.runs()[:2]:
        path = run.folder(study) / "result.json"
        older = {name: value for name, value in json.loads(path.read_text()).items() if "nonlinear" not in name}
        path.write_text(json.dumps(older))
    assert "50.0/–/25.0" in write_report(study)
    row = Reader(page(study)).row("one training speakers")
    assert row[1:5] == ["50.0", "–", "90.0", "–"]
    assert "What lies together" not in page(study)


def test_the_page_stands_alone_and_has_every_part(study):
    plan, _ = make_study(study, [network("one"), network("two-b")])
    keep_some_embeddings(plan, study)
    write_report(study)
    reader = Reader(page(study))
    assert reader.links
    assert all(link.startswith(("#", "data:")) for link in reader.links)
    assert "script" not in reader.tags
    assert "http" not in page(study)
    assert "@import" not in page(study)
    data = read_study(study)
    shown = [part for part in PARTS if part(data) is not None]
    assert len(re.findall("<h2>", page(study))) == len(shown) + 1  # the audit brings a heading of its own
    assert len(reader.ids) == len(set(reader.ids))
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)
    assert set(re.findall(r"url\(#([^)]*)\)", page(study))) <= set(reader.ids)


def test_names_are_escaped(study):
    recipe = network("one", about="beats <i>all</i> & $more$")
    make_study(study, [recipe], ["<b>", "a&b", "$x$", "d", "e", "f", "g", "</svg>"])
    write_report(study)
    assert "&lt;b&gt;" in page(study)
    assert {"b", "i"}.isdisjoint(Reader(page(study)).tags)
    assert page(study).count("</svg>") == page(study).count("<svg")


def test_a_corpus_without_gender_has_a_report(study):
    corpus = make_corpus(study, tuple("abcd"))
    plan = Plan.make(
        Corpus.from_table(corpus.table.drop(columns=["gender", "corpus"]), study), "speaker-folds:4", [network("one")]
    )
    plan.write(study)
    for run in plan.runs():
        finish(plan, study, run)
    write_report(study)
    assert "By gender" not in page(study)


def test_the_recipes_and_the_command_are_there(study):
    make_study(study, [Recipe.load("tdnn"), network("mine")], folds=[1, 3], seeds=(0, 1))
    write_report(study)
    assert (
        "unheard study tdnn study/runs/mine/fold1-seed0/recipe.yaml --corpus audio --protocol speaker-folds:4 "
        "--folds 1,3 --seeds 2 --baseline tdnn --out study"
    ) in page(study)
    assert network("mine").to_yaml().splitlines()[1] in page(study)


def test_utterances_of_no_named_corpus_have_a_command_too(study):
    speakers = [f"s{index}" for index in range(4)]
    corpus = make_corpus(study.parent / "audio", speakers)
    corpus = corpus.with_columns(corpus=corpus.table["corpus"].where(corpus.table["speaker"] != "s0"))
    plan = Plan.make(corpus, "speaker-folds:4", [network("one")])
    plan.write(study)
    finish(plan, study, plan.runs()[0])
    write_report(study)
    assert "--corpus audio --protocol" in page(study)


def test_the_table_fits_a_terminal(study):
    long = "a-recipe-whose-name-is-much-longer-than-any-column-of-a-table-in-a-terminal-can-ever-be-shown"
    make_study(study, [network("one"), network(long)], seeds=(0, 1))
    assert max(map(len, write_report(study).splitlines())) <= 100


def test_the_same_study_gives_the_same_page(study):
    make_study(study, [network("one")])
    write_report(study)
    first = page(study)
    write_report(study)
    assert page(study) == first


def test_a_study_without_a_finished_run_is_one_sentence(study):
    Plan.make(make_corpus(study, tuple("abcd")), "speaker-folds:4", [network("one")]).write(study)
    with pytest.raises(InputError, match="none of the 4 runs of this study is finished"):
        write_report(study)
    with pytest.raises(InputError, match="there is no study here"):
        write_report(Path("nowhere"))


def test_predictions_of_another_fold_are_refused(study):
    plan, _ = make_study(study, [network("one")])
    first, second = (run.folder(study) / "predictions.csv" for run in plan.runs()[:2])
    first.write_text(second.read_text().replace(",2,0,", ",1,0,"))
    with pytest.raises(InputError, match="not the test utterances of fold 1"):
        write_report(study)
    first.unlink()
    with pytest.raises(InputError, match="lacks this file"):
        write_report(study)


def test_what_further_terms_tell(study):
    recipe = Recipe.load("tdnn-dat", ["terms.speaker.column=gender"])
    plan, _ = make_study(study, [network("one"), recipe, Recipe.load("tdnn-mtl")])
    for run in plan.runs():
        if "speaker" in run.recipe.terms:
            score = 0.5 + 0.1 * run.fold if run.recipe.name == "tdnn-dat" else None
            columns = {f"{prefix}term_speaker_{name}": score for prefix in ("", "dev_") for name in ("wa", "ua")}
            add_to_results(study, run, **columns)
    write_report(study)
    rows = [row for row in Reader(page(study)).rows if row and ": speaker" in row[0]]
    assert rows == [
        ["tdnn-dat: speaker", "gender, unlearned", *["75.0"] * 4],
        ["tdnn-mtl: speaker", "speaker, learned", *["–"] * 4],
    ]


def test_the_confusions_are_averaged_over_folds(study):
    _, predictions = make_study(study, [network("one")], seeds=(0, 1))
    write_report(study)
    folds = [confusion_matrix(part["emotion"], part["predicted"], labels=list(EMOTIONS), normalize="true")
             for _, part in predictions.groupby(["seed", "fold"])]  # fmt: skip
    expected = 100 * np.mean(folds, axis=0)
    reader = Reader(page(study))
    for row, emotion in enumerate(EMOTIONS):
        counted = next(line for line in reader.rows if line and re.fullmatch(rf"{emotion} \d+", line[0]))
        assert [float(cell) for cell in counted[1:]] == pytest.approx(expected[row], abs=0.5)
    assert f"diagonal {np.diagonal(expected).mean():.1f}" in page(study)
