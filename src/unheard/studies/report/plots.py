"""The plots of a report, as SVG that stands in the page itself."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from unheard.metrics.intervals import Interval

#: Colours that are told apart with any colour vision (Okabe and Ito 2008), without the yellow that white swallows.
BLUE, ORANGE, GREEN, RED, PINK, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
SAND = "#f2cf87"  # a pale orange
GREY, INK = "#8a9199", "#1b1f24"
SOFT, LINE, FAINT = "#4a525a", "#b9c0c7", "#e6e9ec"
COLOURS = (BLUE, RED, GREEN, ORANGE, PINK, SKY)
#: As many as there are emotions in most corpora; more begin again.
EMOTION_COLOURS = (*COLOURS, SAND, GREY)
MARKS = ("o", "^", "s")
#: The page's names of the colours that follow its own, dark or light.
PAGE_COLOURS = {INK: "--ink", SOFT: "--soft", LINE: "--edge", FAINT: "--line", "#ffffff": "--paper"}

#: Inches. So narrow that it can be read on a telephone; wide screens show several beside each other.
WIDTH = 4.4
#: Longer names are cut in plots, and more bars than these get no name of their own.
LONGEST_NAME, MOST_NAMED_BARS = 26, 48

#: How everything is drawn.
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "text.parse_math": False,
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": INK,
    "grid.color": FAINT,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.borderpad": 0.1,
    "legend.handlelength": 1.2,
}


def interval_plot(title: str, intervals: Mapping[str, Interval], chance: float, name: str) -> Markup:
    """A dot and its interval for each recipe, in per cent."""
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plot(0.34 * len(intervals) + 1.05, title)
        places = np.arange(len(intervals))
        estimates, lows, highs = 100 * np.array(list(intervals.values()), dtype=float).T
        axes.hlines(places, lows, highs, colors=BLUE, linewidth=3, alpha=0.4)
        axes.plot(estimates, places, "o", color=BLUE, markersize=5)
        axes.axvline(100 * chance, color=GREY, linewidth=1, linestyle=(0, (3, 2)))
        axes.annotate(
            "chance",
            (100 * chance, 1),
            (4, 0),
            ("data", "axes fraction"),
            "offset points",
            color=SOFT,
            fontsize=8.5,
            va="top",
        )
        _name_rows(axes, list(intervals))
        axes.set_ylim(len(intervals) - 0.5, -0.8)
        low, high = np.nanmin([*lows, *estimates, 100 * chance]), np.nanmax([*highs, *estimates, 100 * chance])
        axes.set_xlim(max(0, low - 4), min(100.5, high + 8))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10], integer=True))
        axes.set_xlabel("%")
        axes.grid(axis="x")
        return svg(figure, name, f"{title}: an estimate and its 95 % interval for each recipe, in per cent")


def grouped_bars(title: str, table: pd.DataFrame, colours: Sequence[str], name: str) -> Markup:
    """Horizontal bars in per cent: a group for each row of the table, a bar for each column."""
    with matplotlib.rc_context(SETTINGS):
        rows, columns = table.shape
        figure, axes = plot(0.17 * rows * (columns + 1) + 1.25, title)
        places = np.arange(rows) * (columns + 1.2)
        for index, (column, colour) in enumerate(zip(table.columns, colours, strict=True)):
            values = 100 * table[column].to_numpy(dtype=float)
            axes.barh(places + index, np.nan_to_num(values), height=0.86, color=colour, label=str(column))
            for place, value in zip(places + index, values, strict=True):
                text = "–" if np.isnan(value) else f"{value:.0f}"
                axes.text(np.nan_to_num(value) + 1.2, place, text, va="center", fontsize=8.5, color=SOFT)
        _name_rows(axes, [str(row) for row in table.index], places + (columns - 1) / 2)
        axes.set_ylim(places[-1] + columns - 0.3, -0.8)
        axes.set_xlim(0, 108)
        axes.set_xticks(range(0, 101, 20))
        axes.set_xlabel("%")
        axes.grid(axis="x")
        figure.legend(loc="outside lower left", ncols=2)
        return svg(figure, name, f"{title}: {', '.join(map(str, table.columns))} for each recipe, in per cent")


def speaker_bars(title: str, accuracies: pd.Series, groups: Mapping[str, str], mean: float, name: str) -> Markup:
    """A bar for each speaker, best first, coloured by group (gender).

    Args:
        title: above it.
        accuracies: share of right utterances, by speaker.
        groups: the group of each speaker that has one.
        mean: the share of right utterances of all speakers together, drawn as a line.
        name: of the plot within the page.
    """
    with matplotlib.rc_context(SETTINGS):
        ordered = accuracies.sort_values(ascending=False, kind="stable")
        count, named = len(ordered), len(ordered) <= MOST_NAMED_BARS
        figure, axes = plot(min(0.2 * count, 9.6) + 1.15, title)
        places, values = np.arange(count), 100 * ordered.to_numpy()
        labels = [groups.get(str(speaker), "no gender given") for speaker in ordered.index]
        colours = dict(zip(sorted(set(labels) - {"no gender given"}), COLOURS, strict=False)) | {
            "no gender given": GREY
        }
        width = 72 * min(0.2, 9.6 / count) * 0.74
        axes.hlines(places, 0, values, colors=[colours.get(label, GREY) for label in labels], linewidth=width)
        if named:
            _name_rows(axes, [str(speaker) for speaker in ordered.index])
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # over the line of the mean
            for place, value in zip(places, values, strict=True):
                axes.text(value + 1.4, float(place), f"{value:.0f}", bbox=ground, va="center", fontsize=8, color=SOFT)
        else:
            axes.set_yticks([])
            axes.set_ylabel(f"{count:,} speakers")
        axes.axvline(100 * mean, color=INK, linewidth=1, linestyle=(0, (3, 2)))
        axes.set_ylim(count - 0.4, -0.8)
        axes.set_xlim(0, 108)
        axes.set_xlabel("% right")
        axes.set_xticks(range(0, 101, 20))
        handles: list[Patch | Line2D] = [
            Patch(color=colours[label], label=label) for label in colours if label in labels
        ]
        handles.append(Line2D([], [], color=INK, linewidth=1, linestyle=(0, (3, 2)), label="all together (WA)"))
        figure.legend(handles=handles, loc="outside lower left", ncols=3, columnspacing=1.2)
        return svg(figure, name, f"{title}: share of right utterances of each speaker, in per cent")


def curves(
    title: str,
    lines: Mapping[str, pd.DataFrame],
    name: str,
    unit: str,
    chosen: pd.Series | None = None,
) -> Markup:
    """Learning curves: thin lines for runs, a thick one for their mean.

    Args:
        title: above it.
        lines: what is drawn in one colour, by its name: [epochs, runs].
        name: of the plot within the page.
        unit: of the values.
        chosen: the epoch of each run that was kept, marked with a dot.
    """
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plot(2.7, title)
        for (label, table), colour in zip(lines.items(), COLOURS * (1 + len(lines) // len(COLOURS)), strict=False):
            epochs = table.index.to_numpy() + 1
            if table.shape[1] > 1:
                axes.plot(epochs, table.to_numpy(), color=colour, linewidth=0.7, alpha=0.35)
            # The mean ends where the first run ends: after it, it would be one of other runs.
            axes.plot(epochs, table.mean(axis=1, skipna=False), color=colour, linewidth=2.2, label=label)
        if chosen is not None:
            (table,) = lines.values()
            heights = np.array([table[run][epoch] for run, epoch in chosen.items()], dtype=float)
            axes.plot(
                chosen + 1, heights, "o", color=INK, markersize=3.2, linestyle="none", label="epoch kept, each run"
            )
        axes.set_xlabel("epoch")
        axes.set_ylabel(unit)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10], integer=True))
        axes.grid(axis="y")
        figure.legend(loc="outside lower left", ncols=3, columnspacing=1.2)
        return svg(figure, name, f"{title}: {', '.join(lines)} by epoch")


def stairs(
    title: str, values: Mapping[str, pd.DataFrame], edges: Sequence[float], name: str, unit: str, along: str
) -> Markup:
    """Values of neighbouring bands as steps: thin ones for runs, thick ones for their mean.

    Args:
        title: above it.
        values: what is drawn in one colour, by its name: [bands, runs].
        edges: where the bands begin and end, [bands + 1].
        name: of the plot within the page.
        unit: of the values.
        along: what the edges are.
    """
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plot(2.7, title)
        # Each thinner than the one before, which it would hide where they are the same.
        for (label, table), colour, width in zip(values.items(), COLOURS, (3.6, 1.6, 0.8), strict=False):
            for run in table if table.shape[1] > 1 else ():
                axes.stairs(table[run], edges, baseline=None, color=colour, linewidth=0.7, alpha=0.35)
            axes.stairs(table.mean(axis=1), edges, baseline=None, color=colour, linewidth=width, label=label)
        axes.set_xlabel(along)
        axes.set_ylabel(unit)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10], integer=True))
        axes.grid(axis="y")
        figure.legend(loc="outside lower left", ncols=3, columnspacing=1.2)
        return svg(figure, name, f"{title}: {', '.join(values)} by {along}")


def scatter(
    title: str,
    points: NDArray[np.float32],
    groups: Sequence[str | None],
    order: Sequence[str],
    name: str,
    *,
    centroids: bool = False,
) -> Markup:
    """Points in a plane without scales, coloured by group.

    Args:
        title: above it.
        points: [points, 2].
        groups: the group of each; a point without one is drawn faintly.
        order: the groups in the order of their colours and marks.
        name: of the plot within the page.
        centroids: mark the mean of each group.
    """
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plot(4.1 + 0.22 * math.ceil(len(order) / 4), title)
        of = np.array([group or "" for group in groups])
        if (of == "").any():
            axes.plot(*points[of == ""].T, "o", color=LINE, markersize=2.5, markeredgewidth=0)
        for group, colour, mark in zip(order, cycle((*COLOURS, INK, GREY)), cycle(MARKS), strict=False):
            axes.plot(
                *points[of == group].T, mark, color=colour, markersize=4.2, markeredgewidth=0, alpha=0.85,
                label=shortened(group, 16),
            )  # fmt: skip
            if centroids and (of == group).any():
                centre = points[of == group].mean(axis=0)
                axes.plot(
                    *centre, mark, color=colour, markersize=10, markeredgecolor=INK, markeredgewidth=1.6, zorder=3
                )
        axes.set_xticks([])
        axes.set_yticks([])
        axes.margins(0.03)
        axes.spines[:].set_visible(True)
        figure.legend(loc="outside lower left", ncols=4, columnspacing=1.0, handletextpad=0.1)
        return svg(figure, name, f"{title}: {', '.join(order)}")


def mosaic(title: str, kernels: NDArray[np.float32], name: str) -> Markup:
    """Kernels [kernels, time, frequency] as small pictures in rows of eight, each by its own largest value."""
    with matplotlib.rc_context(SETTINGS):
        count, time, frequency = kernels.shape
        rows = -(-count // 8)
        scale = np.abs(kernels).max(axis=(1, 2), keepdims=True)
        pictures = np.full((rows * 8, frequency + 1, time + 1), np.nan)  # a line of nothing beside and below each
        pictures[:count, 1:, 1:] = np.flip(kernels / np.where(scale > 0, scale, 1), axis=2).transpose(0, 2, 1)
        side_by_side = pictures.reshape(rows, 8, frequency + 1, time + 1).transpose(0, 2, 1, 3)
        whole = side_by_side.reshape(rows * (frequency + 1), 8 * (time + 1))
        figure, axes = plot(0.4 + WIDTH * len(whole) / whole.shape[1], title)
        axes.imshow(whole, cmap="RdBu", vmin=-1, vmax=1, aspect="equal", interpolation="none")
        axes.set_axis_off()
        return svg(figure, name, f"{title}: {count} kernels over time and frequency")


def plot(height: float, title: str) -> tuple[Figure, Axes]:
    """An empty plot of that height in inches, to be drawn with :data:`SETTINGS`."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    # Above the names of the rows too, so that long names take no room from it.
    figure.suptitle(shortened(title, 40), x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    axes.tick_params(length=0)
    return figure, axes


def _name_rows(axes: Axes, names: Sequence[str], places: Sequence[float] | np.ndarray | None = None) -> None:
    axes.set_yticks(np.arange(len(names)) if places is None else places, [shortened(name) for name in names])
    axes.spines["left"].set_visible(False)


def shortened(name: str, longest: int = LONGEST_NAME) -> str:
    """A name cut in its middle to fit: names that begin alike often end otherwise.

    >>> shortened("strfnet-spectrogram-modulation-warped", 20)
    'strfnet-sp…on-warped'
    """
    kept = longest - 1
    return name if len(name) <= longest else f"{name[: kept - kept // 2]}…{name[-(kept // 2) :]}"


def svg(figure: Figure, name: str, says: str) -> Markup:
    """The figure as an SVG element whose names are its own within a page that has others."""
    buffer = io.StringIO()
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    for colour, variable in PAGE_COLOURS.items():
        text = text.replace(colour, f"var({variable})")
    text = re.sub(r' id="', f' id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    return Markup('<figure class="plot" role="img" aria-label="{}">{}</figure>\n').format(says, Markup(text.strip()))
