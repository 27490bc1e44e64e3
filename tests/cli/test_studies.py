"""Studies over several corpora, and of mapped labels."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import soundfile

from trees.command import Run, refused
from unheard.studies.plan import Plan


@pytest.fixture
def two_corpora(tmp_path: Path, make_tiny_corpus) -> tuple[str, str]:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made = make_tiny_corpus(tmp_path / name, corpus=name)
    for row in range(len(made)):  # other recordings, so that training has not heard them
        sound, rate = soundfile.read(made.audio_path(row))
        soundfile.write(made.audio_path(row), 0.7 * sound, rate)
    return "one", "two"


def test_a_study_across_corpora(run: Run, tmp_path: Path, two_corpora, small_overrides):
    result = run(
        "study", "tdnn", *small_overrides, "--corpus", *two_corpora, "--protocol", "cross-corpus:two",
        "--labels", "four", "--out", "study", "--workers", 1,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "selection saw target speakers" in result.stdout
    (row,) = pd.read_csv(tmp_path / "study" / "results.csv").to_dict("records")
    plan = Plan.read(tmp_path / "study")
    assert row["n"] == plan.cut()[0].test.size
    assert plan.labels.name == "four"
    page = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert "--corpus one two --labels four --protocol cross-corpus:two" in page

    again = run(
        "study", "tdnn", *small_overrides, "--corpus", *two_corpora, "--protocol", "cross-corpus:two", "--out", "study"
    )
    assert "another" in refused(again)


def test_a_run_across_corpora(run: Run, two_corpora, small_overrides):
    result = run(
        "train", "tdnn", *small_overrides, "--corpus", two_corpora[0], "--corpus", two_corpora[1],
        "--protocol", "cross-corpus-disjoint:one", "--out", "run",
    )  # fmt: skip
    assert result.exit_code == 0, result.output


def test_recipes_may_stand_after_the_corpus(run: Run, tmp_path: Path, two_corpora, small_overrides):
    result = run(
        "study", "--corpus", two_corpora[0], "tdnn", *small_overrides, "--protocol", "speaker-folds:3", "--folds", "1",
        "--out", "study", "--workers", 1,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
