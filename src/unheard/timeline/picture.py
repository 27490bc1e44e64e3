"""A picture of one recording: the waveform in the colour of what is heard, and the probabilities under it."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from unheard.studies.report.plots import EMOTION_COLOURS, LINE, SOFT
from unheard.timeline.timeline import Timeline
from unheard.timeline.verdict import NO_SPEECH, NOT_SURE

#: Points over the width; what is longer is drawn by the largest value in each of them.
POINTS = 2000


def clock(seconds: float) -> str:
    """Minutes and seconds, and hours where there are some.

    >>> clock(75.25), clock(3600)
    ('1:15.25', '1:00:00')
    """
    whole, hundredths = divmod(round(100 * seconds), 100)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    shown = f"{rest:02}" + (f".{hundredths:02}".rstrip("0") if hundredths else "")
    return f"{hours}:{minutes:02}:{shown}" if hours else f"{minutes}:{shown}"


def picture(timeline: Timeline, title: str) -> Figure:
    """Above, the waveform; below, the smoothed probabilities, stacked.

    The waveform has the colour of the emotion; it is dark where it is not sure which, and grey without speech.
    """
    colours = {name: EMOTION_COLOURS[index % len(EMOTION_COLOURS)] for index, name in enumerate(timeline.emotions)}
    with matplotlib.rc_context({"font.size": 9.5, "axes.edgecolor": LINE, "text.parse_math": False}):
        figure = Figure(figsize=(10, 4.2), dpi=150, layout="constrained")
        wave, stack = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        times, peaks = _reduced(timeline)
        wave.fill_between(times, -peaks, peaks, color=LINE, linewidth=0)
        for segment in timeline.segments:
            if segment.speech:
                colour = SOFT if segment.emotion is None else colours[segment.emotion]
                inside = (times >= segment.start) & (times <= segment.end)
                wave.fill_between(times, -peaks, peaks, where=inside.tolist(), color=colour, linewidth=0)
        wave.set_yticks([])
        wave.set_title(title, loc="left", fontsize=10)
        edges = np.append(timeline.start, timeline.duration)
        spoken = ~np.isnan(timeline.posteriors[:, :1])
        below = np.zeros(len(timeline.start))
        for index, name in enumerate(timeline.emotions):
            above = below + np.where(spoken, timeline.smoothed, 0)[:, index]
            stack.stairs(above, edges, baseline=below, fill=True, color=colours[name])
            below = above
        stack.set_ylim(0, 1)
        stack.set_xlim(0, timeline.duration)
        stack.set_ylabel("probability", color=SOFT)
        stack.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: clock(seconds)))
        for axes in (wave, stack):
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.tick_params(color=LINE, labelcolor=SOFT)
        unsure = {NOT_SURE: SOFT} if timeline.threshold else {}
        names = colours | unsure | {NO_SPEECH: LINE}
        handles = [Patch(color=colour, label=name) for name, colour in names.items()]
        figure.legend(handles=handles, loc="outside right center", frameon=False)
    return figure


def _reduced(timeline: Timeline) -> tuple[np.ndarray, np.ndarray]:
    """Times in seconds and the largest magnitude there."""
    step = max(1, -(-len(timeline.peaks) // POINTS))
    firsts = np.arange(0, len(timeline.peaks), step)
    return (firsts + step / 2) / 100, np.maximum.reduceat(timeline.peaks, firsts)
