"""A part of a report: the emotion over the time of some utterances, where a recipe tells that of every frame."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.patches import Patch

from unheard.studies.inside import read_frames
from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import EMOTION_COLOURS, SETTINGS, plot, shortened, svg
from unheard.studies.report.tables import Section, grid, paragraph

#: The height of an utterance; the rest is room between two.
HEIGHT = 0.82


def frame_part(data: StudyData) -> Section | None:
    """The posteriors of all frames of one utterance of each emotion, of one run of every recipe that tells them."""
    plots = [
        stacks(run.recipe.name, kept, f"frames{index}")
        for index, run in enumerate(data.drawn)
        if (kept := read_frames(run.folder(data.study))) is not None
    ]
    if not plots:
        return None
    fold, seed = data.projected
    note = (
        f"Fold {fold}, seed {seed}: of each emotion the first utterance of the test speakers, from its beginning "
        "to its end. The height of a colour is the probability of its emotion in a frame, by the term of kind segments "
        "alone; what the utterance is taken for is decided by the term “emotion”, which hears all of it. The numbers "
        "are in each run's frames.csv."
    )
    return Section("frames", "The emotion over time", grid(plots) + paragraph(note, "note"))


def stacks(title: str, frames: pd.DataFrame, name: str) -> Markup:
    """Stacked probabilities over the time of each utterance, one below the other.

    Args:
        title: above it.
        frames: what :func:`read_frames` returns.
        name: of the plot within the page.
    """
    columns = [column for column in frames.columns if column.startswith("p_")]
    emotions = [column.removeprefix("p_") for column in columns]
    utterances = list(frames.groupby("id", sort=False))
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plot(0.42 * len(utterances) + 1.1 + 0.2 * _rows(emotions), title)
        for place, (_, rows) in enumerate(utterances):
            edges = np.linspace(0, 100, len(rows) + 1)
            below = np.full(len(rows), float(-place))
            for index, column in enumerate(columns):
                above = below + HEIGHT * rows[column].to_numpy(dtype=float)
                colour = EMOTION_COLOURS[index % len(EMOTION_COLOURS)]
                axes.stairs(above, edges, baseline=below, fill=True, color=colour)
                below = above
        places = HEIGHT / 2 - np.arange(len(utterances))
        axes.set_yticks(places, [shortened(str(rows["emotion"].iat[0])) for _, rows in utterances])
        axes.spines["left"].set_visible(False)
        axes.set_xlim(0, 100)
        axes.set_ylim(1 - len(utterances), HEIGHT)
        axes.set_xlabel("% of the utterance")
        handles = [
            Patch(color=EMOTION_COLOURS[index % len(EMOTION_COLOURS)], label=emotion)
            for index, emotion in enumerate(emotions)
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=4)
        told = ", ".join(str(rows["emotion"].iat[0]) for _, rows in utterances)
        return svg(figure, name, f"{title}: the probability of each emotion over the time of utterances of {told}")


def _rows(emotions: Sequence[str]) -> int:
    return -(-len(emotions) // 4)
