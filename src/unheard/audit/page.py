"""The audit as a page that stands alone: one HTML file without scripts, for a screen, a phone or paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from unheard import __version__
from unheard.audit.rendering import (
    MOST_SENTENCES,
    association_sentence,
    copy_sentences,
    corpus_sentence,
    fold_table_html,
    more,
    published_sentence,
    title,
)  # fmt: skip

if TYPE_CHECKING:
    from unheard.audit.audit import Audit

#: More groups of copies than these are counted, not listed; the JSON has them all.
MOST_GROUPS = 50

STYLE = """
:root {
  color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #59636e; --line: #d8dee4; --accent: #0072b2;
  --good: #0a6b4c; --good-ground: #e7f5ef; --fair: #7a4b00; --fair-ground: #fff4dc;
  --bad: #a32a00; --bad-ground: #fdebe3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --ink: #e6e9ec; --soft: #9aa5b1; --line: #333b44; --accent: #5ab4e8;
    --good: #7fd6b2; --good-ground: #12291f; --fair: #f0c36a; --fair-ground: #2c2310;
    --bad: #ff9d76; --bad-ground: #33190f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.5rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  overflow-wrap: break-word;
}
.eyebrow { margin: 0 0 .3rem; color: var(--soft); font-size: .85rem; letter-spacing: .02em; }
h1 { margin: 0; font-size: clamp(1.7rem, 4.5vw, 2.5rem); line-height: 1.15; letter-spacing: -.02em; }
h1 span { color: var(--soft); font-weight: 400; }
h2 { margin: 2.8rem 0 .8rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.35rem; }
p { margin: .7rem 0; max-width: 46rem; }
.note { color: var(--soft); font-size: .9rem; }
.verdict, .remark { border-left: .4rem solid; border-radius: .25rem; max-width: none; }
.verdict { margin: 1.4rem 0 .8rem; padding: .9rem 1.2rem; font-size: 1.15rem; font-weight: 600; line-height: 1.4; }
.remark { margin: .5rem 0; padding: .55rem 1.2rem; font-size: .95rem; }
.good { color: var(--good); background: var(--good-ground); }
.fair { color: var(--fair); background: var(--fair-ground); }
.bad { color: var(--bad); background: var(--bad-ground); }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; color: var(--soft); font-size: .9rem; }
th, td { padding: .42rem .7rem; text-align: right; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th:first-child { text-align: left; padding-left: 0; }
td:last-child, th:last-child { padding-right: 0; }
thead th { color: var(--soft); font-weight: 500; font-size: .84rem; vertical-align: bottom; border-color: var(--ink); }
tbody th { font-weight: 600; overflow-wrap: anywhere; min-width: 6rem; }
td { white-space: nowrap; }
td.some { color: var(--bad); font-weight: 600; }
.narrow table { width: auto; min-width: 16rem; }
.bar { width: 34%; min-width: 9rem; vertical-align: middle; }
.bar div { position: relative; height: .8rem; background: var(--line); border-radius: .15rem; overflow: hidden; }
.bar i { position: absolute; inset: 0 auto 0 0; background: var(--accent); }
.bar b { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--ink); }
ul { padding-left: 1.2rem; }
@media (max-width: 42rem) {
  body { padding: 1.4rem 1rem 3rem; }
  th, td { padding: .42rem .4rem; }
  .bar { min-width: 4rem; }
}
@page { margin: 14mm; }
@media print { body { max-width: none; padding: 0; font-size: 10.5px; } tr, .verdict { break-inside: avoid; } }
"""


def audit_page(audit: Audit) -> str:
    """The page: the verdict, what is broken and what to note, then the evidence."""
    name = escape(audit.corpus)
    folds = escape(f"{audit.protocol or 'the folds given'} (seed {audit.seed})") if audit.folds else ""
    speech = '<p class="remark fair">SYNTHETIC speech</p>\n' if audit.synthetic else ""
    sections = (_predictors(audit), _shared(audit), _copies(audit), _counts(audit), _folds(audit))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="unheard {__version__}">\n<title>{escape(title(audit))}</title>\n'
        f'<link rel="icon" href="data:,">\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n'
        f'<p class="eyebrow">unheard {__version__} · audit</p>\n<h1>{name} <span>{folds}</span></h1>\n'
        f'<p class="verdict {_state(audit)}">{escape(audit.verdict)}</p>\n{speech}'
        f"{_remarks('bad', audit.broken)}{_remarks('fair', audit.warnings)}"
        f'<p class="note">{escape(corpus_sentence(audit))}.</p>\n</header>\n<main>\n'
        f"{''.join(filter(None, sections))}</main>\n</body>\n</html>\n"
    )


def _state(audit: Audit) -> str:
    if not audit.ok or not (audit.verdict.startswith("speaker-independent") or not audit.folds):
        return "bad"
    return "good" if audit.verdict.startswith("speaker-independent:") else "fair"


def _remarks(state: str, sentences: Sequence[str]) -> str:
    mark = "BROKEN: " if state == "bad" else ""
    shown = [*(mark + sentence for sentence in sentences[:MOST_SENTENCES])]
    shown += more(len(sentences), MOST_SENTENCES, "sentence")
    return "".join(f'<p class="remark {state}">{escape(sentence)}</p>\n' for sentence in shown)


def _predictors(audit: Audit) -> str:
    if not audit.associations:
        return ""
    rows = []
    for column, found in audit.associations.items():
        right, chance = 100 * found.accuracy, 100 * found.accuracy_chance
        bar = f'<div><i style="width:{right:.1f}%"></i><b style="left:{min(chance, 99):.1f}%"></b></div>'
        cells = [f"{right:.0f} %", f"{chance:.0f} %", f"{100 * found.uncertainty:.0f} %"]
        cells += [f"{100 * found.uncertainty_chance:.0f} %", f"{found.p_value:.2g}"]
        rows.append(f'{_header(column)}<td class="bar">{bar}</td>{"".join(f"<td>{cell}</td>" for cell in cells)}')
    sentences = [association_sentence(column, found) for column, found in audit.associations.items()]
    head = ("column", "right, and by chance (mark)", "right", "by chance", "entropy explained", "by chance", "p")
    return _section(
        "How far a column alone predicts the emotion",
        '<p class="note">Each utterance is guessed to have the most frequent emotion of those with the same value. By '
        "chance is the mean over random permutations of the emotions, which p counts too.</p>\n"
        + _table(head, rows)
        + _list(sentences),
    )


def _shared(audit: Audit) -> str:
    if not audit.overlaps:
        return ""
    rows = []
    for column, overlap in audit.overlaps.items():
        cells = [
            f"<td>{overlap.test:,}</td>", _count(overlap.test_in_train), _count(overlap.test_in_dev),
            f"<td>{overlap.dev:,}</td>", _count(overlap.dev_in_train),
        ]  # fmt: skip
        rows.append(_header(column) + "".join(cells))
    head = ("", "in test", "of these in train", "of these in dev", "in dev", "of these in train")
    return _section("What the parts of the folds share", _table(head, rows))


def _copies(audit: Audit) -> str:
    body = _paragraphs(copy_sentences(audit, groups=0))
    groups = audit.alike or ()
    listed = [" ~ ".join(group) for group in groups[:MOST_GROUPS]]
    return _section(
        "Recordings that are there more than once", body + _list(listed + more(len(groups), MOST_GROUPS, "recording"))
    )


def _counts(audit: Audit) -> str:
    rows = [f"{_header(emotion)}<td>{count:,}</td>" for emotion, count in audit.emotions.items()]
    table = f'<div class="narrow">{_table(("emotion", "utterances"), rows)}</div>\n'
    table = table if rows else "<p>No utterance has an emotion.</p>\n"
    published = [published_sentence(name, nearest) for name, nearest in audit.published.items()]
    return _section("Counts", _paragraphs(published) + table)


def _folds(audit: Audit) -> str:
    return _section("The folds", f'<div class="scroll">{fold_table_html(audit)}</div>\n') if audit.folds else ""


def _section(heading: str, body: str) -> str:
    return f"<section>\n<h2>{escape(heading)}</h2>\n{body}</section>\n"


def _paragraphs(sentences: Iterable[str]) -> str:
    return "".join(f"<p>{escape(text[0].upper() + text[1:])}.</p>\n" for text in sentences)


def _table(head: Iterable[str], rows: Iterable[str]) -> str:
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    return f'<div class="scroll"><table>\n<thead><tr>{cells}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n'


def _header(text: str) -> str:
    return f'<th scope="row">{escape(text)}</th>'


def _count(count: int) -> str:
    return f'<td class="some">{count:,}</td>' if count else "<td>0</td>"


def _list(sentences: Sequence[str]) -> str:
    # A number stays with its per cent sign.
    items = "".join(f"<li>{escape(sentence).replace(' %', '&nbsp;%')}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>\n" if items else ""
