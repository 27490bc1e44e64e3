import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.recipe import Recipe
from unheard.studies.plan import Plan
from unheard.studies.report import PARTS, write_report
from unheard.studies.report_leak import MeanLeak

EMOTIONS = ("angry", "happy", "sad")
MACHINE = {"python": "3.11", "platform": "somewhere", "processor": "x", "threads": 1, "libraries": {"unheard": "0"}}


def make_corpus(folder, speakers, each=6, name="tiny"):
    count = len(speakers) * each
    table = pd.DataFrame(
        {
            "audio": [f"{row:04}.wav" for row in range(count)],
            "speaker": np.repeat(speakers, each),
            "gender": np.repeat([("female", "male")[index % 2] for index in range(len(speakers))], each),
            "emotion": [EMOTIONS[row % 3] for row in range(count)],
            "corpus": name,
            "digest": [f"{row:064}" for row in range(count)],
        }
    )
    return Corpus.from_table(table, folder)


def network(name, **values):
    return Recipe.load("tdnn", [f"name={name}", "training.epochs=4"]).model_copy(update=values)


def predict(reference, run, skill):
    """A share ``skill`` of the utterances right, the others taken for the next emotion."""
    random = np.random.default_rng([run.fold, run.seed, len(run.recipe.name)])
    right = random.random(len(reference)) < skill
    return [one if ok else EMOTIONS[(EMOTIONS.index(one) + 1) % 3] for one, ok in zip(reference, right, strict=True)]


def finish(plan, study, run, skill=0.7, leak=0.5, folds=None):
    """What a finished run leaves, without training."""
    folder = run.folder(study)
    folder.mkdir(parents=True)
    test = plan.corpus.table.iloc[(folds or plan.cut())[run.fold - 1].test]
    table = test[["id", "speaker"]].assign(fold=run.fold, seed=run.seed, emotion=test["emotion"])
    table["predicted"] = predict(table["emotion"], run, skill)
    table.to_csv(folder / "predictions.csv", index=False)
    result = {
        "recipe": run.recipe.name, "protocol": plan.protocol.name, "fold": run.fold, "seed": run.seed, "n": len(table),
        "wa": float((table["emotion"] == table["predicted"]).mean()),
        "ua": balanced_accuracy_score(table["emotion"], table["predicted"]),
        "dev_wa": 0.75, "dev_ua": 0.75,
        "leak": leak, "leak_raw": 0.9, "leak_emotion": 0.3, "leak_chance": 0.25, "leak_speakers": 4,
        "leak_unheard": None,
        "seconds": 3.0, "corpus": plan.corpus.name, "corpus_hash": plan.corpus.hash, "machine": MACHINE,
    }  # fmt: skip
    (folder / "result.json").write_text(json.dumps(result))
    if run.recipe.network is not None:
        history = [
            {"epoch": epoch, "loss.emotion": 2 / (1 + epoch), "dev_wa": 0.5, "dev_ua": 0.1 * epoch, "seconds": 1.0}
            for epoch in range(4)
        ]
        (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in history))
    return table


def make_study(
    study, recipes, speakers=tuple("abcdefgh"), skills=None, name="tiny", protocol="speaker-folds:4", **plan
):
    plan = Plan.make(make_corpus(study / "audio", speakers, name=name), protocol, recipes, **plan)
    plan.write(study)
    skills = skills or {}
    tables = [
        finish(plan, study, run, skills.get(run.recipe.name, 0.7)).assign(recipe=run.recipe.name)
        for run in plan.runs()
        if skills.get(run.recipe.name, 0.7) is not None
    ]
    return plan, pd.concat(tables)


def page(study):
    return (study / "report.html").read_text(encoding="utf-8")


