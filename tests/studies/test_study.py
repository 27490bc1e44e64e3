import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

import unheard
from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.evaluation.projection import read_embeddings
from unheard.frontends.store import FeatureStore
from unheard.methods.svm import LinearSvm
from unheard.recipe import Recipe
from unheard.studies.inside import read_deep_features
from unheard.studies.plan import Plan
from unheard.studies.report.data import read_study
from unheard.studies.report.write import report_html
from unheard.studies.study import read_predictions, run_study, train_one

SMALL = ("network.channels=[8,8]", "network.lstm=4", "network.width=12", "training.batch_size=8")
PROTOCOL = "speaker-folds:3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Six speakers, two emotions that sound high and low."""
    folder = tmp_path_factory.mktemp("corpus")
    draw = np.random.default_rng(0)
    rows = []
    for speaker in ("001", "NA", "c", "d", "e", "f"):
        for index in range(6):
            emotion = ("angry", "sad")[index % 2]
            seconds = np.arange(int(16000 * draw.uniform(0.5, 0.8))) / 16000
            wave = np.sin(2 * np.pi * (200 if emotion == "sad" else 900) * seconds) * 0.3
            name = f"{speaker}-{index}.wav"
            soundfile.write(folder / name, wave + 0.05 * draw.standard_normal(len(wave)), 16000)
            rows.append({"audio": name, "speaker": speaker, "gender": "female", "emotion": emotion})
    Corpus.from_table(pd.DataFrame(rows), folder).write(folder / "manifest.csv")
    return folder


def recipes(*overrides: str) -> list[Recipe]:
    return [Recipe.load(name, (*SMALL, "training.epochs=2", *overrides)) for name in ("tdnn", "tdnn-dat")]


def predictions(study: Path) -> dict[str, bytes]:
    return {str(file.relative_to(study)): file.read_bytes() for file in sorted(study.rglob("*predictions.csv"))}


@pytest.fixture(scope="module")
def study(folder, tmp_path_factory) -> tuple[Plan, Path, FeatureStore]:
    """A finished study, done in this process's workers."""
    out = tmp_path_factory.mktemp("study") / "out"
    store = FeatureStore(tmp_path_factory.mktemp("cache"))
    plan = Plan.make(Corpus.read(folder), PROTOCOL, recipes(), folds=[1, 2], seeds=[0])
    run_study(plan, out, store, workers=2)
    return plan, out, store


def test_a_study_leaves_what_scripts_rely_on(study):
    plan, out, _ = study
    results = pd.read_csv(out / "results.csv")
    assert list(results.columns[:9]) == ["recipe", "protocol", "fold", "seed", "n", "wa", "ua", "dev_wa", "dev_ua"]
    measured = ["", "_nonlinear", "_raw", "_raw_nonlinear", "_emotion", "_chance", "_speakers", "_utterances"]
    for prefix in ("leak", "leak_unheard"):
        assert results[[f"{prefix}{name}" for name in measured]].notna().all(axis=None)
        assert results[f"{prefix}_gender"].isna().all()  # all are women
    assert "leak_fixed" not in results
    assert (results[["scatter", "dev_scatter"]] > 0).all(axis=None)
    assert results["term_speaker_wa"].isna().all()  # no new speaker's name was known in training
    assert len(results) == 4
    for run in plan.runs():
        folder = run.folder(out)
        for name in ("recipe.yaml", "metrics.jsonl", "predictions.csv", "dev_predictions.csv", "result.json"):
            assert (folder / name).is_file()
        table = pd.read_csv(folder / "predictions.csv", dtype={"speaker": "str"}, keep_default_na=False)
        assert list(table.columns) == ["id", "speaker", "fold", "seed", "emotion", "predicted", "p_angry", "p_sad"]
        test = plan.corpus.table.iloc[plan.cut()[run.fold - 1].test]
        assert table["id"].tolist() == test["id"].tolist()
        assert table["speaker"].tolist() == test["speaker"].tolist()
        assert np.allclose(table[["p_angry", "p_sad"]].sum(axis=1), 1, atol=1e-5)
        result = json.loads((folder / "result.json").read_text())
        assert result["wa"] == pytest.approx((table["emotion"] == table["predicted"]).mean())
        assert result["machine"]["threads"] == 1
        dev = plan.cut()[run.fold - 1].dev
        part, values = read_embeddings(folder)
        assert (part, values.shape) == ("dev", (len(dev), 24))
        deep = read_deep_features(folder)
        assert {name: len(values) for name, values in deep.items()} == {"dev": len(dev), "test": len(test)}
    assert len(read_predictions(plan, out)) == 48
    assert read_predictions(plan, out)["speaker"].notna().all()


