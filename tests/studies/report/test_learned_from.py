"""What a report says of terms and auxiliary data that were not there."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from unheard.studies.report.training import learned_from

RESULTS = {
    "plain": pd.DataFrame({"ua": [0.5, 0.6]}),
    "all": pd.DataFrame({"dropped": [None, None], "auxiliary_utterances": [9, 9], "auxiliary_left_out": [0, 0]}),
    "some": pd.DataFrame(
        {"dropped": ["gender, age", None, "gender"], "auxiliary_utterances": [7, 8, 0], "auxiliary_left_out": [2, 1, 0]}
    ),
}


def test_what_was_not_learned_from_is_said():
    recipes = [SimpleNamespace(name=name) for name in RESULTS]
    plan = SimpleNamespace(recipes=recipes, corpus=SimpleNamespace(name="emodb"))
    assert learned_from(SimpleNamespace(plan=plan, results_of=RESULTS.__getitem__)) == [
        "DROPPED: some has no labels for gender in 1 run",
        "DROPPED: some has no labels for gender, age in 1 run",
        "NO AUXILIARY DATA: some takes it, and learned from emodb alone in 1 run",
        "LEFT OUT: of the auxiliary data up to 2 utterances in a run of some, whose speaker or recording its fold "
        "selects or tests by",
    ]
