"""What reports are written with: sections, numbers as text, and tables as HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from unheard.metrics.classification import Spread
from unheard.metrics.intervals import Interval

#: What stands where there is no number.
NONE = "–"

#: Columns of a terminal.
WIDTH = 100


@dataclass(frozen=True)
class Section:
    """One part of a report: its name within the page, its heading, and what stands under it."""

    anchor: str
    title: str
    body: Markup


def percent(share: float | None) -> str:
    """A share in per cent with one decimal.

    >>> percent(0.61349), percent(None)
    ('61.3', '–')
    """
    return NONE if share is None or math.isnan(share) else f"{100 * share:.1f}"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign.

    >>> points(0.021), points(-0.021), points(-0.0001)
    ('+2.1', '−2.1', '0.0')
    """
    if math.isnan(difference):
        return NONE
    text = f"{100 * difference:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def spread(values: Spread) -> str:
    """Mean ± standard deviation in per cent, the mean alone where there is nothing to deviate.

    >>> spread(Spread(0.612, 0.034)), spread(Spread(0.612, float("nan")))
    ('61.2 ± 3.4', '61.2')
    """
    return percent(values.mean) + ("" if math.isnan(values.sd) else f" ± {percent(values.sd)}")


def probability(p: float) -> str:
    """A p-value.

    >>> probability(0.03), probability(0.0002)
    ('0.030', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def interval(values: Interval) -> Markup:
    """An estimate and, smaller, its interval, both in per cent."""
    if math.isnan(values.low):
        return Markup(escape(percent(values.estimate)))
    return Markup('{} <span class="interval">{}–{}</span>').format(
        percent(values.estimate), percent(values.low), percent(values.high)
    )


def many(count: int, what: str) -> str:
    """A number of things.

    >>> many(1, "fold"), many(1200, "run")
    ('1 fold', '1,200 runs')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def paragraph(text: str | Markup, style: str = "") -> Markup:
    """A paragraph."""
    return Markup('<p class="{}">{}</p>\n').format(style, text) if style else Markup("<p>{}</p>\n").format(text)


def table(head: Sequence[str | Markup], rows: Sequence[Sequence[str | Markup]], caption: str | Markup = "") -> Markup:
    """A table whose first column names the rows; on a narrow screen each row becomes a block of its own.

    Args:
        head: a heading per column.
        rows: a cell per column, escaped unless it is markup.
        caption: what it shows.
    """
    labels = [Markup(heading).striptags() for heading in map(escape, head)]
    body = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>\n').format(
            name,
            Markup("").join(
                Markup('<td data-label="{}">{}</td>').format(label, cell)
                for label, cell in zip(labels[1:], cells, strict=True)
            ),
        )
        for name, *cells in rows
    )
    headings = Markup("").join(Markup('<th scope="col">{}</th>').format(heading) for heading in head)
    return Markup('<table class="cards">{}\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n').format(
        Markup("<caption>{}</caption>").format(caption) if caption else "", headings, body
    )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table, the first column to the left and as narrow as the others need it."""
    names, *columns = zip(*rows, strict=True)
    widths = [max(map(len, column)) + 2 for column in columns]
    first = min(max(map(len, names)), WIDTH - sum(widths))
    return [
        (
            (name if len(name) <= first else name[: first - 1] + "…").ljust(first)
            + "".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        ).rstrip()
        for name, *cells in rows
    ]


def facts(rows: Mapping[str, str | Markup]) -> Markup:
    """Names and what they stand for."""
    return Markup("<dl>\n{}</dl>\n").format(
        Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>\n").format(name, value) for name, value in rows.items())
    )


def grid(items: Sequence[Markup]) -> Markup:
    """Blocks beside each other as far as the page is wide."""
    return Markup('<div class="grid">\n{}</div>\n').format(Markup("").join(items))


def heat_map(title: str | Markup, classes: Sequence[str], shares: NDArray[np.float64], counts: Sequence[int]) -> Markup:
    """A confusion matrix as a table of coloured cells.

    Args:
        title: its caption.
        classes: names of rows (reference) and columns (predicted).
        shares: rows that sum to one, or NaN, [classes, classes].
        counts: utterances of each class, [classes].
    """
    head = Markup("").join(Markup('<th scope="col"><span>{}</span></th>').format(name) for name in classes)
    body = Markup("").join(
        Markup('<tr><th scope="row">{} <small>{}</small></th>{}</tr>\n').format(
            name, f"{count:,}", Markup("").join(_cell(share, row == column) for column, share in enumerate(values))
        )
        for row, (name, values, count) in enumerate(zip(classes, shares, counts, strict=True))
    )
    return Markup(
        '<figure class="matrix"><table class="heat"><caption>{}</caption>\n<thead><tr><td></td>{}</tr></thead>\n'
        "<tbody>\n{}</tbody></table></figure>\n"
    ).format(title, head, body)


def _cell(share: float, right: bool) -> Markup:
    if math.isnan(share):
        return Markup("<td>{}</td>").format(NONE)
    style = " ".join(name for name, holds in (("deep", share > 0.58), ("right", right)) if holds)
    return Markup('<td style="--share:{:.0f}%" class="{}">{:.0f}</td>').format(100 * share**0.8, style, 100 * share)