class Reader(HTMLParser):
    """The text of the tables, and whatever a browser would load."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.links, self.ids, self.tags, self.cell = [], [], [], set(), None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "xlink:href", "action", "data")]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.cell = []

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append(" ".join("".join(self.cell).split()))
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell.append(data)

    def row(self, start):
        return next(row for row in self.rows if row and row[0].startswith(start))


@pytest.fixture
def study(tmp_path):
    return tmp_path / "study"


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


def test_numbers_are_those_of_the_predictions(study):
    _, predictions = make_study(
        study, [network("one"), network("two-b")], skills={"one": 0.5, "two-b": 0.8}, seeds=(0, 1)
    )
    text = write_report(study)
    reader = Reader(page(study))
    for name, table in predictions.groupby("recipe"):
        pooled = [balanced_accuracy_score(part["emotion"], part["predicted"]) for _, part in table.groupby("seed")]
        folds = [
            [balanced_accuracy_score(part["emotion"], part["predicted"]) for _, part in runs.groupby("fold")]
            for _, runs in table.groupby("seed")
        ]
        right = (table["emotion"] == table["predicted"]).mean()
        row = reader.row(f"{name} 8/8 runs")
        assert row[1].split()[0] == f"{100 * np.mean(pooled):.1f}"
        assert row[2].split()[0] == f"{100 * right:.1f}"
        over_folds = f"{100 * np.mean(folds):.1f} ± {100 * np.std(folds, axis=1).mean():.1f}"
        assert row[3] == over_folds
        again = next(row for row in reader.rows if row[0] == name and "±" in row[1])
        assert again[1] == f"{100 * np.mean(pooled):.1f} ± {100 * np.std(pooled):.1f}"
        assert again[3:] == ["75.0", f"{100 * (0.75 - np.mean(folds)):+.1f}".replace("-", "−")]
        line = next(line for line in text.splitlines() if line.startswith(name))
        assert f"{100 * np.mean(pooled):.1f} [" in line
        assert over_folds in line
        assert "50.0/25.0" in line
        female = table[table["speaker"].isin([*"aceg"])]
        of_women = [balanced_accuracy_score(part["emotion"], part["predicted"]) for _, part in female.groupby("seed")]
        column = 2 + ["one", "two-b"].index(name)
        assert reader.row("female UA")[column] == f"{100 * np.mean(of_women):.1f} ± {100 * np.std(of_women):.1f}"
        sad = table[table["emotion"] == "sad"]
        recall = sad["predicted"].eq("sad").groupby(sad["seed"]).mean()
        assert f"{100 * recall.mean():.1f} ± {100 * recall.std(ddof=0):.1f}" in reader.row("sad")


def test_recipes_are_compared_with_the_baseline(study):
    recipes = [network("one"), network("base"), network("three")]
    skills = {"one": 1.0, "base": 0.3, "three": 0.3}
    make_study(
        study, recipes, [f"s{index}" for index in range(10)], skills, baseline="base", protocol="speaker-folds:5"
    )
    text, reader = write_report(study), Reader(page(study))
    compared = [row for row in reader.rows if len(row) == 6 and row[-1] in ("better", "no difference beyond chance")]
    assert [(row[0], row[-1]) for row in compared] == [("one", "better"), ("three", "no difference beyond chance")]
    assert compared[0][2:5] == ["100.0", "0.002", "0.004"]  # 2 / 2^10, twice for two comparisons
    assert "one against base: UA +" in text
    assert "p = 0.004, corrected for 2 comparisons: better" in text


def test_few_speakers_cannot_tell(study):
    make_study(
        study, [network("one"), network("two-b")], tuple("abc"), {"one": 0.0, "two-b": 1.0}, protocol="speaker-folds:3"
    )
    words = "too few speakers to tell (with 3 speakers p cannot fall below 0.250)"
    assert words in " ".join(write_report(study).split())
    assert words in page(study)


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


def test_runs_without_a_common_one_are_not_compared(study):
    plan, _ = make_study(study, [network("one"), network("two-b")])
    for run in plan.runs():
        if (run.recipe.name == "one") == (run.fold > 2):
            (run.folder(study) / "result.json").unlink()
    text = write_report(study)
    assert "NOT COMPARABLE" in text
    assert "against" not in text
    assert "Nothing can be compared yet" in page(study)


def test_a_classical_recipe_has_no_learning_curve(study):
    svm = Recipe.load("egemaps-svm")
    make_study(study, [svm])
    write_report(study)
    assert "Learning curves" not in page(study)
    make_study(study.with_name("both"), [svm, network("one")])
    write_report(study.with_name("both"))
    assert "egemaps-svm: fitted in one go" in page(study.with_name("both"))
    assert "one: dev UA" in page(study.with_name("both"))


def test_one_run_of_one_fold_has_no_spread(study):
    make_study(study, [network("one")], protocol="speaker-holdout")
    write_report(study)
    assert "±" not in Reader(page(study)).row("one 1/1 runs")[3]


def test_the_leak_is_shown_beside_what_it_is_measured_against(study):
    make_study(study, [network("one")])
    write_report(study)
    row = next(row for row in Reader(page(study)).rows if row[-1] == "less than the raw features")
    assert row[:6] == ["one", "50.0", "90.0", "30.0", "25.0", "4"]
    assert "On unheard speakers it was not measured" in page(study)


def test_the_page_stands_alone_and_has_every_part(study):
    make_study(study, [network("one"), network("two-b")])
    write_report(study)
    reader = Reader(page(study))
    assert reader.links
    assert all(link.startswith(("#", "data:")) for link in reader.links)
    assert "script" not in reader.tags
    assert "http" not in page(study)
    assert "@import" not in page(study)
    assert len(re.findall("<h2>", page(study))) == len(PARTS) + 1  # the audit brings a heading of its own
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


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        (0.26, "nothing beyond chance"),
        (0.41, "no more than the emotion"),
        (0.6, "less than the raw features"),
        (0.89, "as much as the raw features"),
        (0.95, "more than the raw features"),
        (float("nan"), "not measured"),
    ],
)
def test_the_leak_in_words(probe, words):
    assert MeanLeak(probe, raw=0.9, emotion=0.4, chance=0.25, speakers=4).words == words
