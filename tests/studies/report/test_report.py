import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, confusion_matrix

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.evaluation.projection import keep_arrays, keep_embeddings
from unheard.recipe import Recipe
from unheard.studies.inside import ATTENTION, DEEP_FEATURES
from unheard.studies.plan import Plan
from unheard.studies.report.data import read_study
from unheard.studies.report.leak import MeanLeak
from unheard.studies.report.write import PARTS, write_report

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
        "leak": leak, "leak_nonlinear": leak + 0.1, "leak_raw": 0.9, "leak_raw_nonlinear": 0.95, "leak_emotion": 0.3,
        "leak_chance": 0.25, "leak_speakers": 4, "leak_gender": None, "leak_unheard": None,
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
        assert "50.0/60.0/25.0" in line
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
        study, recipes, [f"s{index}" for index in range(10)], skills,
        baseline="base", protocol="speaker-folds:5", seeds=(0, 1),
    )  # fmt: skip
    text, reader = write_report(study), Reader(page(study))
    compared = [row for row in reader.rows if len(row) == 6 and row[-1] in ("better", "no difference beyond chance")]
    assert [(row[0], row[-1]) for row in compared] == [("one", "better"), ("three", "no difference beyond chance")]
    assert compared[0][2:5] == ["0.002", "0.002", "0.004"]  # 2 / 2^10, twice for two comparisons
    more = next(row for row in reader.rows if row[0] == "one" and len(row) == 4)
    difference = compared[0][1].split()[0]
    assert [cell.split()[0] for cell in more] == ["one", "100.0", difference, "100.0"]  # the classes are even
    assert "one against base: UA +" in text
    assert "p = 0.004, corrected for 2 comparisons: better" in text


def test_few_speakers_cannot_tell(study):
    make_study(
        study, [network("one"), network("two-b")], tuple("abc"), {"one": 0.0, "two-b": 1.0}, protocol="speaker-folds:3"
    )
    words = "too few speakers to tell (with 3 speakers p cannot fall below 0.250)"
    assert words in " ".join(write_report(study).split())
    assert words in page(study)


def test_few_trainings_cannot_tell(study):
    speakers = [f"s{index}" for index in range(12)]
    make_study(study, [network("one"), network("two-b")], speakers, {"one": 0.0, "two-b": 1.0})
    words = "p = 0.125: too few runs to tell (with 4 runs p cannot fall below 0.125)"
    assert words in " ".join(write_report(study).split())


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
    row = Reader(page(study)).row("one training speakers")
    assert row[1:] == ["50.0", "60.0", "90.0", "95.0", "30.0", "25.0", "4", "less than raw"]
    assert "On unheard speakers it was not measured" in page(study)
    assert "How often the gender is told" not in page(study)


def add_to_results(study, run, **columns):
    path = run.folder(study) / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | columns))


def test_gender_and_a_fixed_set_are_shown_where_they_were_measured(study):
    plan, _ = make_study(study, [network("one"), network("two-b")])
    gender = dict(zip(("", "_nonlinear", "_raw", "_raw_nonlinear"), (0.5, 0.52, 0.8, 0.9), strict=True))
    columns = {f"leak_gender{name}": value for name, value in gender.items()}
    columns |= {"leak_gender_emotion": 0.5, "leak_gender_chance": 0.5, "leak_gender_speakers": 4}
    for run in plan.runs():
        add_to_results(study, run, **columns, leak_fixed=0.97, leak_fixed_raw=0.9, leak_fixed_emotion=None)
    write_report(study)
    reader = Reader(page(study))
    rows = [row for row in reader.rows if row and row[0] == "two-b training speakers"]
    assert [row[-1] for row in rows] == ["less than raw", "nothing beyond chance"]
    assert reader.row("one fixed set of speakers")[1:6] == ["97.0", "–", "90.0", "–", "–"]


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


def keep(plan, study, by="emotion", runs=None, part="dev"):
    """Embeddings of the utterances of a part that lie by emotion, or by speaker."""
    for run in runs or plan.runs():
        rows = plan.corpus.table.iloc[getattr(plan.cut()[run.fold - 1], part)]
        codes = 20.0 * pd.get_dummies(rows[by]).to_numpy(dtype=float)
        noise = np.random.default_rng(run.fold).standard_normal((len(rows), 6))
        keep_embeddings(run.folder(study), part, np.hstack([codes, noise]).astype(np.float32))


