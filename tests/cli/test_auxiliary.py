"""Auxiliary data and stages from the command line to the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from trees.command import Run, refused
from unheard.corpora import Corpus

RECIPE = """
name: both
about: Learns voices first, then emotions and voices.
front_end: {name: mfcc}
network: {name: tdnn_lstm, channels: [8, 8], lstm: 8, width: 16}
terms:
  emotion: {column: emotion, hidden: [8]}
  speaker: {column: speaker, hidden: [8]}
  language: {column: language, hidden: [8], optional: true}
training: {epochs: 2, batch_size: 4}
auxiliary: {use: alternate}
stages:
  - {name: voices, data: auxiliary, terms: {speaker: {column: speaker, hidden: [8]}}}
"""


@pytest.fixture
def corpora(tmp_path: Path, make_tiny_corpus) -> tuple[str, str]:
    """A corpus of emotions, and one of voices, of whom one is in it too."""
    for name in ("acted", "read"):
        (tmp_path / name).mkdir()
    make_tiny_corpus(tmp_path / "acted", corpus="acted")
    read = make_tiny_corpus(tmp_path / "read", speakers=6, each=1, corpus="read")
    for row in range(len(read)):
        sound, rate = soundfile.read(read.audio_path(row))
        soundfile.write(read.audio_path(row), 0.7 * sound, rate)
    speakers = [name if name == "001" else f"r{name}" for name in read.table["speaker"]]
    Corpus.from_table(read.table.assign(speaker=speakers), tmp_path / "read").write(tmp_path / "read" / "manifest.csv")
    (tmp_path / "both.yaml").write_text(RECIPE, encoding="utf-8")
    return "acted", "read"


def test_a_study_with_auxiliary_data_and_a_stage(run: Run, tmp_path: Path, corpora):
    done = run(
        "study", "both.yaml", "--corpus", corpora[0], "--auxiliary", corpora[1], "--protocol", "leave-one-speaker-out",
        "--folds", "2,3", "--out", "study", "--workers", 1,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    results = pd.read_csv(tmp_path / "study" / "results.csv")
    assert results["auxiliary_left_out"].tolist() == [2, 0]  # fold 2 tests 001
    assert results["auxiliary_speakers"].tolist() == [5, 6]
    assert results["auxiliary_utterances"].tolist() == [10, 12]
    assert results["dropped"].tolist() == ["language"] * 2
    assert len(list((tmp_path / "study" / "stages").glob("*/weights.safetensors"))) == 2
    said = " ".join(done.stdout.split())
    assert "DROPPED: both has no labels for language in 2 runs" in said
    assert "LEFT OUT: of the auxiliary data up to 2 utterances in a run of both" in said
    assert "--auxiliary read" in (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    folder = tmp_path / "study" / "runs" / "both" / "fold2-seed0"
    card = (folder / "recognizer" / "README.md").read_text(encoding="utf-8")
    assert "with speech of read that has no emotion labels" in card
    config = json.loads((folder / "recognizer" / "config.json").read_text(encoding="utf-8"))
    assert list(config["recipe"]["terms"]) == ["emotion", "speaker"]
    assert run("predict", "acted/s0-sad-0.wav", "--model", folder).exit_code == 0


def test_the_emotions_of_auxiliary_data_change_nothing(run: Run, tmp_path: Path, corpora):
    manifest = tmp_path / corpora[1] / "manifest.csv"
    predictions = []
    for number in range(2):
        given = ("--corpus", corpora[0], "--auxiliary", corpora[1])
        done = run("train", "both.yaml", *given, "--out", f"run{number}")
        assert done.exit_code == 0, done.output
        predictions.append((tmp_path / f"run{number}" / "predictions.csv").read_bytes())
        table = pd.read_csv(manifest, dtype="str")
        table["emotion"] = np.random.default_rng(0).permutation(table["emotion"])
        table.to_csv(manifest, index=False)
    assert predictions[0] == predictions[1]
    assert list((tmp_path / "run0" / "stages").glob("*/weights.safetensors"))


def test_auxiliary_data_that_nobody_takes(run: Run, corpora, small_overrides):
    for verb, *more in (["train"], ["study"], ["tune", "--search", "network.lstm=[4, 8]"]):
        given = ("--corpus", corpora[0], "--auxiliary", corpora[1], "--protocol", "speaker-holdout", "--out", "out")
        said = refused(run(verb, "tdnn", *small_overrides, *given, *more))
        assert "auxiliary data is given, and none of the recipes takes it (tdnn)" in said
