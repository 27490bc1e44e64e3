"""Tuning: trials, what they leave, and that an interrupted search ends as one that was left alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from trees.command import run_command
from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.frontends.store import FeatureStore
from unheard.recipe import Recipe, search_of
from unheard.studies.plan import Plan
from unheard.studies.report.write import write_report
from unheard.studies.run import read_result
from unheard.studies.tuning import tune as tuning
from unheard.studies.tuning.search import Search
from unheard.studies.tuning.text import tune_text
from unheard.studies.tuning.tune import tune_recipe
from unheard.training.loop import DivergedError

PROTOCOL = "speaker-folds:4"
RATES = {"optimizer.learning_rate": [0.1, 0.01], "optimizer.momentum": [0.5, 0.9]}
LOG = {"optimizer.learning_rate": {"low": 0.001, "high": 0.1, "log": True}}


def scores(recipe: Recipe, fold: int) -> float:
    """What the pretended trials score: best with a rate of 0.02, on the first fold a little worse."""
    return max(0.0, 0.9 - 5 * abs(recipe.optimizer.learning_rate - 0.02) - (0.1 if fold == 1 else 0.0))


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs that take no time; the list names those that were done."""
    done: list[str] = []

    def run_study(plan: Plan, study: Path, store: FeatureStore, **options: Any) -> None:
        assert not plan.test
        plan = plan.continuing(study)
        plan.write(study)
        for run in plan.runs():
            folder = run.folder(study)
            if read_result(folder) is None:
                folder.mkdir(parents=True, exist_ok=True)
                ua = scores(run.recipe, run.fold)
                result = {"fold": run.fold, "seed": run.seed, "dev_ua": ua, "dev_wa": ua / 2, "seconds": 1.0}
                (folder / "result.json").write_text(json.dumps(result))
                done.append(f"{run.recipe.name}/{run.fold}")

    monkeypatch.setattr(tuning, "run_study", run_study)
    return done


def search(
    corpus: Corpus,
    recipe: Recipe,
    folder: Path,
    values: dict[str, Any],
    *,
    folds: list[int] | None = None,
    **options: Any,
) -> pd.DataFrame:
    plan = Plan.make(corpus, options.pop("protocol", PROTOCOL), [recipe], folds=folds or [1, 2], test=False)
    store = FeatureStore(folder.parent / "cache")
    return tune_recipe(plan, Search.check(values, recipe, "here"), folder, store, **{"workers": 1} | options)


@pytest.fixture
def recipe(small_overrides: tuple[str, ...]) -> Recipe:
    return Recipe.load("tdnn", [*small_overrides, "training.select=ua"])


def test_a_grid_is_tried_in_turn_and_the_best_is_written(pretend, tmp_path, tiny_corpus, recipe):
    table = search(tiny_corpus, recipe, tmp_path / "out", RATES)
    assert table["number"].tolist() == [1, 2, 3, 4]
    assert len(pretend) == 8
    read = pd.read_csv(tmp_path / "out" / "trials.csv")
    assert list(read.columns) == [
        "number", "optimizer.learning_rate", "optimizer.momentum", "dev_ua", "dev_ua_sd", "dev_wa", "dev_wa_sd",
        "seconds",
    ]  # fmt: skip
    assert read["dev_ua"].tolist() == pytest.approx([0.45, 0.45, 0.8, 0.8])
    assert read["dev_ua_sd"].tolist() == pytest.approx([0.05] * 4)
    assert read["seconds"].tolist() == [2, 2, 2, 2]
    best = Recipe.load(tmp_path / "out" / "best.yaml")
    values = {"name": "tdnn-tuned", "optimizer.learning_rate": 0.01, "optimizer.momentum": 0.5}
    assert best == recipe.changed(values, "expected")


