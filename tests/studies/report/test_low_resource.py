"""The low-resource curve of a report, and weights that make a WA of an area."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from unheard.metrics.curves import low_resource_curve
from unheard.metrics.predictions import scores
from unheard.studies.report.low_resource import low_resource_part, utterances_of_each, weighted
from unheard.studies.report.write import PARTS

#: What each fold trains on of each emotion, and how many of its eight test utterances are right.
SIZES, RIGHT = (5, 5, 20, 20, 40), (2, 4, 5, 7, 8)


def study_data(sizes: tuple[int | None, ...] = SIZES) -> Any:
    """One recipe, a run for each size."""
    runs = [
        pd.DataFrame(
            {"fold": fold, "seed": 0, "emotion": ["sad", "angry"] * 4, "predicted": ["sad", "angry"] * 4}
        ).assign(predicted=lambda run, right=right: run["predicted"].where(np.arange(8) < right, "happy"))
        for fold, right in enumerate(RIGHT[: len(sizes)], 1)
    ]
    table = pd.concat(runs, ignore_index=True)
    folds = [SimpleNamespace(of_each=size) for size in sizes]
    shown = {(fold, 0) for fold in range(1, len(sizes) + 1)}
    plan = SimpleNamespace(cut=lambda: folds)
    return SimpleNamespace(plan=plan, shown=shown, names=["tdnn"], of=lambda name: table, predictions=table)


def test_the_weights_make_the_area_a_wa() -> None:
    data = study_data()
    sizes = utterances_of_each(data)
    assert sizes == dict(enumerate(SIZES, 1))
    found = weighted(data.predictions, sizes)
    assert found["weight"].sum() == pytest.approx(1)
    area = low_resource_curve([5, 20, 40], [[3 / 8], [6 / 8], [8 / 8]]).area_linear
    assert scores(found, "seed")["wa"].tolist() == pytest.approx([area])
    one = found[found["fold"] <= 2]
    assert scores(weighted(one, sizes), "seed")["wa"].tolist() == pytest.approx([3 / 8])


def test_the_report_has_the_curve_and_its_area() -> None:
    section = low_resource_part(study_data())
    assert section is not None
    for cell in ("37.5", "75.0", "100.0", "70.8"):  # the points of WA, and their mean
        assert cell in section.body
    assert "WA over utterances of each emotion, a line for each recipe" in section.body
    assert low_resource_part in PARTS


@pytest.mark.parametrize("sizes", [(5, 5), (None, None)])
def test_without_two_sizes_there_is_no_curve(sizes: tuple[int | None, ...]) -> None:
    assert low_resource_part(study_data(sizes)) is None
