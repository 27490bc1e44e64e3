"""The verb ``tune``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from trees.command import Run, refused
from unheard.corpora import Corpus
from unheard.recipe import Recipe


@pytest.fixture
def recipe_file(tmp_path: Path, small_overrides: tuple[str, ...]) -> str:
    """A small recipe whose file says what to search."""
    recipe = Recipe.load("tdnn", [*small_overrides, "name=mine"])
    text = recipe.to_yaml() + yaml.safe_dump({"search": {"optimizer.momentum": [0.1, 0.9], "network.lstm": [4, 8]}})
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    return "mine.yaml"


def test_a_recipe_is_tuned_by_what_its_file_and_the_command_say(
    run: Run, tmp_path: Path, tiny_corpus: Corpus, recipe_file: str
):
    result = run(
        "tune", recipe_file, "training.epochs=1", "--corpus", tiny_corpus.folder, "--search", "network.lstm=[4]",
        "--search", "network.width={low: 8, high: 9}", "--trials", 3, "--protocol", "speaker-folds:4", "--folds", 1,
        "--workers", 1, "--out", "tuned",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "best: trial" in result.stdout
    assert "use it: unheard study " in result.stdout
    table = pd.read_csv(tmp_path / "tuned" / "trials.csv")
    assert len(table) == 3
    assert set(table["network.lstm"]) == {4}
    assert set(table["optimizer.momentum"]) <= {0.1, 0.9}
    assert set(table["network.width"]) <= {8, 9}
    best = Recipe.load(tmp_path / "tuned" / "best.yaml")
    assert (best.name, best.training.epochs) == ("mine-tuned", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tdnn"], "recipe tdnn, search: nothing is to be searched"),
        (["tdnn", "--search", "optimizer.momentum"], "is not a search; write for example --search"),
        (["tdnn", "--search", "optimizer.momentum=[0"], "this is not YAML"),
        (
            ["tdnn", "--search", "optimizer.momentun=[0]"],
            'there is no key "optimizer.momentun"; did you mean "momentum"',
        ),
        (["tdnn", "--search", "optimizer.momentum=[0.5, 2]"], '"optimizer.momentum" is 2; it should be less than 1'),
        (["egemaps-svm", "--search", "classifier.costs=[[1]]"], "a classical model learns from the dev speakers too"),
        (["tdn"], 'there is no recipe "tdn"; did you mean "tdnn"?'),
    ],
)
def test_a_wrong_search_gets_one_sentence(
    run: Run, tmp_path: Path, tiny_corpus: Corpus, arguments: list[str], said: str
):
    assert said in refused(run("tune", *arguments, "--corpus", tiny_corpus.folder, "--out", "tuned"))
    assert not (tmp_path / "tuned").exists()


def test_what_is_searched_is_shown_with_the_recipe(run: Run, recipe_file: str):
    assert yaml.safe_load(run("recipes", recipe_file).stdout)["search"]["network.lstm"] == [4, 8]