def test_the_text_tells_the_best_its_edge_and_who_had_a_say(pretend, tmp_path, tiny_corpus, recipe):
    search(tiny_corpus, recipe, tmp_path / "out", RATES)
    text = tune_text(tmp_path / "out")
    assert text.splitlines()[1].split() == ["3", "0.01", "0.5", "80.0", "±", "5.0", "2"]
    assert "best: trial 3 of 4, dev UA 80.0%" in text
    assert "2 trials are equally good; the first of them is taken" in text
    assert "the best optimizer.learning_rate, 0.01, lies at the lower end of what was searched (0.01 to 0.1)" in text
    assert "2 of the 2 dev speakers it was chosen by are test speakers in other folds of speaker-folds:4" in text


def test_trials_are_judged_as_the_recipe_chooses_its_epoch(pretend, tmp_path, tiny_corpus, recipe):
    by_accuracy = recipe.changed({"training.select": "wa"}, "expected")
    search(tiny_corpus, by_accuracy, tmp_path / "out", RATES)
    assert "dev WA 40.0%" in tune_text(tmp_path / "out")


def test_a_search_goes_on_where_it_was(pretend, tmp_path, tiny_corpus, recipe):
    whole = search(tiny_corpus, recipe, tmp_path / "whole", LOG, trials=13)
    pretend.clear()
    search(tiny_corpus, recipe, tmp_path / "cut", LOG, trials=2)
    search(tiny_corpus, recipe, tmp_path / "cut", LOG, trials=11, workers=2)
    assert len(pretend) == 22
    again = search(tiny_corpus, recipe, tmp_path / "cut", LOG, trials=13)
    pd.testing.assert_frame_equal(again, whole)
    assert sorted(pretend) == sorted(f"tdnn-{number}/{fold}" for number in range(1, 14) for fold in (1, 2))
    for name in ("best.yaml", "trials.csv", "tune.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("trials", [3, 12])
def test_a_trial_left_half_done_is_taken_up_again(trials, pretend, tmp_path, tiny_corpus, recipe):
    whole = search(tiny_corpus, recipe, tmp_path / "out", LOG, trials=trials)
    shutil.rmtree(tmp_path / "out" / "trials" / "runs" / f"tdnn-{trials}" / "fold2-seed0")
    shutil.rmtree(tmp_path / "out" / "trials" / "runs" / "tdnn-2" / "fold1-seed0")
    (tmp_path / "out" / "best.yaml").unlink()
    pretend.clear()
    again = search(tiny_corpus, recipe, tmp_path / "out", LOG, trials=trials)
    pd.testing.assert_frame_equal(again, whole)
    assert pretend == ["tdnn-2/1", f"tdnn-{trials}/2"]
    assert (tmp_path / "out" / "best.yaml").is_file()


def test_trials_that_were_planned_only_bind_nobody(pretend, tmp_path, tiny_corpus, recipe):
    out = tmp_path / "out"
    search(tiny_corpus, recipe, out, RATES)
    shutil.rmtree(out / "trials" / "runs")
    assert len(search(tiny_corpus, recipe, out, LOG, trials=2)) == 2


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"values": LOG}, "search"),
        ({"recipe": {"training.epochs": 3}}, "recipe"),
        ({"folds": [1]}, "choice of folds"),
        ({"protocol": "speaker-folds:3"}, "protocol"),
    ],
)
def test_a_folder_of_another_search_is_refused(change, what, pretend, tmp_path, tiny_corpus, recipe):
    out = tmp_path / "out"
    search(tiny_corpus, recipe, out, RATES)
    pretend.clear()
    changed = recipe.changed(change.pop("recipe", {}), "expected")
    values = change.pop("values", RATES)
    with pytest.raises(InputError, match=f"the search in this folder has another {what}; choose another --out"):
        search(tiny_corpus, changed, out, values, **change)
    assert pretend == []
    assert len(search(tiny_corpus, changed, out, values, **change, force=True, trials=4)) == 4


def test_a_fold_without_dev_speakers_is_refused(pretend, tmp_path, tiny_corpus, recipe):
    with pytest.raises(InputError, match="has no dev speakers in fold 1, so there is nothing to tune by"):
        search(tiny_corpus, recipe, tmp_path / "out", RATES, protocol="leave-one-speaker-out:none")
    assert pretend == []


