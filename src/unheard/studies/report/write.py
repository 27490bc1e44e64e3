"""The report of a study: one HTML file that stands alone, and a table for the terminal.

A report is a list of parts, each a function from the study's data to a section; a new one is one more function in
:data:`PARTS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from unheard import __version__
from unheard.audit.rendering import audit_html
from unheard.files import write_atomically
from unheard.studies.report.attention import attention_part
from unheard.studies.report.autoencoder import autoencoder_part
from unheard.studies.report.clusters import cluster_part
from unheard.studies.report.data import Pair, StudyData, ranges, read_study, runs_text
from unheard.studies.report.deep import deep_part
from unheard.studies.report.frames import frame_part
from unheard.studies.report.leak import leak_part
from unheard.studies.report.low_resource import low_resource_part
from unheard.studies.report.projection import projection_part
from unheard.studies.report.receptive_fields import receptive_field_part
from unheard.studies.report.scores import accuracy_part, comparison_part
from unheard.studies.report.slices import confusion_part, speaker_part
from unheard.studies.report.sweep import sweep_part
from unheard.studies.report.tables import Section, many
from unheard.studies.report.terms import term_part
from unheard.studies.report.text import report_text
from unheard.studies.report.training import curve_part, fact_part, learned_from, recipe_part
from unheard.studies.report.verification import verification_part
from unheard.studies.reproduction.text import reproduction_part

#: A part of a report; None where the study has nothing for it.
Part = Callable[[StudyData], Section | None]


def audit_part(data: StudyData) -> Section:
    """What can be proved about the folds, in full."""
    return Section("audit", "The audit", Markup(audit_html(data.audit)))  # escaped by the audit itself


#: What a report consists of, in this order.
PARTS: tuple[Part, ...] = (
    accuracy_part,
    comparison_part,
    sweep_part,
    reproduction_part,
    low_resource_part,
    leak_part,
    verification_part,
    projection_part,
    deep_part,
    term_part,
    autoencoder_part,
    attention_part,
    receptive_field_part,
    frame_part,
    confusion_part,
    speaker_part,
    cluster_part,
    curve_part,
    audit_part,
    recipe_part,
    fact_part,
)


def write_report(study: Path, projected: Pair | None = None, over: tuple[str, ...] = ()) -> str:
    """Write ``report.html`` into a study's folder from what lies there; unfinished studies have one too.

    Args:
        study: the folder.
        projected: the fold and seed whose embeddings are drawn, by default the first.
        over: keys of recipes; over the values of the first, by which recipes of the study differ, scores are drawn.

    Returns:
        the report for a terminal: the audit's verdict in its first line, a table of at most 100 columns, and what the
        comparisons say.

    Raises:
        InputError: there is no study in the folder, none of its runs is finished, or no two recipes differ in just
            these keys.
    """
    data = read_study(study, projected, over)
    write_atomically(study / "report.html", report_html(data))
    return report_text(data, remarks(data))


def study_text(study: Path) -> str:
    """The report for a terminal, without writing the page."""
    data = read_study(study)
    return report_text(data, remarks(data))


def report_html(data: StudyData) -> str:
    """The page."""
    environment = Environment(
        loader=PackageLoader("unheard", "studies/report"), autoescape=True, undefined=StrictUndefined
    )
    sections = [section for part in PARTS if (section := part(data)) is not None]
    page = environment.get_template("page.html").render(
        data=data,
        sections=sections,
        state=_state(data),
        plan_text=_planned(data),
        remarks=remarks(data),
        version=__version__,
    )
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", page)  # no line begins with a per cent sign


def remarks(data: StudyData) -> list[str]:
    """What changes how the numbers are to be read: broken folds, synthesized speech, missing data, terms or runs."""
    said = [f"BROKEN: {sentence}" for sentence in data.audit.broken]
    if data.plan.corpus.synthetic:
        said.append(
            "SYNTHETIC: this corpus is synthesized speech; its numbers say how methods differ, not how people do"
        )
    said += learned_from(data)
    if data.complete:
        return said
    done = ", ".join(
        f"{name} has {len(pairs)} of {many(data.planned, 'run')}"
        for name, pairs in data.done.items()
        if len(pairs) < data.planned
    )
    if data.comparable:
        basis = f"all numbers are those of {runs_text(data.shown)}, which every recipe with a finished run has"
    else:
        basis = "no fold and seed is finished by all recipes, so the rows are of different ones: NOT COMPARABLE"
    said.append(f"NOT COMPLETE: {done}; {basis}")
    return said


def _state(data: StudyData) -> str:
    """How good the news of the verdict is: ``good``, ``fair`` or ``bad``."""
    verdict = data.audit.verdict
    if not data.audit.ok or not verdict.startswith("speaker-independent"):
        return "bad"
    return "good" if verdict.startswith("speaker-independent:") else "fair"


def _planned(data: StudyData) -> str:
    plan = data.plan
    done, planned = sum(map(len, data.done.values())), len(plan.runs())
    of = "" if len(plan.folds) == plan.fold_count else f" (of {plan.fold_count}: {ranges(plan.folds)})"
    recipes, folds, seeds = (
        many(len(plan.recipes), "recipe"),
        many(len(plan.folds), "fold"),
        many(len(plan.seeds), "seed"),
    )
    return f"{done} of {many(planned, 'run')} done: {recipes} × {folds}{of} × {seeds}"
