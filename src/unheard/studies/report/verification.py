"""A part of a report: is a new speaker's voice told from others by what the speaker term makes of it?"""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray
from scipy.stats import norm

from unheard.evaluation.speaker_verification import read_verification
from unheard.metrics.intervals import Interval
from unheard.metrics.verification import Verified, eer_interval, error_rates
from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import COLOURS, FAINT, GREY, SETTINGS, plot, svg
from unheard.studies.report.tables import NONE, Section, grid, interval, paragraph, table

#: Per cent at the axes of the curve.
TICKS = (1, 2, 5, 10, 20, 40, 60, 80)
#: Where the curves are read, and what is shown of them; shares.
RATES = np.linspace(0.005, 0.9, 180)
LOWEST, HIGHEST = 0.008, 0.85


def verification_part(data: StudyData) -> Section | None:
    """The equal error rate of every recipe that learns speakers, with its curve."""
    runs = {name: found for name in data.names if (found := verified_runs(data, name))}
    if not runs:
        return None
    rows = [[name, interval(eer_interval(found)), *_counts(data.results_of(name))] for name, found in runs.items()]
    head = ["recipe", "EER, %", "speakers", "trials", "utterances that enrol"]
    meaning = paragraph(
        "Every speaker is enrolled with a few utterances; each other utterance is then set against everybody. The "
        "equal error rate is how often the wrong speaker is let in and the right one turned away, at the threshold "
        "where both are alike: 0 % is a voice never mistaken, 50 % a toss of a coin."
    )
    note = paragraph(
        "The voice is the last hidden layer of the term that learns speakers (the d-vector of Latif et al. 2022, "
        "section 6.2), the mean over pieces and over the utterances that enrol; scores are cosines. The speakers are "
        "those tested and those of the leak corpus: nobody learned from them. Mean over runs, small the 95 % interval"
        " by bootstrap over speakers, for all runs at once. In the picture, on normal-deviate scales, each curve is "
        "the mean over runs of the false rejections at the same false acceptances. What an emotion recognizer should "
        "forget, a speaker term learns: read it beside the leak.",
        "note",
    )
    body = [meaning, grid([_trade_off(runs)]), table(head, rows), note]
    return Section("verification", "New voices verified", Markup("").join(body))


def verified_runs(data: StudyData, name: str) -> list[Verified]:
    """The scores that the runs of a recipe kept."""
    folders = (run.folder(data.study) for run in data.runs(name))
    return [found for folder in folders if (found := read_verification(folder)) is not None]


def recipe_eer(data: StudyData, name: str) -> Interval | None:
    """The equal error rate of a recipe, mean over runs, with its interval over speakers; None where it has none."""
    runs = verified_runs(data, name)
    return eer_interval(runs) if runs else None


def _counts(results: pd.DataFrame) -> list[str]:
    return [_between(results[column]) for column in ("eer_speakers", "eer_trials", "eer_enrolled")]


def _between(values: pd.Series) -> str:
    known = values.dropna().astype(int)
    if known.empty:
        return NONE
    low, high = known.min(), known.max()
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _trade_off(runs: Mapping[str, list[Verified]]) -> Markup:
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plot(4.3 + 0.2 * len(runs), "False rejections over false acceptances")
        shown = norm.ppf((LOWEST, HIGHEST))
        axes.plot(shown, shown, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        for (name, found), colour in zip(runs.items(), COLOURS * (1 + len(runs) // len(COLOURS)), strict=False):
            mean = np.mean([_rejected(one) for one in found], axis=0).clip(1e-4, 1 - 1e-4)
            axes.plot(norm.ppf(RATES), norm.ppf(mean), color=colour, linewidth=1.8, label=name)
        places = norm.ppf(np.array(TICKS) / 100)
        axes.set_xticks(places, [str(tick) for tick in TICKS])
        axes.set_yticks(places, [str(tick) for tick in TICKS])
        axes.set_xlim(*shown)
        axes.set_ylim(*shown)
        axes.set_xlabel("others let in, %")
        axes.set_ylabel("turned away, %")
        axes.grid(color=FAINT)
        figure.legend(loc="outside lower left", ncols=3, columnspacing=1.2)
        return svg(figure, "trade-off", f"False rejections over false acceptances: {', '.join(runs)}")


def _rejected(run: Verified) -> NDArray[np.float64]:
    """FRR at each of the FARs of :data:`RATES`, on straight lines between the points of the curve."""
    rates = error_rates(*run.trials)
    return np.interp(RATES, rates.far[::-1], rates.frr[::-1])
