"""The papers' tables as they were published, for a terminal."""

from __future__ import annotations

import textwrap

import pandas as pd

from unheard.errors import InputError
from unheard.papers.paper import Paper, paper_names, published_results
from unheard.studies.report.tables import NONE, WIDTH, aligned, many

#: More metrics than this stand below each other.
MOST_COLUMNS = 5

_SHORT = {
    "wa": "WA, %", "ua": "UA, %", "dev_wa": "dev WA, %", "auc": "AUC, %", "error_reduction": "errors gone, %",
    "speaker_accuracy": "speaker accuracy, %", "gender_accuracy": "gender accuracy, %", "unstated": "WA or UA, %",
    "context_span_ms": "context, ms",
}  # fmt: skip


def papers_text() -> str:
    """Every paper whose tables are there, and which of its studies can be run."""
    lines = []
    for name in published_results()["paper"].unique():
        rows = many(len(published_results(name)), "published value")
        if name not in paper_names():
            lines += [f"{name}: {rows}; its studies cannot be run yet"]
            continue
        paper = Paper.load(name)
        lines += textwrap.wrap(f"{name}: {rows}; {paper.title} <{paper.link}>", WIDTH, subsequent_indent="  ")
        for study, values in paper.studies.items():
            lines += textwrap.wrap(
                f"--study {study}: {values.table}, {values.about}; {', '.join(values.rows.values())}",
                WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False,
            )  # fmt: skip
    return "\n".join(lines) + "\n"


def published_text(paper: str, study: str | None = None) -> str:
    """The published tables of a paper, or the one of a study, in per cent.

    Raises:
        InputError: there is no such paper or study.
    """
    if study is None:
        found = published_results(paper)
        if found.empty:
            Paper.load(paper)
    else:
        chosen = Paper.load(paper).study(study)[1]
        found = published_results(paper, chosen.table, **chosen.where)
    if found.empty:
        raise InputError(f"{paper}: of the study {study} no scores were published in numbers")
    parts = []
    for (table, corpus, protocol), values in found.groupby(["table", "corpus", "protocol"], sort=False):
        title = f"{paper}, {table}: {corpus}; {protocol} ({values['source'].iloc[0]})"
        parts += [*textwrap.wrap(title, WIDTH), *aligned(_pivoted(values)), ""]
    return "\n".join(parts[:-1]) + "\n"


def _pivoted(values: pd.DataFrame) -> list[list[str]]:
    """A line per row and a column per metric; the other way round where there are many metrics."""
    rows, metrics = (list(dict.fromkeys(values[column])) for column in ("row", "metric"))
    cells = {
        (row, metric): f"{value} ± {std}" if std else value
        for row, metric, value, std in values[["row", "metric", "value", "std"]].itertuples(index=False)
    }
    if len(metrics) > MOST_COLUMNS:
        head = ["metric", *rows]
        return [head, *([_words(metric), *(cells.get((row, metric), NONE) for row in rows)] for metric in metrics)]
    head = ["row", *map(_words, metrics)]
    return [head, *([row, *(cells.get((row, metric), NONE) for metric in metrics)] for row in rows)]


def _words(metric: str) -> str:
    if (pair := metric.removeprefix("confusion_")) != metric:
        return f"{pair.replace('_', ' taken for ')}, %"
    return _SHORT.get(metric, metric.replace("_", " "))
