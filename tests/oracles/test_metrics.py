"""Metrics against the values of scikit-learn, SpeechBrain and audmetric: every case that is there."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unheard.metrics import counts as of_counts
from unheard.metrics.classification import (
    averaged_confusion,
    confusion,
    fold_mean,
    normalised_confusion,
    pooled,
    recalls,
    spread,
    unweighted_accuracy,
    weighted_accuracy,
)
from unheard.metrics.curves import low_resource_curve
from unheard.metrics.predictions import scores, spread_over
from unheard.metrics.regression import concordance, pearson
from unheard.metrics.verification import equal_error_rate

TOLERANCE = 1e-9


def oracle(topic):
    """The cases of a topic, or one that is skipped and says why."""
    file = Path(os.environ.get("UNHEARD_ORACLES", "")) / "metrics" / "metrics.json"
    if not file.is_file():
        return [pytest.param(None, marks=pytest.mark.skip(reason="UNHEARD_ORACLES names no folder with metrics in it"))]
    cases = json.loads(file.read_text())[topic]
    if topic in ("low_resource_curve", "repeats"):
        return [pytest.param(cases, id=topic)]
    return [pytest.param(case, id=name) for name, case in cases.items()]


def close(value, expected, tolerance=TOLERANCE):
    assert value == pytest.approx(expected, abs=tolerance, rel=0)


def same_matrix(matrix, expected):
    """Rows that are null in the oracle are NaN as a whole."""
    size = len(matrix)
    rows = [[np.nan] * size if row is None else row for row in expected]
    np.testing.assert_allclose(matrix, np.array(rows, dtype=float), atol=TOLERANCE, rtol=0)


def folds_of(case):
    return [(fold["reference"], fold["prediction"]) for fold in case["folds"]]


def classes_of(case):
    return list(range(len(case["result"]["pooled"]["confusion_counts"])))


@pytest.mark.parametrize("case", oracle("classification"))
def test_each_fold(case):
    classes = classes_of(case)
    assert len(case["folds"]) == len(case["result"]["per_fold"])
    for (reference, predicted), expected in zip(folds_of(case), case["result"]["per_fold"], strict=True):
        close(weighted_accuracy(reference, predicted), expected["wa"])
        close(unweighted_accuracy(reference, predicted), expected["ua"])
        counts = confusion(reference, predicted, classes)
        assert counts.tolist() == expected["confusion_counts"]
        same_matrix(normalised_confusion(counts), expected["confusion_row_normalised"])
        found = recalls(reference, predicted, classes)
        assert [name for name in classes if not np.isnan(found[name])] == expected["classes_in_reference"]


@pytest.mark.parametrize("case", oracle("classification"))
def test_over_folds(case):
    folds, classes, result = folds_of(case), classes_of(case), case["result"]
    for name, score in (("wa", weighted_accuracy), ("ua", unweighted_accuracy)):
        close(pooled(score, folds), result["pooled"][name])
        mean, sd = fold_mean(score, folds)
        close(mean, result["fold_mean"][name])
        close(sd, result["fold_mean"][f"{name}_std_ddof0"])
    counts = [confusion(*fold, classes) for fold in folds]
    assert sum(counts).tolist() == result["pooled"]["confusion_counts"]
    averaged = averaged_confusion(counts)
    same_matrix(averaged, result["averaged_confusion"])
    diagonal = of_counts.present_mean(np.diagonal(averaged), axis=0)
    close(float(diagonal), result["mean_of_averaged_confusion_diagonal"])


@pytest.mark.parametrize("case", oracle("classification"))
def test_from_a_table_of_predictions(case):
    """The path a report takes gives the same numbers."""
    rows = [
        (number, emotion, predicted)
        for number, fold in enumerate(folds_of(case))
        for emotion, predicted in zip(*fold, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["fold", "emotion", "predicted"])
    together = scores(table).iloc[0]
    over_folds = spread_over(scores(table, "fold"), "fold").iloc[0]
    for name in ("wa", "ua"):
        close(together[name], case["result"]["pooled"][name])
        close(over_folds[name], case["result"]["fold_mean"][name])
        close(over_folds[f"{name}_sd"], case["result"]["fold_mean"][f"{name}_std_ddof0"])


@pytest.mark.parametrize("case", oracle("eer"))
def test_equal_error_rate(case):
    found = equal_error_rate(case["target_scores"], case["nontarget_scores"])
    for name in ("eer", "far", "frr"):
        close(getattr(found, name), case[name])
    close(found.threshold, case["threshold"], 1e-6)


@pytest.mark.parametrize("case", oracle("ccc"))
def test_concordance(case):
    close(concordance(case["reference"], case["prediction"]), case["ccc"])
    close(pearson(case["reference"], case["prediction"]), case["pearson"])


@pytest.mark.parametrize("case", oracle("low_resource_curve"))
def test_low_resource_curve(case):
    curve = low_resource_curve(case["samples_per_class"], case["accuracy_percent_per_draw"])
    close(curve.mean.tolist(), case["mean_curve"])
    close(curve.sd.tolist(), case["std_ddof0"])
    close(curve.area_linear, case["area_linear_x"])
    close(curve.area_log, case["area_log_x"])
    close(curve.plain_mean, case["plain_mean"])


@pytest.mark.parametrize("case", oracle("repeats"))
def test_repeats(case):
    mean, sd = spread(case["values"])
    close(mean, case["mean"])
    close(sd, case["std_ddof0"])
