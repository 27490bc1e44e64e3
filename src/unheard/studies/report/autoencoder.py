"""A part of a report: what autoencoders make of the test utterances, and their code beside the prior."""

from __future__ import annotations

import math
from collections.abc import Mapping

import matplotlib
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from scipy.stats import norm

from unheard.evaluation.autoencoding import EDGES, read_autoencoded
from unheard.methods import TERMS
from unheard.methods.discriminator import Discriminator
from unheard.methods.reconstruction import Reconstruction
from unheard.recipe import Recipe
from unheard.studies.report.data import StudyData
from unheard.studies.report.deep import change_words
from unheard.studies.report.paired import by_run, change
from unheard.studies.report.plots import COLOURS, GREY, INK, SETTINGS, WIDTH, plot, svg
from unheard.studies.report.tables import NONE, Section, grid, paragraph, table

Array = NDArray[np.float32]

#: The columns of ``results.csv`` and what stands above them.
COLUMNS = {
    "reconstruction": "reconstruction error",
    "latent_distance": "distance of the code from N(0, 1)",
    "latent_mean": "means off 0",
    "latent_variance": "variances off 1",
}


def autoencoder_part(data: StudyData) -> Section | None:
    """Errors, the code beside the prior with and without an adversary, and pictures of one run."""
    names = [name for name in data.names if len(by_run(data, name, "reconstruction"))]
    if not names:
        return None
    rows = [[name, *(_mean(data, name, column) for column in COLUMNS)] for name in names]
    pairs = [(name, other) for name in names if (other := _without_adversary(data, name)) is not None]
    against = [
        [f"{name} against {other}", *(_change(data, column, name, other) for column in COLUMNS)]
        for name, other in pairs
    ]
    head = ["recipe", *COLUMNS.values()]
    meaning = paragraph(
        "The code is what everything is read from; a discriminator pulls it towards draws from N(0, I). Measured on "
        "the pieces of the test utterances, not averaged."
    )
    note = (
        "Reconstruction error: mean squared difference, in the units of the front end (1 is always giving the mean "
        "where these are normalised). Distance: mean over the values of the code of mean² + (deviation − 1)², the "
        "squared 2-Wasserstein distance of normal distributions; beside it the mean of |mean| and of |variance − 1|. "
        "Few pieces have means and variances off by chance: n draws from the prior itself are about 0.8/√n and 1.1/√n"
        " off. Mean over runs."
    )
    if against:
        note += (
            " With the adversary against without: geometric mean of the ratios of runs with the same fold and seed, "
            "in per cent more or less, and its 95 % interval over folds (Student's)."
        )
    body = [
        meaning,
        grid([_histogram(data, names), *_pictures(data, names)]),
        table(head, rows),
        table(["with against without", *COLUMNS.values()], against, "What the adversary changes.") if against else "",
        paragraph(note, "note"),
    ]
    return Section("autoencoder", "The autoencoder", Markup("").join(body))


def _mean(data: StudyData, name: str, column: str) -> str:
    values = by_run(data, name, column)
    return f"{values.mean():.3f}" if len(values) else NONE


def _change(data: StudyData, column: str, name: str, other: str) -> str:
    found = change(data, column, name, other)
    return NONE if found is None else change_words(found)


def _without_adversary(data: StudyData, name: str) -> str | None:
    """The recipe of the study that has the same terms but the discriminator."""
    recipes = {recipe.name: recipe for recipe in data.plan.recipes if recipe.name in data.names}
    wanted = _others(recipes[name])
    if wanted == set(recipes[name].terms):
        return None
    for other, recipe in recipes.items():
        terms = recipe.terms.values()
        if set(recipe.terms) == wanted and any(issubclass(TERMS[term.kind], Reconstruction) for term in terms):
            return other
    return None


def _others(recipe: Recipe) -> set[str]:
    return {name for name, term in recipe.terms.items() if not issubclass(TERMS[term.kind], Discriminator)}


def _histogram(data: StudyData, names: list[str]) -> Markup:
    """The values of the codes of all runs of each recipe, and the prior."""
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plot(2.7 + 0.2 * math.ceil(len(names) / 3), "Values of the code")
        middle = (EDGES[1:] + EDGES[:-1]) / 2
        axes.plot(middle, norm.pdf(middle), color=INK, linewidth=1.2, linestyle=(0, (3, 2)), label="N(0, 1)")
        for name, colour in zip(names, COLOURS * (1 + len(names) // len(COLOURS)), strict=False):
            counts = np.sum([kept["histogram"] for kept in _kept(data, name)], axis=0, dtype=np.float64)
            axes.stairs(counts / counts.sum() / np.diff(EDGES), EDGES, color=colour, linewidth=1.4, label=name)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("value; what lies outside is in the last bin")
        figure.legend(loc="outside lower left", ncols=3, columnspacing=1.2)
        return svg(figure, "codes", f"Histogram of the values of the code beside N(0, 1): {', '.join(names)}")


def _pictures(data: StudyData, names: list[str]) -> list[Markup]:
    """Inputs above what came out, of the run that is drawn."""
    pair = data.projected
    found = []
    for index, name in enumerate(names):
        for kept in (kept for kept in _kept(data, name, pair) if len(kept["inputs"])):
            found.append(_beside(name, kept["inputs"], kept["outputs"], f"pictures{index}"))
    return found


def _kept(data: StudyData, name: str, pair: tuple[int, int] | None = None) -> list[Mapping[str, Array]]:
    runs = (run for run in data.runs(name) if pair in (None, (run.fold, run.seed)))
    return [kept for run in runs if (kept := read_autoencoded(run.folder(data.study)))]


def _beside(name: str, inputs: Array, outputs: Array, anchor: str) -> Markup:
    """Two rows of pictures [pictures, rows, frames], low frequencies below; one scale for all."""
    rows, frames = inputs.shape[1:]
    gap = max(1, frames // 30)
    lines = [np.concatenate(_spaced(pictures[:, ::-1], gap), axis=1) for pictures in (inputs, outputs)]
    whole = np.concatenate([lines[0], np.full((gap, lines[0].shape[1]), np.nan), lines[1]])
    low, high = np.percentile(inputs, (1, 99))
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plot(0.5 + WIDTH * 0.92 * len(whole) / whole.shape[1], f"{name}: inputs, and reconstructions")
        axes.imshow(whole, cmap="magma", vmin=low, vmax=high, aspect="equal", interpolation="none")
        middle = [rows / 2, rows + gap + rows / 2]
        axes.set_yticks(middle, ["input", "output"], rotation=90, va="center")
        axes.set_xticks([])
        axes.spines[:].set_visible(False)
        axes.tick_params(colors=GREY)
        return svg(figure, anchor, f"{name}: {len(inputs)} pictures of test utterances above their reconstructions")


def _spaced(pictures: Array, gap: int) -> list[Array]:
    """The pictures of a line, with nothing between them."""
    space = np.full((pictures.shape[1], gap), np.nan, dtype=np.float32)
    return [part for picture in pictures for part in (space, picture)][1:]
