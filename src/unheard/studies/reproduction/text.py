"""A reproduction for people: the same blocks on a terminal, in Markdown and on a page; and as a table of numbers."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from unheard.metrics.classification import Spread
from unheard.papers.paper import Claim
from unheard.studies.compared import SIGNIFICANT
from unheard.studies.report.data import StudyData
from unheard.studies.report.deep import distance_words
from unheard.studies.report.tables import (
    NONE,
    WIDTH,
    Section,
    aligned,
    many,
    paragraph,
    percent,
    points,
    probability,
    spread,
    table,
)
from unheard.studies.reproduction.analyses import CONFUSION, DISTANCE, TOLD, Analysis
from unheard.studies.reproduction.reproduction import ReproducedRow, Reproduction, Scores

#: What is said of the score ``auc``.
AREA = ", the area under WA over the number of utterances of each emotion, divided by its range,"

#: A sentence, and what is written in code behind it.
Item = tuple[str, Sequence[str]]


@dataclass(frozen=True)
class Block:
    """A heading, and under it a table, a remark and a list, as far as there are any."""

    title: str
    rows: Sequence[Sequence[str]] = ()
    note: str = ""
    items: Sequence[Item] = ()


def blocks(found: Reproduction) -> Iterator[Block]:
    """What there is to say."""
    for metric in found.study.metrics:
        rows = [row for row in found.rows if row.metric == metric]
        yield _scores(found, metric, rows)
        yield _gains(found, metric, rows)
        if not all(math.isnan(gap) for row in rows for gap in _gap(row)):
            yield _gaps(found, rows)
    for place in found.study.analyses:
        yield from _analysis([one for one in found.analyses if one.table == place])
    if found.study.claims:
        items = [(f"{_claimed(found, claim)}: {found.verdict(claim)}", ()) for claim in found.study.claims]
        yield Block("What the paper says of it", items=items)
    choices: list[Item] = [
        (f"{one.open}: {one.taken}", [*found.settings(one), *([one.option] if one.option else [])])
        for one in found.choices
    ]
    yield Block(
        "What the paper leaves open, and what is taken here",
        items=choices,
        note="A setting behind a sentence is one of the recipes; KEY=VALUE in the command changes it.",
    )
    yield _likeness(found)


def _scores(found: Reproduction, metric: str, rows: Sequence[ReproducedRow]) -> Block:
    name = metric.upper()
    head = ["row", "recipe", "runs", "paper dev", "paper test", "dev", "test", "test, 95 %"]
    lines = [
        [
            row.row,
            row.recipe or NONE,
            f"{row.done}/{found.data.planned}" if row.recipe else NONE,
            spread(row.published.dev),
            spread(row.published.test),
            spread(row.ours.dev) if row.ours else NONE,
            spread(row.ours.test) if row.ours else NONE,
            _ends(row.interval.low, row.interval.high) if row.interval else NONE,
        ]
        for row in rows
    ]
    how = "over all folds together" if found.study.aggregation == "pooled" else "as the mean over folds"
    speakers = found.data.predictions["speaker"].nunique()
    note = (
        f"{name}{AREA if metric == 'auc' else ''} {how}, mean ± standard deviation over runs of everything "
        f"(paper {found.study.seeds}, here {len(found.data.plan.seeds)}). 95 %: interval of our test score, all folds "
        f"together, by bootstrap over {many(speakers, 'speaker')}."
    )
    return Block(f"{found.paper.name}, {found.study.table}, beside ours: {name}, %", [head, *lines], note)


def _gains(found: Reproduction, metric: str, rows: Sequence[ReproducedRow]) -> Block:
    head = ["row", "paper gain", "gain", "95 %", "p", "paper errors gone", "errors gone", "95 %"]
    lines = []
    for row in rows:
        if row.row == found.study.first:
            continue
        one = row.compared
        ours = [NONE] * 5
        if one is not None:
            result = one.result
            ours = [
                points(result.difference),
                _ends(result.low, result.high, signed=True),
                probability(one.p),
                _signed(percent(result.relative_error_reduction)),
                _ends(result.error_reduction_low, result.error_reduction_high),
            ]
        gone = _signed(percent(row.published_reduction))
        lines.append([row.row, points(row.published_gain), *ours[:3], gone, *ours[3:]])
    tested = [row.compared for row in rows if row.compared is not None]
    note = "Gain: test points above that row; errors gone: the share of its errors (100 − score) that are gone, in %. "
    if tested:
        note += (
            "p: the larger of two paired permutation tests, over speakers and over runs (fold and seed), corrected for "
            f"{many(tested[0].comparisons, 'comparison')} (Holm); a difference counts below {SIGNIFICANT}."
        )
        note += "".join(sorted({f" Here: {one.verdict}." for one in tested if one.verdict.startswith("too few")}))
    return Block(f"Against {found.study.first}: {metric.upper()}", [head, *lines], note)


def _gaps(found: Reproduction, rows: Sequence[ReproducedRow]) -> Block:
    head = ["row", "paper", "here"]
    lines = [[row.row, points(row.published.gap.mean), _deviating(row.ours.gap) if row.ours else NONE] for row in rows]
    return Block("Dev − test, points", [head, *lines])


def _gap(row: ReproducedRow) -> tuple[float, ...]:
    return (row.published.gap.mean, *([row.ours.gap.mean] if row.ours else []))


def _analysis(some: Sequence[Analysis]) -> Iterator[Block]:
    """The blocks of one further table of the paper."""
    for kind, block in ((CONFUSION, _confusions), (DISTANCE, _distances), (TOLD, _told)):
        if chosen := [one for one in some if one.metric.startswith(kind)]:
            yield block(chosen, {(one.row, one.metric): one for one in chosen})


def _confusions(some: Sequence[Analysis], by: Mapping[tuple[str, str], Analysis]) -> Block:
    emotions = list(dict.fromkeys(one.metric.split("_")[1] for one in some))
    lines = [
        [f"{row}: {meant}", *(_both(by.get((row, f"{CONFUSION}{meant}_{taken}"))) for taken in emotions)]
        for row in dict.fromkeys(one.row for one in some)
        for meant in emotions
    ]
    note = (
        "A line for what was meant, a column for what was recognised: the paper's / ours, in % of the line, averaged "
        "over folds. Where our labels are others, the rest of a line goes to them."
    )
    return Block(f"{some[0].table} beside ours: what is taken for what", [["row: meant", *emotions], *lines], note)


def _both(one: Analysis | None) -> str:
    if one is None:
        return NONE
    return f"{one.published:.1f} / {one.ours['test']:.1f}" if one.ours else f"{one.published:.1f} / {NONE}"


def _distances(some: Sequence[Analysis], by: Mapping[tuple[str, str], Analysis]) -> Block:
    metrics = list(dict.fromkeys(one.metric for one in some))
    lines = []
    for row in dict.fromkeys(one.row for one in some):
        line = [by[row, metric] for metric in metrics]
        lines.append([f"{row}: paper", *(distance_words(one.published) for one in line)])
        for how in dict.fromkeys(how for one in line for how in one.ours):
            lines.append([f"{row}: {how}", *(distance_words(one.ours.get(how, math.nan)) for one in line)])
    note = (
        "L2 distance between the genders' centroids of an emotion. Ours: in the deep feature (mean over runs), the "
        "same in units of its spread, which alone can be compared between recipes, and in the plane of one picture "
        "(“The deep feature” in the report)."
    )
    head = ["row", *(metric.removeprefix(DISTANCE) for metric in metrics)]
    return Block(f"{some[0].table} beside ours: how far the genders lie apart", [head, *lines], note)


def _told(some: Sequence[Analysis], by: Mapping[tuple[str, str], Analysis]) -> Block:
    parts = ("dev", "test")
    lines = [
        [row, f"{one.published:.1f}", *(f"{one.ours[part]:.1f}" if part in one.ours else NONE for part in parts)]
        for (row, _), one in by.items()
    ]
    title = f"{some[0].table} beside ours: how often the gender is told, %"
    return Block(title, [["row", "paper", *parts], *lines])


def _claimed(found: Reproduction, claim: Claim) -> str:
    first, row = (found.row(name, found.study.metrics[0]) for name in (found.study.first, claim.row))
    said = {
        "gain": f"{row.row} is better than {first.row}, by {points(row.published_gain)} points",
        "error_reduction": f"{row.row} makes {percent(row.published_reduction)} % fewer errors than {first.row}",
        "no_gain": f"{row.row} is no better than {first.row}",
        "smaller_gap": f"dev − test is {points(row.published.gap.mean)} points with {row.row}, "
        f"{points(first.published.gap.mean)} with {first.row}",
    }
    return f"{said[claim.kind]} ({claim.source})"


def _likeness(found: Reproduction) -> Block:
    unlike, uneven = found.unlike(), found.uneven()
    if unlike:
        title = "NOT COMPARABLE with the published numbers"
        note = f"This is another study than the paper's: {'; '.join(unlike)}. Only how the rows differ says something."
    else:
        title = "Comparable with the published numbers"
        note = "Corpus, labels, protocol, number of runs and settings are the paper's, as far as it gives them."
    if uneven:
        note += (
            f" Not the same in all rows: {', '.join(uneven)}; what the rows differ by is then not the method alone "
            "(the values are above)."
        )
    return Block(title, note=note)


def reproduction_text(found: Reproduction, remarks: Sequence[str] = ()) -> str:
    """For a terminal, at most 100 columns; the audit's verdict in the first line."""
    lines = [found.data.audit.verdict, *(line for said in remarks for line in textwrap.wrap(said, WIDTH))]
    for block in blocks(found):
        lines += ["", block.title, *aligned(block.rows)] if block.rows else ["", block.title]
        lines += textwrap.wrap(block.note, WIDTH, break_on_hyphens=False)
        for text, code in block.items:
            item = f"- {text} [{', '.join(code)}]" if code else f"- {text}"
            lines += textwrap.wrap(item, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines) + "\n"


