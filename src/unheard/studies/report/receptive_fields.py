"""A part of a report: the receptive fields that a network learned."""

from __future__ import annotations

from unheard.evaluation.projection import read_arrays
from unheard.studies.inside import RECEPTIVE_FIELDS
from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import mosaic
from unheard.studies.report.tables import Section, grid, paragraph


def receptive_field_part(data: StudyData) -> Section | None:
    """The kernels of one run of every recipe whose network offers some."""
    plots = [
        mosaic(run.recipe.name, kept["kernels"], f"fields{index}")
        for index, run in enumerate(data.drawn)
        if (kept := read_arrays(run.folder(data.study) / RECEPTIVE_FIELDS))
    ]
    if not plots:
        return None
    fold, seed = data.projected
    note = (
        f"Fold {fold}, seed {seed}. Each picture is a kernel over time (to the right) and frequency (up), blue "
        "where it answers to more energy and red where to less, by its own largest value. The second half are the "
        "partners of the first: sines after cosines, or ripples that move the other way. Stripes beside each other "
        "answer to changes over time, stripes above each other to ripples over frequency."
    )
    return Section("receptive_fields", "What the receptive fields look for", grid(plots) + paragraph(note, "note"))
