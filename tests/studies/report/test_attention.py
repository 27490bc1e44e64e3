"""The attention of each gender in a report."""

from __future__ import annotations

import pandas as pd

from trees.reported import (
    Reader,
    make_study,
    network,
    page,
)
from unheard.recipe import Recipe
from unheard.studies.inside import ATTENTION
from unheard.studies.report.write import write_report


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