def test_without_optuna_nothing_is_begun(pretend, tmp_path, tiny_corpus, recipe, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install 'unheard\[tune\]'"):
        search(tiny_corpus, recipe, tmp_path / "out", LOG)
    assert not (tmp_path / "out").exists()


def test_what_is_searched_is_no_part_of_the_recipe(tmp_path, recipe):
    file = tmp_path / "mine.yaml"
    file.write_text(recipe.to_yaml() + "search: {optimizer.learning_rate: [0.1, 0.01]}\n", encoding="utf-8")
    assert Recipe.load(file) == recipe
    assert search_of(file) == {"optimizer.learning_rate": [0.1, 0.01]}
    file.write_text(recipe.to_yaml() + "search: [0.1]\n", encoding="utf-8")
    with pytest.raises(InputError, match='"search" is a mapping of keys'):
        search_of(file)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny_corpus, small_overrides) -> Path:
    """A search of two trials that was really trained."""
    out = tmp_path_factory.mktemp("tuned") / "out"
    search(tiny_corpus, Recipe.load("tdnn", small_overrides), out, {"optimizer.momentum": [0.5, 0.9]}, folds=[1])
    return out


def test_the_test_part_stays_closed(finished):
    names = {file.name for file in finished.rglob("*")}
    assert "dev_predictions.csv" in names
    assert not names & {"predictions.csv", "recognizer", "checkpoint.pt", "report.html"}
    plan = Plan.read(finished / "trials")
    dev = set(plan.corpus.table["id"].iloc[plan.cut()[0].dev])
    for run in plan.runs():
        assert set(pd.read_csv(run.folder(finished / "trials") / "dev_predictions.csv")["id"]) == dev
        assert not read_result(run.folder(finished / "trials")).keys() & {"n", "wa", "ua", "leak"}
    for file in (finished / "trials.csv", finished / "trials" / "results.csv"):
        assert not set(pd.read_csv(file).columns) & {"n", "wa", "ua", "leak"}


def test_trials_are_no_study_to_report(finished, tiny_corpus):
    with pytest.raises(InputError, match="has no test scores to report"):
        write_report(finished / "trials")
    with pytest.raises(InputError, match="another use of the test speakers"):
        Plan.make(tiny_corpus, PROTOCOL, [Recipe.load("tdnn")]).continuing(finished / "trials")


def test_training_that_diverges_scores_nothing_and_stops_nobody(tmp_path, tiny_corpus, recipe, monkeypatch):
    from unheard.studies import trial

    def diverge(*arguments: Any) -> None:
        raise DivergedError("training diverged at once")

    monkeypatch.setattr(trial, "fit", diverge)
    plan = Plan.make(tiny_corpus, PROTOCOL, [recipe], folds=[1], test=False)
    result = trial.run_on_dev(plan, plan.runs()[0], tmp_path / "run", FeatureStore(tmp_path / "cache"))
    assert (result["dev_ua"], result["diverged"]) == (0.0, True)
    assert read_result(tmp_path / "run") == result


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_kill_nine_changes_no_trial(finished, tmp_path, tiny_corpus, small_overrides):
    """Killed within a trial, the search ends as the one that was left alone."""
    words = [
        "tune", "tdnn", *small_overrides, "--search", "optimizer.momentum=[0.5, 0.9]", "--protocol", PROTOCOL,
        "--folds", "1", "--workers", "1", "--corpus", tiny_corpus.folder, "--cache", finished.parent / "cache",
        "--out", tmp_path,
    ]  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "unheard", *words], stdout=subprocess.DEVNULL)
    while not list(tmp_path.glob("trials/runs/*/*/recipe.yaml")):
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.5)  # for its worker to see it
    assert len(list(tmp_path.glob("trials/runs/*/*/result.json"))) < 2
    done = run_command(*words)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "best: trial" in done.stdout
    tables = [pd.read_csv(folder / "trials.csv").drop(columns="seconds") for folder in (tmp_path, finished)]
    pd.testing.assert_frame_equal(*tables)
    assert (tmp_path / "best.yaml").read_bytes() == (finished / "best.yaml").read_bytes()