def test_a_finished_study_is_not_done_again(study):
    plan, out, store = study
    before = {file: file.stat().st_mtime_ns for file in out.rglob("result.json")}
    run_study(plan, out, store, workers=2)
    assert {file: file.stat().st_mtime_ns for file in out.rglob("result.json")} == before


def test_one_worker_gives_the_numbers_of_two(study, tmp_path):
    plan, out, store = study
    run_study(plan, tmp_path / "out", store, workers=1)
    assert predictions(tmp_path / "out") == predictions(out)


def test_folds_seeds_and_recipes_can_be_added(study):
    plan, out, _ = study
    more = Plan.make(plan.corpus, PROTOCOL, [Recipe.load("egemaps-svm")], folds=[3], seeds=[1]).continuing(out)
    assert [recipe.name for recipe in more.recipes] == ["tdnn", "tdnn-dat", "egemaps-svm"]
    assert (more.folds, more.seeds) == ((1, 2, 3), (0, 1))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"protocol": "leave-one-speaker-out"}, "another protocol"),
        ({"recipes": recipes("training.epochs=9")}, 'another recipe "tdnn"'),
        ({"drop": True}, "another corpus"),
    ],
)
def test_a_folder_of_another_study_is_refused(change, sentence, study):
    plan, out, _ = study
    corpus = plan.corpus.take(range(len(plan.corpus) - 1)) if "drop" in change else plan.corpus
    other = Plan.make(corpus, change.get("protocol", PROTOCOL), change.get("recipes", plan.recipes))
    with pytest.raises(InputError, match=sentence):
        other.continuing(out)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"folds": [4]}, "there is no fold 4"),
        ({"baseline": "tdn"}, 'the baseline "tdn" is not among'),
        ({"recipes": [*recipes(), *recipes()]}, 'two recipes are called "tdnn"'),
    ],
)
def test_a_plan_that_cannot_be_is_refused(arguments, sentence, study):
    plan, _, _ = study
    chosen = arguments.pop("recipes", list(plan.recipes))
    with pytest.raises(InputError, match=sentence):
        Plan.make(plan.corpus, PROTOCOL, chosen, **arguments)


def test_train_one_refuses_a_folder_of_another_run(study, tmp_path):
    plan, _, store = study
    train_one(plan.corpus, plan.recipes[0], tmp_path, store, protocol=PROTOCOL)
    assert (tmp_path / "recognizer" / "model.safetensors").is_file()
    with pytest.raises(InputError, match="there is another run in this folder"):
        train_one(plan.corpus, plan.recipes[0], tmp_path, store, protocol=PROTOCOL, seed=1)


COMMAND = [sys.executable, "-m", "unheard", "study", "tdnn", "tdnn-dat", *SMALL, "training.epochs=6"]


def start(folder: Path, out: Path, cache: Path, *overrides: str, **options: Any) -> subprocess.Popen:
    arguments = ["--corpus", folder, "--protocol", PROTOCOL, "--folds", "1,2", "--out", out, "--cache", cache]
    command = [*COMMAND, *overrides, *map(str, arguments), "--workers", "2"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options)