def reproduction_markdown(found: Reproduction, remarks: Sequence[str] = ()) -> str:
    """The same as a Markdown file."""
    data, paper = found.data, found.paper
    labels = data.plan.labels.name if data.plan.labels else "as they are"
    lines = [
        f"# {paper.name}, study {found.name}, on {data.plan.corpus.name}",
        "",
        f"{paper.authors}: *{paper.title}.* <{paper.link}>. {found.study.about}.",
        "",
        f"- {data.audit.verdict}",
        *(f"- {said}" for said in remarks),
        f"- corpus {data.plan.corpus.name}, {many(len(data.plan.corpus), 'utterance')}, hash {data.plan.corpus.hash}; "
        f"labels {labels}; protocol {data.plan.protocol.name}; {_counts(data)}",
        "",
    ]
    for block in blocks(found):
        lines += [f"## {block.title}", ""]
        if block.rows:
            head, *rows = block.rows
            lines += [_cells(head), _cells(["---", *["---:"] * (len(head) - 1)]), *map(_cells, rows), ""]
        lines += [block.note, ""] if block.note else []
        items = [f"- {text}{''.join(f' `{word}`' for word in code)}" for text, code in block.items]
        lines += [*items, ""] if items else []
    return "\n".join(lines).rstrip("\n") + "\n"


