"""A part of a report: the plane of ratings that was cut into clusters, where clusters are what is learned."""

from __future__ import annotations

from itertools import cycle

import matplotlib
import numpy as np
from markupsafe import Markup

from unheard.corpora.corpus import Corpus
from unheard.corpora.mapping import Clusters
from unheard.seeds import generator
from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import COLOURS, INK, MARKS, SETTINGS, plot, svg
from unheard.studies.report.tables import Section, grid, many, paragraph

#: Ratings lie on a few steps; points of the same are shaken by this share of the scale, so that their number shows.
SHAKE = 0.012


def cluster_part(data: StudyData) -> Section | None:
    """The utterances in the plane of two ratings, as in Figure 2 of Latif et al. 2022; None for other labels."""
    clusters = data.plan.labels.clusters if data.plan.labels else None
    if clusters is None or len(clusters.columns) != 2:
        return None
    fold, _ = data.projected
    corpus, _ = data.plan.fold(fold)
    found = f"the training part of fold {fold}" if clusters.fit_on == "train" else "the whole corpus"
    note = (
        f"{many(len(corpus), 'utterance')}, coloured by the class that is learned: the nearest of {clusters.k} "
        f"centres, found by k-means in {found}. Black: the mean of each class. Points are shaken a little, since many "
        "have the same ratings."
    )
    return Section("clusters", "The classes in the plane", grid([_plane(corpus, clusters)]) + paragraph(note, "note"))


def _plane(corpus: Corpus, clusters: Clusters) -> Markup:
    columns = clusters.columns
    known = corpus.table.dropna(subset=[*columns, "emotion"])
    ratings = known[[*columns]].to_numpy(dtype=np.float64)
    scale = np.ptp(ratings, axis=0) * SHAKE
    shaken = ratings + scale * generator(0, "points of the plane").standard_normal(ratings.shape)
    labels = known["emotion"].to_numpy(dtype=np.str_)
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plot(4.3, f"{columns[0]} and {columns[1]}")
        for label, colour, mark in zip(np.unique(labels), cycle(COLOURS), cycle(MARKS), strict=False):
            rows = labels == label
            axes.plot(
                *shaken[rows].T, mark, color=colour, markersize=2.6, markeredgewidth=0, alpha=0.6, label=label,
                rasterized=True,
            )  # fmt: skip
            axes.plot(*ratings[rows].mean(axis=0), mark, color=INK, markersize=8)
        axes.set_xlabel(columns[0])
        axes.set_ylabel(columns[1])
        figure.legend(loc="outside lower left", ncols=3, columnspacing=1.2, handletextpad=0.1, markerscale=2)
        return svg(figure, "plane", f"{columns[1]} over {columns[0]}, coloured by {', '.join(np.unique(labels))}")
