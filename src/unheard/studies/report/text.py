"""The report as a terminal shows it: the verdict, a table of at most 100 columns, the comparisons."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from unheard.metrics.intervals import Interval
from unheard.studies.compared import Compared
from unheard.studies.report.attention import attention_sentences
from unheard.studies.report.data import StudyData
from unheard.studies.report.deep import change_words, scatter_changes
from unheard.studies.report.leak import MeanLeak, mean_leak
from unheard.studies.report.scores import chance, compared, recipe_scores
from unheard.studies.report.sweep import sweep_text
from unheard.studies.report.tables import NONE, WIDTH, aligned, percent, points, probability, spread

_LEAK = "leak: the training speaker told by a linear probe / a non-linear one / chance, in per cent"
_HEAD = ("recipe", "runs", "UA [95 %]", "UA over folds", "WA", "leak", "dev−test")


def report_text(data: StudyData, notes: Sequence[str]) -> str:
    """The verdict of the audit in the first line, then ``notes``, the scores in per cent and the comparisons."""
    rows: list[Sequence[str]] = [_HEAD]
    scores = {row.name: row for row in recipe_scores(data)}
    for name, pairs in data.done.items():
        runs = f"{len(pairs)}/{data.planned}" + ("" if len(pairs) == data.planned else " incomplete")
        if name not in scores:
            rows.append((name, runs, *[NONE] * 5))
            continue
        row, leak = scores[name], mean_leak(data, name)
        rows.append(
            (
                name, runs, _interval(row.ua), spread(row.ua_folds), percent(row.wa.estimate),
                _leak(leak), points(row.gap),
            )
        )  # fmt: skip
    always = chance(data)
    rows.append(("(one class always)", "", percent(always.ua), "", percent(always.wa), "", ""))
    lines = [data.audit.verdict, *(line for note in notes for line in textwrap.wrap(note, WIDTH)), ""]
    lines += aligned(rows)
    lines += ["", _LEAK] * any("/" in cells[5] for cells in rows)
    sentences = [_sentence(one) for one in compared(data)] + _tighter(data) + attention_sentences(data)
    lines += [""] * bool(sentences)
    lines += [line for sentence in sentences for line in textwrap.wrap(sentence, WIDTH, subsequent_indent="  ")]
    return "\n".join(lines + sweep_text(data)) + "\n"


def _tighter(data: StudyData) -> list[str]:
    """The scatter of the classes against the baseline's, where a recipe has a center loss to lower it."""
    if not any(term.kind == "center" for recipe in data.plan.recipes for term in recipe.terms.values()):
        return []
    return [
        f"{name} against {data.baseline}: test scatter of the emotions in the deep feature {change_words(change)} "
        "(less is tighter)"
        for name, change in scatter_changes(data).items()
    ]


def _leak(leak: MeanLeak) -> str:
    return NONE if math.isnan(leak.probe) else "/".join(map(percent, (leak.probe, leak.nonlinear, leak.chance)))


def _interval(values: Interval) -> str:
    if math.isnan(values.low):
        return percent(values.estimate)
    return f"{percent(values.estimate)} [{percent(values.low)}, {percent(values.high)}]"


def _sentence(one: Compared) -> str:
    result = one.result
    interval = "" if math.isnan(result.low) else f" [{points(result.low)}, {points(result.high)}]"
    corrected = f", corrected for {one.comparisons} comparisons" if one.comparisons > 1 else ""
    sign = "" if one.p < 0.001 else "= "
    return (
        f"{one.system} against {one.baseline}: UA {points(result.difference)} points{interval}, "
        f"p {sign}{probability(one.p)}{corrected}: {one.verdict}"
    )
