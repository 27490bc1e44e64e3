"""What a search found, for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from unheard.studies.plan import Plan
from unheard.studies.tuning.tune import Tuning, best_number, score_name, trial_table

#: So many trials are shown; ``trials.csv`` has all.
SHOWN = 10


def tune_text(folder: Path) -> str:
    """The best trials in a table, and what is to be said about the best one."""
    tuning, tried = Tuning.load(folder)
    table = trial_table(tuning, tried)
    best = best_number(table, tuning.measure)
    top = table[tuning.measure].max()
    equal = int((table[tuning.measure] == top).sum())
    lines = [_table(table, tuning)]
    if len(table) > SHOWN:
        lines.append(f"… and {len(table) - SHOWN} more in {folder / 'trials.csv'}")
    lines += ["", f"best: trial {best} of {len(table)}, {score_name(tuning.measure)} {top:.1%}"]
    lines += [f"{equal} trials are equally good; the first of them is taken"] if equal > 1 else []
    lines += tuning.search.edges(tried[best - 1], tuning.recipe)
    return "\n".join(lines + _seen(tuning.plan))


def _table(table: pd.DataFrame, tuning: Tuning) -> str:
    measure = tuning.measure
    shown = table.sort_values(measure, ascending=False, kind="stable").head(SHOWN)
    columns: dict[str, Any] = {"trial": shown["number"]}
    columns |= {key: shown[key].map(_short) for key in tuning.search.parts}
    columns[score_name(measure)] = [
        f"{100 * mean:.1f} ± {100 * sd:.1f}" for mean, sd in zip(shown[measure], shown[f"{measure}_sd"], strict=True)
    ]
    columns["seconds"] = shown["seconds"].map("{:.0f}".format)
    return pd.DataFrame(columns).to_string(index=False)


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _seen(plan: Plan) -> list[str]:
    """A sentence where the choice has seen speakers that a study under the same protocol tests."""
    folds, speakers = plan.cut(), plan.corpus.table["speaker"]
    judged = {speaker for number in plan.folds for speaker in speakers.iloc[folds[number - 1].dev].dropna()}
    tested = {speaker for fold in folds for speaker in speakers.iloc[fold.test].dropna()}
    if not judged & tested:
        return []
    return [
        f"{len(judged & tested)} of the {len(judged)} dev speakers it was chosen by are test speakers in other folds "
        f"of {plan.protocol.name}: a study over those folds tests on speakers that had a say in the choice"
    ]
