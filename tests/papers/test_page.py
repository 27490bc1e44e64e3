"""The pages about papers say what the papers' files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from unheard.papers.paper import Choice, Paper, paper_names

PAGES = Path(__file__).resolve().parents[2] / "docs" / "papers"


def settings(paper: Paper, choice: Choice) -> str:
    """The keys of a choice with their values in the built-in recipes, or its option."""
    recipes = [recipe for study in paper.studies.values() for recipe in study.recipes()]
    words = []
    for key in choice.keys:
        values = [recipe.value(key) for recipe in recipes]
        known = dict.fromkeys(str(value).lower() for value in values if value is not None)
        words.append(f"`{key}={' or '.join(known)}`")
    words += [f"`{choice.option}`"] if choice.option else []
    return ", ".join(words) or "–"


@pytest.mark.parametrize("name", paper_names())
def test_the_page_lists_what_the_paper_leaves_open(name: str) -> None:
    paper = Paper.load(name)
    lines = ["| the paper leaves open | taken here | setting |", "|---|---|---|"]
    lines += [f"| {one.open} | {one.taken} | {settings(paper, one)} |" for one in paper.choices]
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    found = page.partition("<!-- choices:start -->\n")[2].partition("<!-- choices:end -->")[0]
    assert found == "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("name", paper_names())
def test_the_page_names_the_recipes_and_the_command(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert f"unheard reproduce {name} --corpus" in page
    for study in Paper.load(name).studies.values():
        for recipe in study.rows.values():
            assert f"`{study.variants.get(recipe, [recipe])[0]}`" in page