def reproduction_part(data: StudyData) -> Section | None:
    """The same as a part of the report; None where the study is no paper's."""
    found = Reproduction.of(data)
    if found is None:
        return None
    body = []
    for block in blocks(found):
        if block.rows:
            head, *rows = block.rows
            body.append(table(head, rows, block.title))
        else:
            body.append(Markup("<p><strong>{}</strong></p>\n").format(block.title))
        body += [paragraph(block.note, "note")] if block.note else []
        body += [Markup("<ul>\n{}</ul>\n").format(_list(block.items))] if block.items else []
    return Section("paper", f"Beside {found.paper.name}", Markup("").join(body))


def reproduction_table(found: Reproduction) -> pd.DataFrame:
    """A row per row of the paper and metric; scores in per cent, differences in points, p and distances as they are.

    Where an analysis was measured in several ways there is a row for each, with the way behind the metric.
    """
    return pd.DataFrame([*(_numbers(found, row) for row in found.rows), *_analysed(found)])


def _analysed(found: Reproduction) -> Iterator[dict[str, str | int | float]]:
    for one in found.analyses:
        common: dict[str, str | int | float] = {
            "paper": found.paper.name,
            "study": found.name,
            "table": one.table,
            "row": one.row,
            "recipe": one.recipe,
            "runs_done": len(found.data.done.get(one.recipe, ())),
            "runs_planned": found.data.planned,
            "published_test": one.published,
        }
        distances = {how: value for how, value in one.ours.items() if how not in ("dev", "test")}
        if not distances:
            yield common | {"metric": one.metric, **one.ours}
        for how, value in distances.items():
            yield common | {"metric": f"{one.metric} {how}", "test": value}