def test_embeddings_are_drawn_and_measured(study):
    plan, _ = make_study(study, [network("one"), network("two-b"), network("old")], tuple("abcdefghijklmnopqrstuvwx"))
    keep(plan, study, "emotion", [run for run in plan.runs() if run.recipe.name == "one"])
    keep(plan, study, "speaker", [run for run in plan.runs() if run.recipe.name == "two-b"])
    write_report(study)
    text, reader = page(study), Reader(page(study))
    assert "dev utterances of fold 1, seed 0" in text
    for name in ("one", "two-b"):
        for by in ("emotion", "speaker"):
            assert f'aria-label="{name}, by {by}: ' in text
    assert "old, by emotion" not in text
    numbers = {row[0]: [float(cell.replace("−", "-")) for cell in row[2:]] for row in reader.rows if len(row) == 4
               and row[0] in ("one", "two-b") and row[1].startswith("dev: ")}  # fmt: skip
    assert numbers["one"][0] > 0.2 > 0.1 > numbers["one"][1]
    assert numbers["two-b"][1] > 0.2 > 0.1 > numbers["two-b"][0]
    dev = plan.corpus.table.iloc[plan.cut()[0].dev]
    shown = re.search(r'aria-label="one, by speaker: ([^"]*)"', text)[1].split(", ")
    assert len(shown) == 4 < dev["speaker"].nunique()
    assert set(shown) <= set(dev["speaker"])
    assert "4 speakers, drawn by the seed" in text
    assert f"{len(dev)} utterances of {dev['speaker'].nunique()} speakers" in text
    assert "shows the test part instead" not in text


def test_embeddings_of_one_part_are_not_given_the_labels_of_another(study):
    plan, _ = make_study(study, [network("one"), network("two-b")], tuple("abcdefghijklmnopqrstuvwx"))
    for name, part in (("one", "dev"), ("two-b", "test")):
        keep(plan, study, "emotion", [run for run in plan.runs() if run.recipe.name == name], part)
    write_report(study)
    text, reader = page(study), Reader(page(study))
    found = {row[0]: row[1:] for row in reader.rows if len(row) == 4 and row[1].startswith(("dev: ", "test: "))}
    assert found["one"][0].startswith("dev: ")
    assert found["two-b"][0].startswith("test: ")
    assert all(float(row[1].replace("−", "-")) > 0.2 for row in found.values())
    assert "dev or test utterances of fold 1" in text
    assert "shows the test part instead" in text


def test_the_fold_and_seed_whose_embeddings_are_drawn_can_be_chosen(study):
    plan, _ = make_study(study, [network("one")], seeds=(0, 1))
    keep(plan, study)
    assert read_study(study).projected == (1, 0)
    write_report(study, (3, 1))
    assert "dev utterances of fold 3, seed 1" in page(study)
    assert "2 speakers" in page(study)  # fewer than four: those there are
    with pytest.raises(InputError, match=r"nothing is shown of fold 3 with seed 2.*folds 1–4 with seeds 0, 1"):
        write_report(study, (3, 2))


def test_embeddings_of_other_utterances_are_refused(study):
    plan, _ = make_study(study, [network("one")])
    keep_embeddings(plan.runs()[0].folder(study), "dev", np.eye(5, dtype=np.float32))
    with pytest.raises(InputError, match="it holds 5 embeddings, and the dev part of fold 1 has 12 utterances"):
        write_report(study)


def test_embeddings_that_are_all_the_same_have_no_picture(study):
    plan, _ = make_study(study, [network("one")])
    run = plan.runs()[0]
    keep_embeddings(run.folder(study), "dev", np.ones((12, 8), np.float32))
    write_report(study)
    assert "What lies together" in page(study)
    assert "one, by emotion" not in page(study)


def test_the_page_stands_alone_and_has_every_part(study):
    plan, _ = make_study(study, [network("one"), network("two-b")])
    keep(plan, study)
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


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        (0.26, "nothing beyond chance"),
        (0.41, "no more than the emotion"),
        (0.6, "less than raw"),
        (0.89, "as much as raw"),
        (0.95, "more than raw"),
        (float("nan"), "not measured"),
    ],
)
def test_the_leak_in_words(probe, words):
    """By the probe that reads more; older studies have the linear one only."""
    beside = {"emotion": 0.4, "chance": 0.25, "speakers": 4}
    assert MeanLeak(probe, probe - 0.2, raw=0.8, raw_nonlinear=0.9, **beside).words == words
    assert MeanLeak(probe - 0.2, probe, raw=0.9, raw_nonlinear=0.8, **beside).words == words
    assert MeanLeak(probe, float("nan"), raw=0.9, raw_nonlinear=float("nan"), **beside).words == words


