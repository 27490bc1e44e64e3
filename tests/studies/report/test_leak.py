"""The leak, of the speaker and of the gender, as a report shows it."""

from __future__ import annotations

import pytest

from trees.reported import (
    Reader,
    add_to_results,
    make_study,
    network,
    page,
)
from unheard.studies.report.leak import MeanLeak
from unheard.studies.report.write import write_report


def test_the_leak_is_shown_beside_what_it_is_measured_against(study):
    make_study(study, [network("one")])
    write_report(study)
    row = Reader(page(study)).row("one training speakers")
    assert row[1:] == ["50.0", "60.0", "90.0", "95.0", "30.0", "25.0", "4", "less than raw"]
    assert "On unheard speakers it was not measured" in page(study)
    assert "How often the gender is told" not in page(study)


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