def _numbers(found: Reproduction, row: ReproducedRow) -> dict[str, str | int | float]:
    numbers: dict[str, str | int | float] = {
        "paper": found.paper.name,
        "study": found.name,
        "table": found.study.table,
        "metric": row.metric,
        "row": row.row,
        "recipe": row.recipe,
        "runs_done": row.done,
        "runs_planned": found.data.planned if row.recipe else 0,
        **_percents("published_", row.published),
        "published_difference": 100 * row.published_gain,
        "published_error_reduction": 100 * row.published_reduction,
    }
    if row.ours is not None and row.interval is not None:
        numbers |= _percents("", row.ours) | {"test_low": 100 * row.interval.low, "test_high": 100 * row.interval.high}
    if row.compared is not None:
        result = row.compared.result
        numbers |= {
            "difference": 100 * result.difference,
            "difference_low": 100 * result.low,
            "difference_high": 100 * result.high,
            "error_reduction": 100 * result.relative_error_reduction,
            "error_reduction_low": 100 * result.error_reduction_low,
            "error_reduction_high": 100 * result.error_reduction_high,
            "p_speakers": result.p_speakers,
            "p_runs": result.p_runs,
            "p_corrected": row.compared.p,
            "comparisons": row.compared.comparisons,
        }
    return numbers


def _percents(prefix: str, values: Scores) -> dict[str, str | int | float]:
    named = {"dev": values.dev, "test": values.test, "gap": values.gap}
    means: dict[str, str | int | float] = {f"{prefix}{name}": 100 * one.mean for name, one in named.items()}
    return means | {f"{prefix}{name}_sd": 100 * one.sd for name, one in named.items()}


def _counts(data: StudyData) -> str:
    plan = data.plan
    return f"{len(plan.folds)} of {many(plan.fold_count, 'fold')}, {many(len(plan.seeds), 'seed')}"


def _ends(low: float, high: float, *, signed: bool = False) -> str:
    words = points if signed else percent
    return NONE if math.isnan(low) else f"[{_signed(words(low))}, {_signed(words(high))}]"


def _signed(number: str) -> str:
    return number.replace("-", "−")


def _deviating(values: Spread) -> str:
    return points(values.mean) + ("" if math.isnan(values.sd) else f" ± {percent(values.sd)}")


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(items: Sequence[Item]) -> Markup:
    """Entries of a list, what is code behind the sentence."""
    entries = (
        (text, Markup("").join(Markup(" <code>{}</code>").format(word) for word in code)) for text, code in items
    )
    return Markup("").join(Markup("<li>{}{}</li>\n").format(text, code) for text, code in entries)
