"""The deep feature in a report: distances between genders, and scatter against the baseline."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trees.reported import (
    Reader,
    add_to_results,
    cells,
    make_study,
    network,
    page,
)
from unheard.errors import InputError
from unheard.evaluation.projection import keep_arrays
from unheard.recipe import Recipe
from unheard.studies.inside import DEEP_FEATURES
from unheard.studies.report.write import write_report


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
