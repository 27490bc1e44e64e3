"""A part of a report: the receptive fields that a network learned."""

from __future__ import annotations

from unheard.evaluation.projection import read_arrays
from unheard.studies.inside import RECEPTIVE_FIELDS
from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import mosaic
from unheard.studies.report.tables import Section, grid, paragraph


def receptive_field_part(data: StudyData) -> Section | None:
    """The kernels of one run of every recipe whose network offers some."""
    pair = data.projected or min(data.shown, key=lambda pair: pair[::-1])
    plots = []
    for index, name in enumerate(data.names):
        for run in data.runs(name):
            kept = read_arrays(run.folder(data.study) / RECEPTIVE_FIELDS)
            if (run.fold, run.seed) == pair and kept:
                plots.append(mosaic(name, kept["kernels"], f"fields{index}"))
    if not plots:
        return None
    note = (
        f"Fold {pair[0]}, seed {pair[1]}. Each picture is a kernel over time (to the right) and frequency (up), blue "
        "where it answers to more energy and red where to less, by its own largest value. The second half are the "
        "partners of the first: sines after cosines, or ripples that move the other way. Stripes beside each other "
        "answer to changes over time, stripes above each other to ripples over frequency."
    )
    return Section("receptive_fields", "What the receptive fields look for", grid(plots) + paragraph(note, "note"))
