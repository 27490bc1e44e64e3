"""Scores and comparisons in a report: those of the predictions, and no more than they can bear."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from trees.reported import (
    Reader,
    make_study,
    network,
    page,
)
from unheard.studies.report.write import write_report


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


def test_runs_without_a_common_one_are_not_compared(study):
    plan, _ = make_study(study, [network("one"), network("two-b")])
    for run in plan.runs():
        if (run.recipe.name == "one") == (run.fold > 2):
            (run.folder(study) / "result.json").unlink()
    text = write_report(study)
    assert "NOT COMPARABLE" in text
    assert "against" not in text
    assert "Nothing can be compared yet" in page(study)


def test_one_run_of_one_fold_has_no_spread(study):
    make_study(study, [network("one")], protocol="speaker-holdout")
    write_report(study)
    assert "±" not in Reader(page(study)).row("one 1/1 runs")[3]
