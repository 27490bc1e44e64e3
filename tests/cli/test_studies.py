"""Studies over several corpora, of mapped labels, and with further speakers for the leak."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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


def write_strangers(folder: Path, speakers: str, corpus: str) -> None:
    """Five utterances of each speaker, without emotions."""
    folder.mkdir()
    random = np.random.default_rng(len(speakers))
    rows = []
    for number, speaker in enumerate(speakers):
        for take in range(5):
            tone = np.sin(2 * np.pi * (150 + 130 * number) * np.arange(8000) / 16000)
            soundfile.write(folder / f"{speaker}{take}.wav", 0.3 * tone + 0.03 * random.standard_normal(8000), 16000)
            rows.append({"audio": f"{speaker}{take}.wav", "speaker": speaker, "corpus": corpus})
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)


def test_the_leak_on_further_speakers(run: Run, tmp_path: Path, two_corpora, small_overrides):
    write_strangers(tmp_path / "here", "vw", "here")
    write_strangers(tmp_path / "there", "xyz", "there")
    words = (
        "study", "tdnn", *small_overrides, "--corpus", two_corpora[0], "--protocol", "speaker-folds:3", "--workers", 1,
        "--out", "study",
    )  # fmt: skip
    result = run(*words, "--folds", "1", "--leak-corpus", "here", "there")
    assert result.exit_code == 0, result.output
    (row,) = pd.read_csv(tmp_path / "study" / "results.csv").to_dict("records")
    assert (row["leak_fixed_speakers"], row["leak_fixed_utterances"], row["leak_fixed_chance"]) == (5, 25, 0.2)
    assert "--corpus one --leak-corpus here there" in (tmp_path / "study" / "report.html").read_text(encoding="utf-8")

    assert "another leak corpus" in refused(run(*words, "--folds", "2", "--leak-corpus", "here"))
    known = refused(run(*words[:-1], "other", "--leak-corpus", two_corpora[0]))
    assert "the leak is measured on speakers that no run has heard" in known
