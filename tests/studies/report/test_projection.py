"""The embeddings in a report, by emotion and by speaker."""

from __future__ import annotations

import re

import numpy as np
import pytest

from trees.reported import (
    Reader,
    keep_some_embeddings,
    make_study,
    network,
    page,
)
from unheard.errors import InputError
from unheard.evaluation.projection import keep_embeddings
from unheard.studies.report.data import read_study
from unheard.studies.report.write import write_report


def test_embeddings_are_drawn_and_measured(study):
    plan, _ = make_study(study, [network("one"), network("two-b"), network("old")], tuple("abcdefghijklmnopqrstuvwx"))
    keep_some_embeddings(plan, study, "emotion", [run for run in plan.runs() if run.recipe.name == "one"])
    keep_some_embeddings(plan, study, "speaker", [run for run in plan.runs() if run.recipe.name == "two-b"])
    write_report(study)
    text, reader = page(study), Reader(page(study))
    assert "dev utterances of fold 1, seed 0" in text
    for name in ("one", "two-b"):
        for by in ("emotion", "speaker"):
            assert f'aria-label="{name}, by {by}: ' in text
    assert "old, by emotion" not in text
    numbers = {row[0]: [float(cell.replace("−", "-")) for cell in row[2:]] for row in reader.rows if len(row) == 4
               and row[0] in ("one", "two-b") and row[1].startswith("dev: ")}  # fmt: skip
    assert numbers["one"][0] > 0.2 > 0.1 > numbers["one"][1]
    assert numbers["two-b"][1] > 0.2 > 0.1 > numbers["two-b"][0]
    dev = plan.corpus.table.iloc[plan.cut()[0].dev]
    shown = re.search(r'aria-label="one, by speaker: ([^"]*)"', text)[1].split(", ")
    assert len(shown) == 4 < dev["speaker"].nunique()
    assert set(shown) <= set(dev["speaker"])
    assert "4 speakers, drawn by the seed" in text
    assert f"{len(dev)} utterances of {dev['speaker'].nunique()} speakers" in text
    assert "shows the test part instead" not in text


def test_embeddings_of_one_part_are_not_given_the_labels_of_another(study):
    plan, _ = make_study(study, [network("one"), network("two-b")], tuple("abcdefghijklmnopqrstuvwx"))
    for name, part in (("one", "dev"), ("two-b", "test")):
        keep_some_embeddings(plan, study, "emotion", [run for run in plan.runs() if run.recipe.name == name], part)
    write_report(study)
    text, reader = page(study), Reader(page(study))
    found = {row[0]: row[1:] for row in reader.rows if len(row) == 4 and row[1].startswith(("dev: ", "test: "))}
    assert found["one"][0].startswith("dev: ")
    assert found["two-b"][0].startswith("test: ")
    assert all(float(row[1].replace("−", "-")) > 0.2 for row in found.values())
    assert "dev or test utterances of fold 1" in text
    assert "shows the test part instead" in text


def test_the_fold_and_seed_whose_embeddings_are_drawn_can_be_chosen(study):
    plan, _ = make_study(study, [network("one")], seeds=(0, 1))
    keep_some_embeddings(plan, study)
    assert read_study(study).projected == (1, 0)
    write_report(study, (3, 1))
    assert "dev utterances of fold 3, seed 1" in page(study)
    assert "2 speakers" in page(study)  # fewer than four: those there are
    with pytest.raises(InputError, match=r"nothing is shown of fold 3 with seed 2.*folds 1–4 with seeds 0, 1"):
        write_report(study, (3, 2))


def test_embeddings_of_other_utterances_are_refused(study):
    plan, _ = make_study(study, [network("one")])
    keep_embeddings(plan.runs()[0].folder(study), "dev", np.eye(5, dtype=np.float32))
    with pytest.raises(InputError, match="it holds 5 embeddings, and the dev part of fold 1 has 12 utterances"):
        write_report(study)


def test_embeddings_that_are_all_the_same_have_no_picture(study):
    plan, _ = make_study(study, [network("one")])
    run = plan.runs()[0]
    keep_embeddings(run.folder(study), "dev", np.ones((12, 8), np.float32))
    write_report(study)
    assert "What lies together" in page(study)
    assert "one, by emotion" not in page(study)
