"""Scores over a setting by which recipes of a study differ."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from unheard.cli import main
from unheard.errors import InputError
from unheard.recipe import Recipe
from unheard.studies.report.data import StudyData, read_study
from unheard.studies.report.sweep import sweep_part, sweep_text, sweeps


def swept(study: Path, *over: str) -> StudyData:
    return read_study(study, over=over)


def test_recipes_that_differ_in_the_key_alone_are_one_sweep(autoencoders: Path) -> None:
    (found,) = sweeps(swept(autoencoders, "auxiliary.speakers"))  # ae has other terms
    assert (found.values, found.recipes) == ((2, 3), ("aae-2", "aae-3"))


def test_the_four_curves(autoencoders: Path) -> None:
    data = swept(autoencoders, "auxiliary.speakers")
    section = sweep_part(data)
    assert section is not None
    for title in ("UA", "gender WA", "stage pretraining WA", "EER", "leak"):
        assert f"{title} over auxiliary.speakers, in per cent" in section.body
    space, title, head, *lines = sweep_text(data)
    assert (space, title, head.split()) == ("", "aae-2 over auxiliary.speakers", ["2", "3"])
    shown = {name: cells for name, *cells in (re.split(r"\s{2,}", line) for line in lines)}
    results = pd.read_csv(autoencoders / "results.csv").set_index("recipe")
    for place, recipe in enumerate(("aae-2", "aae-3")):
        stage = 100 * results.loc[recipe, "stage_pretraining_wa"].mean()
        assert shown["stage pretraining WA, %"][place].startswith(f"{stage:.1f}")
        assert shown["EER, %"][place].startswith(f"{100 * results.loc[recipe, 'eer'].mean():.1f} [")
    assert shown["leak, %"] == ["50.0 [50.0, 50.0]"] * 2


def test_keys_that_go_along(autoencoders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = swept(autoencoders, "terms.emotion.weight", "terms.speaker.weight")
    recipes = [
        Recipe.load("cnn-multi", [f"name=b{beta}", f"terms.emotion.weight={beta}", f"terms.speaker.weight={1 - beta}"])
        for beta in (0.75, 0.25, 0.5)
    ]
    object.__setattr__(data.plan, "recipes", tuple(recipes))
    monkeypatch.setattr(StudyData, "names", [recipe.name for recipe in recipes])
    (found,) = sweeps(data)
    assert (found.values, found.name) == ((0.25, 0.5, 0.75), "b0.25")
    object.__setattr__(data, "over", ("terms.emotion.weight",))
    with pytest.raises(InputError, match=r"no two recipes of this study differ in terms\.emotion\.weight and"):
        sweeps(data)


def test_values_that_are_no_numbers(autoencoders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = swept(autoencoders, "front_end.silence")
    recipes = [Recipe.load("cnn", [f"name={each}", f"front_end.silence={each}"]) for each in ("remove", "keep")]
    object.__setattr__(data.plan, "recipes", tuple(recipes))
    monkeypatch.setattr(StudyData, "names", [recipe.name for recipe in recipes])
    (found,) = sweeps(data)
    assert found.values == ("keep", "remove")


def test_nothing_is_asked_for(autoencoders: Path) -> None:
    assert sweep_part(read_study(autoencoders)) is None
    assert sweep_text(read_study(autoencoders)) == []


def test_the_command(autoencoders: Path) -> None:
    done = CliRunner().invoke(main, ["report", str(autoencoders), "--over", "auxiliary.speakers"])
    assert done.exit_code == 0, done.output
    assert "auxiliary.speakers" in done.stdout
    page = (autoencoders / "report.html").read_text(encoding="utf-8")
    for anchor in ("sweep", "verification", "autoencoder", "terms"):
        assert f'<section id="{anchor}">' in page
    assert "aae-2: pretraining" in page
    assert json.loads((autoencoders / "study.json").read_text())["enrol"] is None
