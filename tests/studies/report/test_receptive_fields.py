"""A report shows what the receptive fields of a network learned, of the run that is drawn."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unheard.evaluation.projection import keep_arrays
from unheard.studies.inside import RECEPTIVE_FIELDS
from unheard.studies.report.plots import mosaic
from unheard.studies.report.receptive_fields import receptive_field_part
from unheard.studies.report.write import PARTS
from unheard.studies.run import RUN_FILES


def study_data(folder: Path, projected: tuple[int, int] | None = None) -> Any:
    """Two recipes with two runs each; the first one's networks have receptive fields."""
    runs = {
        name: [
            SimpleNamespace(fold=fold, seed=0, folder=lambda study, name=name, fold=fold: study / f"{name}-{fold}")
            for fold in (1, 2)
        ]
        for name in ("with", "without")
    }
    for fold in (1, 2):
        (folder / f"with-{fold}").mkdir(parents=True)
        keep_arrays(folder / f"with-{fold}" / RECEPTIVE_FIELDS, {"kernels": np.full((2 * fold, 5, 3), 0.5, np.float32)})
    return SimpleNamespace(study=folder, names=list(runs), runs=runs.get, shown={(2, 0), (1, 0)}, projected=projected)


@pytest.mark.parametrize(("projected", "kernels"), [(None, 2), ((2, 0), 4)])
def test_the_kernels_of_one_run_are_drawn(tmp_path: Path, projected: tuple[int, int] | None, kernels: int) -> None:
    section = receptive_field_part(study_data(tmp_path, projected))
    assert section is not None
    assert f"with: {kernels} kernels over time and frequency" in section.body
    assert "without:" not in section.body
    assert f"Fold {kernels // 2}, seed 0" in section.body
    assert receptive_field_part in PARTS
    assert RECEPTIVE_FIELDS in RUN_FILES


def test_without_kernels_there_is_no_section(tmp_path: Path) -> None:
    data = study_data(tmp_path)
    data.names = ["without"]
    assert receptive_field_part(data) is None


@pytest.mark.parametrize("count", [1, 8, 9])
def test_any_number_of_kernels_is_drawn_zeros_too(count: int) -> None:
    drawn = mosaic("some", np.zeros((count, 5, 3), np.float32), "fields")
    assert "data:image/png;base64" in drawn
    assert 'id="fields-' in drawn
