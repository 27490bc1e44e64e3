"""The table of readers in docs/corpora.md says what the registry says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unheard.corpora import CORPORA, EMOTIONS
from unheard.corpora.editions import TOTAL
from unheard.corpora.published import Published

PAGE = Path(__file__).resolve().parents[2] / "docs" / "corpora.md"


def rows() -> dict[str, dict[str, str]]:
    """The cells of each row by the header, by the name of the reader."""
    table = (
        PAGE.read_text(encoding="utf-8").partition("<!-- readers:start -->\n")[2].partition("<!-- readers:end -->")[0]
    )
    lines = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.strip().splitlines()]
    return {line[0].strip("`"): dict(zip(lines[0], line, strict=True)) for line in lines[2:]}


def test_every_reader_has_its_row_in_the_order_of_the_names() -> None:
    assert list(rows()) == sorted(CORPORA)


@pytest.mark.parametrize("name", sorted(CORPORA))
def test_a_row_says_what_the_reader_says(name: str) -> None:
    row, published = rows()[name], CORPORA[name]
    assert isinstance(published, Published)
    assert (row["corpus"], row["licence"]) == (published.title, published.licence)
    assert f"({published.language})" in row["language"]
    first = next(iter(published.editions.values()), {})
    total = first.get(TOTAL, sum(first.values()))
    assert row["utterances"] == (f"{total:,}" if first else "by release")
    counted = [emotion for emotion in EMOTIONS if emotion in first and emotion != "other"]
    if published.counted == "emotion" and counted:
        assert row["emotions"] == str(len(counted))
    assert re.search(r"https?://\S+", row["where"])