def heed_interrupts() -> None:
    """What a shell starts in the background ignores them, and so does all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_kill_nine_changes_no_prediction(folder, tmp_path):
    """Killed again and again at moments of any kind, the study ends with the bytes of one that was left alone."""
    cache = tmp_path / "cache"
    undisturbed = start(folder, tmp_path / "whole", cache)
    assert undisturbed.wait(timeout=200) == 0, undisturbed.stderr.read()
    kills, patience, code = 0, 3.0, None
    while code is None:
        process = start(folder, tmp_path / "cut", cache)
        try:
            code = process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            patience *= 1.6
            time.sleep(0.5)
    assert code == 0, process.stderr.read()
    assert kills >= 2
    assert predictions(tmp_path / "cut") == predictions(tmp_path / "whole")


@pytest.mark.skipif(find_spec("opensmile") is None, reason="openSMILE is not installed")
def test_the_function_is_the_verb(folder, tmp_path):
    results = unheard.study(
        ["egemaps-svm"], folder, tmp_path / "out", protocol=PROTOCOL, folds=[1], cache=tmp_path / "cache", workers=1
    )
    assert results["recipe"].tolist() == ["egemaps-svm"]
    assert (tmp_path / "out" / "report.html").is_file()
    # The SVM learned from the dev speakers: they cannot judge it.
    assert results["dev_ua"].isna().all()
    assert unheard.Corpus is Corpus


def test_a_first_try_that_failed_leaves_the_folder_free(study, tmp_path):
    plan, _, store = study
    out = tmp_path / "out"
    plan.write(out)  # planned, and nothing begun
    other = Plan.make(plan.corpus, "speaker-folds:6", recipes("training.epochs=1")[:1], folds=[1])
    assert other.continuing(out) is other
    run_study(other, out, store, workers=1)
    assert [recipe.name for recipe in Plan.read(out).recipes] == ["tdnn"]
    plan.write(tmp_path / "run")
    assert train_one(plan.corpus, plan.recipes[0], tmp_path / "run", store, protocol=PROTOCOL)["fold"] == 1


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals are other on this system")
def test_an_interrupt_ends_at_once_and_says_so(folder, tmp_path):
    out = tmp_path / "out"
    process = start(folder, out, tmp_path / "cache", "training.epochs=500", preexec_fn=heed_interrupts)
    while not list(out.glob("runs/*/*/checkpoint.pt")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert "the same command goes on with it" in process.stderr.read()


@pytest.fixture
def strangers(tmp_path) -> Corpus:
    """Four speakers, two women and two men, who show no emotion; one of them hardly speaks."""
    draw = np.random.default_rng(1)
    rows = []
    for index, speaker in enumerate(("v", "w", "x", "y", "once")):
        for number in range(1 if speaker == "once" else 5):
            name = f"{speaker}-{number}.wav"
            wave = np.sin(2 * np.pi * (100 + 150 * index) * np.arange(8000) / 16000) * 0.3
            soundfile.write(tmp_path / name, wave + 0.05 * draw.standard_normal(8000), 16000)
            rows.append({"audio": name, "speaker": speaker, "gender": ("female", "male")[index % 2]})
    return Corpus.from_table(pd.DataFrame(rows), tmp_path, "strangers.csv")


def test_the_leak_is_measured_on_a_fixed_set_too(study, strangers, tmp_path):
    plan, out, store = study
    chosen = recipes("training.epochs=1")[:1]
    fixed = Plan.make(plan.corpus, PROTOCOL, chosen, folds=[1], leak_corpus=strangers)
    (row,) = run_study(fixed, tmp_path / "out", store, workers=1).to_dict("records")
    assert (row["leak_fixed_speakers"], row["leak_fixed_utterances"], row["leak_fixed_chance"]) == (4, 20, 0.25)
    assert row["leak_fixed_raw"] > 0.9
    assert row["leak_fixed_emotion"] is None
    assert (row["leak_fixed_gender_speakers"], row["leak_fixed_gender_chance"]) == (4, 0.5)
    assert (tmp_path / "out" / "leak_corpus.csv").is_file()
    assert "leak corpus" in report_html(read_study(tmp_path / "out"))

    # The study goes on with the same speakers, named again or not, and with no others.
    more = {"folds": [2], "seeds": [0]}
    for same in ({}, {"leak_corpus": strangers}):
        again = Plan.make(plan.corpus, PROTOCOL, chosen, **more, **same).continuing(tmp_path / "out")
        assert again.leak_corpus.hash == fixed.leak_corpus.hash
    others = strangers.take(strangers.table["speaker"] != "y")
    for folder in (tmp_path / "out", out):  # one with other speakers, one with none
        given = chosen if folder != out else plan.recipes
        with pytest.raises(InputError, match="the study in this folder has another leak corpus"):
            Plan.make(plan.corpus, PROTOCOL, given, **more, leak_corpus=others).continuing(folder)


def test_a_leak_corpus_of_the_studys_own_speakers_is_refused(study):
    plan, _, _ = study
    with pytest.raises(InputError, match=r'speakers that no run has heard, but 6 of its speakers, "001" for one'):
        Plan.make(plan.corpus, PROTOCOL, plan.recipes, leak_corpus=plan.corpus)


def test_a_fold_without_dev_keeps_the_embeddings_of_its_test(study, tmp_path):
    plan, _, store = study
    chosen = recipes("training.epochs=1", "training.select=last")[0]
    train_one(plan.corpus, chosen, tmp_path, store, protocol="leave-one-speaker-out:none")
    part, values = read_embeddings(tmp_path)
    assert (part, len(values)) == ("test", 6)


def test_dev_speakers_can_be_learned_from_once_the_settings_are_chosen(study, tmp_path):
    plan, out, store = study
    learner = recipes("training.dev=learn", "training.select=last")[:1]
    run_study(Plan.make(plan.corpus, PROTOCOL, learner, folds=[1], seeds=[0]), tmp_path / "out", store, workers=1)
    before, after = (pd.read_csv(folder / "results.csv").iloc[0] for folder in (out, tmp_path / "out"))
    dev = plan.corpus.take(plan.fold(1)[1].dev)
    assert after["leak_utterances"] == before["leak_utterances"] + len(dev)
    assert after["leak_unheard_speakers"] == before["leak_unheard_speakers"] - dev.column("speaker").nunique()
    assert pd.isna(after["dev_ua"])
    assert after["n"] == before["n"]


def two_corpora(plan: Plan, folder: Path) -> Corpus:
    """The speakers c and d are another corpus."""
    there = plan.corpus.table["speaker"].isin(["c", "d"])
    return Corpus.from_table(plan.corpus.table.assign(corpus=np.where(there, "there", "here")), folder)


def test_dev_speakers_of_a_corpus_that_is_to_be_unheard_are_not_learned_from(study, folder, tmp_path):
    plan, _, store = study
    learner = recipes("training.dev=learn", "training.select=last")[0]
    both = two_corpora(plan, folder)
    result = train_one(both, learner, tmp_path, store, protocol="cross-corpus-disjoint:there:0.5")
    assert (result["leak_speakers"], result["leak_utterances"]) == (4, 24)
    assert result["leak_unheard_speakers"] == 2
    assert 0 <= result["dev_ua"] <= 1


@pytest.mark.skipif(find_spec("opensmile") is None, reason="openSMILE is not installed")
@pytest.mark.parametrize(
    ("protocol", "heard"), [("cross-corpus-disjoint:there:0.5", 4), ("cross-corpus:there", 4), ("speaker-folds:3", 4)]
)
def test_an_svm_does_not_learn_from_them_either(study, folder, tmp_path, monkeypatch, protocol, heard):
    learned, fit = [], LinearSvm.fit
    monkeypatch.setattr(LinearSvm, "fit", lambda self, *given: learned.append(given[2]) or fit(self, *given))
    plan, _, store = study
    train_one(two_corpora(plan, folder), Recipe.load("egemaps-svm"), tmp_path, store, protocol=protocol)
    assert [sorted(set(speakers)) == ["001", "NA", "e", "f"] for speakers in learned] == ["there" in protocol]
    assert [len(set(speakers)) for speakers in learned] == [heard]


def test_a_refused_run_leaves_the_folder_free(tiny_corpus, small_overrides, tmp_path, cache):
    wrong = Recipe.load("tdnn", [*small_overrides, "terms.emotion.tap=middle"])
    right = Recipe.load("tdnn", small_overrides)
    for _ in range(2):
        with pytest.raises(InputError, match="middle"):
            train_one(tiny_corpus, wrong, tmp_path / "run", FeatureStore(cache))
    train_one(tiny_corpus, right, tmp_path / "run", FeatureStore(cache))
    with pytest.raises(InputError, match="there is another run in this folder"):
        train_one(tiny_corpus, wrong, tmp_path / "run", FeatureStore(cache))

    plans = [Plan.make(tiny_corpus, "speaker-folds:4", [recipe], folds=[1]) for recipe in (wrong, right)]
    with pytest.raises(InputError, match="middle"):
        run_study(plans[0], tmp_path / "study", FeatureStore(cache), workers=1)
    assert len(run_study(plans[1], tmp_path / "study", FeatureStore(cache), workers=1)) == 1