def keep_deep(plan, study, apart, parts=("dev", "test")):
    """Deep features whose women lie ``apart`` from the men in the emotion "sad", and beside them in the others."""
    for run in plan.runs():
        fold = plan.cut()[run.fold - 1]
        arrays = {}
        for part in parts:
            table = plan.corpus.table.iloc[getattr(fold, part)]
            noise = np.random.default_rng(run.fold).standard_normal((len(table), 4)) / 50
            noise[:, 0] += 30 * pd.factorize(table["emotion"], sort=True)[0]
            noise[:, 1] += apart[run.recipe.name] * ((table["emotion"] == "sad") & (table["gender"] == "female"))
            arrays[part] = noise.astype(np.float32)
        keep_arrays(run.folder(study) / DEEP_FEATURES, arrays)


def cells(reader, start):
    """The rows that begin so, their numbers as numbers."""
    return [[float(cell) for cell in row[1:]] for row in reader.rows if row and row[0] == start]


def test_the_genders_distance_is_measured_and_drawn(study):
    recipes = [network("one"), network("two-b"), Recipe.load("egemaps-svm")]
    plan, _ = make_study(study, recipes, tuple("abcdefghijklmnop"))
    for run in plan.runs():
        if run.recipe.network is not None:
            add_to_results(study, run, scatter=0.5 + run.fold, dev_scatter=0.25)
    keep_deep(plan, study, {"one": 7.0, "two-b": 0.0, "egemaps-svm": 0.0})
    for run in plan.runs()[2::3]:  # a classical model keeps none
        (run.folder(study) / DEEP_FEATURES).unlink()
    write_report(study)
    text, reader = page(study), Reader(page(study))
    assert ["two-b", "0.25 (0.25–0.25)", "3.00 (1.50–4.50)", "0.0 % [0.0, 0.0]"] in reader.rows
    ((angry, happy, sad),) = cells(reader, "one feature")
    assert max(angry, happy) < 0.1
    assert sad == pytest.approx(7, abs=0.1)
    ((*_, in_spreads),) = cells(reader, "one in spreads")
    assert in_spreads > 100
    assert cells(reader, "one plane")[0][2] > 0.2 + 3 * cells(reader, "two-b plane")[0][2]
    assert max(cells(reader, "two-b feature")[0]) < 0.1
    for gender in ("female", "male"):
        assert f'aria-label="one, {gender}: angry, happy, sad"' in text
    assert "egemaps-svm, female" not in text
    assert not cells(reader, "egemaps-svm feature")


def test_the_scatter_is_compared_run_by_run_with_that_of_the_baseline(study):
    recipes = [network("base"), network("tight", terms=Recipe.load("adarl").terms), Recipe.load("egemaps-svm")]
    plan, _ = make_study(study, recipes, seeds=(0, 1))
    ratios = {1: 0.5, 2: 0.6, 3: 0.7, 4: 0.8}  # the scatter itself differs far more between folds
    for run in plan.runs():
        if run.recipe.network is not None:
            larger = ratios[run.fold] * (1 + 0.1 * run.seed) if run.recipe.name == "tight" else 1.0
            add_to_results(study, run, scatter=larger * 10**run.fold, dev_scatter=None)
    text = " ".join(write_report(study).split())
    logs = np.log([[ratio, 1.1 * ratio] for ratio in ratios.values()]).mean(axis=1)
    interval = stats.ttest_1samp(logs, 0).confidence_interval()
    change, low, high = (f"{100 * np.expm1(one):+.1f}".replace("-", "−") for one in (logs.mean(), *interval))
    row = next(row for row in Reader(page(study)).rows if row and row[0] == "tight" and "%" in row[-1])
    assert row[-1] == f"{change} % [{low}, {high}]"
    said = "against base: test scatter of the emotions in the deep feature"
    assert f"tight {said} {change} % [{low}, {high}]" in text
    assert f"egemaps-svm {said}" not in text
    assert next(row for row in Reader(page(study)).rows if row and row[0] == "base" and "(" in row[2])[-1] == "–"


def test_the_scatter_of_one_fold_has_no_interval_and_of_other_runs_no_comparison(study):
    recipes = [network("base"), network("tight", terms=Recipe.load("adarl").terms)]
    plan, _ = make_study(study, recipes, folds=[1])
    for run in plan.runs():
        add_to_results(study, run, scatter=2.0 if run.recipe.name == "base" else 1.0, dev_scatter=None)
    assert "tight against base: test scatter of the emotions in the deep feature −50.0 % (less" in write_report(study)
    other, _ = make_study(study.with_name("apart"), recipes)
    for run in other.runs():
        add_to_results(study.with_name("apart"), run, scatter=1.0, dev_scatter=None)
        if (run.recipe.name == "base") == (run.fold > 2):
            (run.folder(study.with_name("apart")) / "result.json").unlink()
    assert "scatter" not in write_report(study.with_name("apart"))


