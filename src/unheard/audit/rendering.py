"""The audit for people: plain text as wide as the terminal, an HTML fragment; and all of it as JSON."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from unheard.audit.findings import many
from unheard.audit.overlap import ALIKE, IDENTICAL, UTTERANCE

if TYPE_CHECKING:
    from unheard.audit.audit import Audit
    from unheard.corpora.editions import Nearest
    from unheard.metrics.association import Association

#: Text is as wide as the terminal within these bounds.
NARROWEST, WIDEST = 60, 100
#: More folds, sentences or groups of copies than these are counted, not listed; the JSON has them all.
MOST_FOLDS, MOST_SENTENCES, MOST_GROUPS = 60, 12, 3
#: A column "nearly gives" the emotion from this share of the way between chance and always right, "partly predicts" it
#: from this one.
NEARLY, PARTLY = 0.75, 0.1

#: How a table calls what is shared.
HEADINGS = {UTTERANCE: "utterances", IDENTICAL: "recordings", ALIKE: "copies", "corpus": "corpora"}
SHARED = "shared by test and train / test and dev / dev and train"


def render(audit: Audit, style: str) -> str:
    """The audit as ``text``, as ``json`` (everything there is) or as ``html`` (a page that stands alone)."""
    if style == "json":
        return json.dumps(audit.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if style == "html":
        from unheard.audit.page import audit_page

        return audit_page(audit)
    return audit_text(audit)


def audit_text(audit: Audit, width: int | None = None) -> str:
    """Plain text: what was audited, the verdict, the facts, and a table of the folds.

    Args:
        audit: what was found.
        width: in columns; by default the terminal's, 60 to 100, and 100 where there is none.
    """
    if width is None:
        width = min(WIDEST, max(NARROWEST, shutil.get_terminal_size((WIDEST, 24)).columns))
    lines = [*_wrapped(title(audit), "", width), *_wrapped(audit.verdict, "  ", width), ""]
    for label, sentence in facts(audit):
        lines += _wrapped(f"{label:<13}{sentence}", " " * 13, width)
    if audit.folds:
        header, rows = fold_table(audit)
        for columns in _fitting(header, rows, width):
            lines += ["", *_table([[row[column] for column in columns] for row in (header, *rows)], width)]
        lines += more(len(audit.folds), MOST_FOLDS, "fold")
        if header[4:]:
            lines += _wrapped(f"({', '.join(header[4:])}: how many are {SHARED})", " ", width)
    return "\n".join(lines) + "\n"


def audit_html(audit: Audit) -> str:
    """An HTML fragment: one ``<section class="audit">`` with the verdict, the facts and a table of the folds."""
    terms = "".join(f"<dt>{escape(label)}</dt><dd>{escape(sentence)}</dd>\n" for label, sentence in facts(audit))
    parts = [
        f'<section class="audit {"ok" if audit.ok else "broken"}">',
        f"<h2>{escape(title(audit))}</h2>",
        f'<p class="verdict">{escape(audit.verdict)}</p>',
        f"<dl>\n{terms}</dl>",
        fold_table_html(audit),
    ]
    return "\n".join([*filter(None, parts), "</section>\n"])


def fold_table_html(audit: Audit) -> str:
    """The folds as an HTML table; empty where there is none."""
    if not audit.folds:
        return ""
    header, rows = fold_table(audit)
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>\n'
        for name, *cells in rows
    )
    note = escape(f"; {', '.join(header[4:])}: how many are {SHARED}") if header[4:] else ""
    further = "".join(f"<p>{escape(line)}</p>" for line in more(len(audit.folds), MOST_FOLDS, "fold"))
    return (
        f"<table>\n<caption>The folds{note}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>{further}"
    )


def association_sentence(column: str, found: Association) -> str:
    """How far a column alone predicts the emotion, in words.

    The accuracy is that of guessing each value's most frequent emotion. Many speakers of few utterances flatter it, and
    what chance gives as much: the mean accuracy over permuted emotions.
    """
    right, chance = (f"{100 * value:.0f} %" for value in (found.accuracy, found.accuracy_chance))
    guess = f"guessing by it is right for {right} of the utterances, by chance for {chance}"
    p = f"p = {found.p_value:.2g}"
    if found.p_value > 0.05:
        return f"{column} alone predicts the emotion no better than chance ({guess}; {p})"
    entropy = f"{100 * found.uncertainty:.0f} % of the emotion's entropy"
    explains = f"it explains {entropy}, by chance {100 * found.uncertainty_chance:.0f} % ({p})"
    way = gain(found)
    how_far = "nearly gives" if way >= NEARLY else "partly predicts" if way >= PARTLY else "says little about"
    return f"{column} alone {how_far} the emotion: {guess}; {explains}"


def gain(found: Association) -> float:
    """How far guessing by the column is on the way from chance (0) to always right (1)."""
    room = 1 - found.accuracy_chance
    return (found.accuracy - found.accuracy_chance) / room if room > 0 else 0.0


def title(audit: Audit) -> str:
    """What was audited."""
    speech = " (SYNTHETIC speech)" if audit.synthetic else ""
    if not audit.folds:
        return f"Audit of {audit.corpus}{speech}"
    return f"Audit of {audit.corpus}{speech} under {audit.protocol or 'the folds given'} (seed {audit.seed})"


def facts(audit: Audit) -> list[tuple[str, str]]:
    """Label and sentence of everything but the verdict and the table of the folds."""
    found = [("corpus", corpus_sentence(audit)), ("emotions", emotion_sentence(audit))]
    found += [("published", published_sentence(name, nearest)) for name, nearest in audit.published.items()]
    found += [("predictor", association_sentence(column, found)) for column, found in audit.associations.items()]
    found += [("copies", sentence) for sentence in copy_sentences(audit)]
    if audit.auxiliary:
        further = audit.auxiliary
        speakers = many(further.speakers, "speaker")
        found.append(("auxiliary", f"{further.corpus}: {many(further.utterances, 'utterance')}, {speakers}"))
    for label, sentences in (("BROKEN", audit.broken), ("note", audit.warnings)):
        found += [(label, sentence) for sentence in sentences[:MOST_SENTENCES]]
        found += [(label, line) for line in more(len(sentences), MOST_SENTENCES, "sentence")]
    return found


def corpus_sentence(audit: Audit) -> str:
    """How large it is."""
    sizes = ((audit.utterances, "utterance"), (audit.speakers, "speaker"), (len(audit.emotions), "emotion"))
    sentence = ", ".join(many(count, what) for count, what in sizes)
    if not audit.left_out:
        return sentence
    return f"{sentence}; {many(audit.left_out, 'utterance')} {'is' if audit.left_out == 1 else 'are'} in no fold"


def emotion_sentence(audit: Audit) -> str:
    """How many utterances have each emotion."""
    return ", ".join(f"{name} {count:,}" for name, count in audit.emotions.items()) or "no utterance has one"


def published_sentence(name: str, nearest: Nearest) -> str:
    """How far a corpus is from the nearest edition of its publication."""
    edition = f'the edition "{nearest.name}" of {name}'
    if not nearest.differences:
        return f"as in {edition}"
    differences = ", ".join(
        f"{value} {found:,} instead of {count:,}" for value, (found, count) in nearest.differences.items()
    )
    return f"not as published; nearest is {edition}: {differences}"


def copy_sentences(audit: Audit, groups: int = MOST_GROUPS) -> list[str]:
    """How many recordings are there more than once, the first ``groups`` of them, and what was not looked for."""
    if audit.alike is None:
        return ["the audio was not compared, so identical and near-identical recordings were not looked for"]
    count = len(audit.alike)
    found = f"{many(count, 'recording')} {'is' if count == 1 else 'are'} there more than once"
    if not count:
        found = "no recording is there twice"
    elif groups:
        shown = [" ~ ".join(group[:4]) + (" ~ …" if len(group) > 4 else "") for group in audit.alike[:groups]]
        found += f": {', '.join(shown)}{f' and {count - groups:,} more' if count > groups else ''}"
    how = "in whole or in part, at any level or rate, in any codec"
    sentences = [f"{found} ({how if audit.heard else 'identical files; near-identical ones were not looked for'})"]
    if audit.unread:
        sentences.append(f"the audio of {many(audit.unread, 'utterance')} could not be read, so it was not compared")
    return sentences


def fold_table(audit: Audit) -> tuple[list[str], list[list[str]]]:
    """Header and rows: sizes of the parts, and what they share of the columns of which they share anything."""
    columns = [
        column
        for column, overlap in audit.overlaps.items()
        if column == "speaker" or overlap.test_in_train or overlap.test_in_dev or overlap.dev_in_train
    ]
    header = ["fold", "train", "dev", "test", *(HEADINGS.get(column, f"{column}s") for column in columns)]
    rows = []
    for fold in audit.folds[:MOST_FOLDS]:
        overlaps = [fold.overlaps[column] for column in columns]
        cells = [f"{each.test_in_train:,}/{each.test_in_dev:,}/{each.dev_in_train:,}" for each in overlaps]
        rows.append([fold.name, f"{fold.train:,}", f"{fold.dev:,}", f"{fold.test:,}", *cells])
    return header, rows


def more(count: int, most: int, what: str) -> list[str]:
    """How many a list leaves out; none where it does not."""
    return [f"… and {many(count - most, f'more {what}')}"] if count > most else []


def _fitting(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[list[int]]:
    """The columns of a table as those of several tables that fit; each has the first column."""
    widths = [max(len(row[column]) for row in (header, *rows)) + 2 for column in range(len(header))]
    widths[0] = min(widths[0], width // 3)
    tables = [[0]]
    for column in range(1, len(header)):
        if sum(widths[other] for other in tables[-1]) + widths[column] > width and len(tables[-1]) > 1:
            tables.append([0])
        tables[-1].append(column)
    return tables


def _table(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    longest, *widths = (max(map(len, cells)) + 2 for cells in zip(*rows, strict=True))
    first = max(8, min(longest, width - sum(widths)))
    lines = []
    for name, *cells in rows:
        short = name if len(name) < first else name[: first - 2] + "…"
        lines.append(f"{short:<{first}}" + "".join(f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=True)))
    return lines


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    # A number stays with its per cent sign.
    lines = textwrap.wrap(text.replace(" %", "\xa0%"), width, subsequent_indent=indent)
    return [line.replace("\xa0", " ") for line in lines]
