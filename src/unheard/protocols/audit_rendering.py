"""The audit for people: plain text of at most 100 columns, and an HTML fragment."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unheard.metrics.association import Association
    from unheard.protocols.audit import Audit

WIDTH = 100
#: More folds or sentences than these are counted, not listed; the JSON has them all.
MOST_FOLDS, MOST_SENTENCES = 60, 12
#: A column "nearly gives" the emotion from this share of the way between chance and always right.
NEARLY = 0.75

_SHARED = "shared by test and train / test and dev / dev and train"


def audit_text(audit: Audit) -> str:
    """Plain text: what was audited, the verdict, the facts, and a table of the folds."""
    lines = [*_wrapped(_title(audit), ""), *_wrapped(audit.verdict, "  "), ""]
    for label, sentence in _facts(audit):
        lines += _wrapped(f"{label:<13}{sentence}", " " * 13)
    if audit.folds:
        header, rows = _fold_table(audit)
        longest, *widths = (max(map(len, cells)) + 2 for cells in zip(header, *rows, strict=True))
        widths = [max(8, min(longest, WIDTH - sum(widths))), *widths]
        lines += ["", *(_aligned(row, widths) for row in (header, *rows)), *_more(len(audit.folds), MOST_FOLDS, "fold")]
        lines += _wrapped(f"({', '.join(header[4:])}: how many are {_SHARED})", " ")
    return "\n".join(lines) + "\n"


def audit_html(audit: Audit) -> str:
    """An HTML fragment: one ``<section class="audit">`` with the verdict, the facts and a table of the folds."""
    facts = "".join(f"<dt>{escape(label)}</dt><dd>{escape(sentence)}</dd>\n" for label, sentence in _facts(audit))
    state = "ok" if audit.ok else "broken"
    parts = [
        f'<section class="audit {state}">',
        f"<h2>{escape(_title(audit))}</h2>",
        f'<p class="verdict">{escape(audit.verdict)}</p>',
        f"<dl>\n{facts}</dl>",
    ]
    if audit.folds:
        header, rows = _fold_table(audit)
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
        body = "".join(
            f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>\n'
            for name, *cells in rows
        )
        more = "".join(f"<p>{escape(line)}</p>" for line in _more(len(audit.folds), MOST_FOLDS, "fold"))
        parts.append(
            f"<table>\n<caption>The folds; {', '.join(header[4:])}: how many are {_SHARED}</caption>\n"
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>{more}"
        )
    return "\n".join([*parts, "</section>\n"])


def association_sentence(column: str, found: Association) -> str:
    """How far a column alone predicts the emotion, in words.

    The accuracy is that of guessing each utterance from the others: many speakers of few utterances do not flatter it.
    """
    accuracy, without = f"{100 * found.accuracy_left_out:.0f} %", f"{100 * found.accuracy_without:.0f} %"
    p = "p < 0.001" if found.p_value < 0.001 else f"p = {found.p_value:.3f}"
    if found.p_value > 0.05:
        return f"{column} alone gives the emotion no better than chance ({accuracy}, chance {without}; {p})"
    explains = (
        f"it explains {100 * found.uncertainty:.0f} % of the emotion's entropy "
        f"(by chance {100 * found.uncertainty_chance:.0f} %, {p})"
    )
    gain = (found.accuracy_left_out - found.accuracy_without) / (1 - found.accuracy_without)
    if gain >= NEARLY:
        nearly = f"{column} alone nearly gives the emotion"
        return f"{nearly}: that of {accuracy} of the utterances (chance {without}); {explains}"
    if gain > 0:
        return f"{column} alone gives the emotion of {accuracy} of the utterances (chance {without}); {explains}"
    return f"{column} alone guesses no emotion better than chance ({accuracy}, chance {without}), though {explains}"


def _title(audit: Audit) -> str:
    speech = " (SYNTHETIC speech)" if audit.synthetic else ""
    if not audit.folds:
        return f"Audit of {audit.corpus}{speech}"
    return f"Audit of {audit.corpus}{speech} under {audit.protocol or 'the folds given'} (seed {audit.seed})"


def _facts(audit: Audit) -> list[tuple[str, str]]:
    """Label and sentence of everything but the verdict and the table of the folds."""
    facts = [
        (
            "corpus",
            f"{audit.utterances:,} utterances, {audit.speakers:,} speakers, {len(audit.emotions)} emotions"
            + (f"; {audit.left_out:,} utterances are in no part of any fold" if audit.left_out else ""),
        ),
        (
            "emotions",
            ", ".join(f"{name} {count:,}" for name, count in audit.emotions.items()) or "no utterance has one",
        ),
    ]
    if audit.published:
        differences = ", ".join(f"{name} {by:+,}" for name, by in audit.published.differences.items())
        edition = f'the edition "{audit.published.edition}"'
        facts.append(
            (
                "published",
                f"not as published; nearest is {edition}: {differences}" if differences else f"as in {edition}",
            )
        )
    facts += [("predictor", association_sentence(column, found)) for column, found in audit.associations.items()]
    if audit.folds and "recording" not in audit.overlaps:
        facts.append(("recordings", "identical recordings were not looked for: the corpus has no digests"))
    for label, sentences in (("BROKEN", audit.broken), ("note", audit.warnings)):
        facts += [(label, sentence) for sentence in sentences[:MOST_SENTENCES]]
        facts += [(label, line) for line in _more(len(sentences), MOST_SENTENCES, "sentence")]
    return facts


def _fold_table(audit: Audit) -> tuple[list[str], list[list[str]]]:
    shared = [column for column, overlap in audit.overlaps.items() if column != "utterance" or overlap.test_in_train]
    header = ["fold", "train", "dev", "test", *(f"{column}s" for column in shared)]
    rows = []
    for fold in audit.folds[:MOST_FOLDS]:
        overlaps = [fold.overlaps[column] for column in shared]
        cells = [f"{overlap.test_in_train}/{overlap.test_in_dev}/{overlap.dev_in_train}" for overlap in overlaps]
        rows.append([fold.name, f"{fold.train:,}", f"{fold.dev:,}", f"{fold.test:,}", *cells])
    return header, rows


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    name = cells[0] if len(cells[0]) <= widths[0] else cells[0][: widths[0] - 1] + "…"
    return f"{name:<{widths[0]}}" + "".join(
        f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True)
    )


def _more(count: int, most: int, what: str) -> list[str]:
    return [f"… and {count - most:,} more {what}s"] if count > most else []


def _wrapped(text: str, indent: str) -> list[str]:
    # A number stays with its per cent sign.
    lines = textwrap.wrap(text.replace(" %", "\xa0%"), WIDTH, subsequent_indent=indent)
    return [line.replace("\xa0", " ") for line in lines]