def test_deep_features_of_other_utterances_are_refused(study):
    plan, _ = make_study(study, [network("one")])
    run = plan.runs()[0]
    add_to_results(study, run, scatter=0.5)
    keep_arrays(run.folder(study) / DEEP_FEATURES, {"test": np.ones((3, 2), np.float32)})
    with pytest.raises(InputError, match=r"it holds 3 deep features, and fold 1 has 12 utterances in test; delete it"):
        write_report(study)


def test_one_gender_has_scatter_and_no_distance(study):
    plan, _ = make_study(study, [network("one")], protocol="leave-one-speaker-out:none")
    for run in plan.runs():
        add_to_results(study, run, scatter=0.5, dev_scatter=None)
    keep_deep(plan, study, {"one": 1.0}, parts=["test"])
    write_report(study)
    assert ["one", "–", "0.50 (0.50–0.50)"] in Reader(page(study)).rows
    assert "L2 distance" not in page(study)
    keep_deep(plan, study, {"one": 1.0}, parts=["train", "test"])
    write_report(study)
    assert cells(Reader(page(study)), "one feature")[0][2] == pytest.approx(1, abs=0.1)


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


def keep_attention(study, run, means, deviation=0.02, genders=("female", "male")):
    """Means of the rows for women; men have 0.04 more in the second row of odd folds, and 0.06 more of even ones."""
    more = 0.04 if run.fold % 2 else 0.06
    rows = [
        (part, gender, row, mean + (more if gender == "male" and row == 2 and deviation else 0), deviation, many)
        for part, many in (("dev", 2), ("test", 4))
        for gender in genders
        for row, mean in enumerate(means, start=1)
    ]
    table = pd.DataFrame(rows, columns=["part", "gender", "row", "mean", "sd", "utterances"])
    table.to_csv(run.folder(study) / ATTENTION, index=False)


def test_the_attention_of_each_gender_is_drawn(study):
    plan, _ = make_study(study, [network("one"), network("two-b")])
    for run in plan.runs():
        if run.recipe.name == "one":
            keep_attention(study, run, [0.1, 0.2, 0.3])
    text, reader = write_report(study), Reader(page(study))
    assert ["one", "0.1000", "0.3000", "0.0500", "0.0200"] in reader.rows
    assert 'aria-label="one: female, male by row of the attention"' in page(study)
    assert 'aria-label="two-b: female' not in page(study)
    assert ["row", "female", "male", "female − male", "same sign", "deviation"] in reader.rows
    assert ["row 2", "0.2000", "0.2500", "−0.0500", "4 of 4 runs", "0.0200"] in reader.rows
    assert "one: the attention to female and male voices differs most at row 2 (−0.0500, same sign in 4 of 4" in text
    assert "same for all" not in text


def test_the_attention_of_a_spectrogram_is_in_hertz_and_may_stand_still(study):
    recipe = Recipe.load("adarl", ["front_end.lowest=100", "front_end.highest=3300", "front_end.average=2"])
    plan, _ = make_study(study, [recipe])
    for run in plan.runs():
        keep_attention(study, run, [0.1, 0.2, 0.3], deviation=0.02 if run.fold < 4 else 0.0)
    text = " ".join(write_report(study).split())
    reader = Reader(page(study))
    assert [row[0] for row in reader.rows if row and row[0].endswith(" Hz")] == [
        "100–1,060 Hz", "1,060–2,020 Hz", "2,020–2,980 Hz",
    ]  # fmt: skip
    assert 'aria-label="adarl: female, male by Hz"' in page(study)
    assert "differs most at 1,060–2,020 Hz (−0.0350, same sign in 3 of 4 runs)" in text
    assert "; it is the same for all utterances in 1 of 4 runs" in text
    for run in plan.runs():
        keep_attention(study, run, [0.1, 0.2, 0.3], deviation=0.0)
    assert "adarl: the attention is the same for all utterances in 4 of 4 runs" in write_report(study)


def test_the_attention_to_one_gender_a_run_has_no_difference(study):
    plan, _ = make_study(study, [network("one")])
    for run in plan.runs():
        keep_attention(study, run, [0.1, 0.2], genders=("female",) if run.fold % 2 else ("male",))
    assert "the attention" not in write_report(study)
    assert ["row 1", "0.1000", "0.1000", "0.0200"] in Reader(page(study)).rows


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
