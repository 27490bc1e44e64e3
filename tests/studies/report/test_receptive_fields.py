"""A report shows what the receptive fields of a network learned, of the run that is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trees.drawn import run_folder, two_recipes
from unheard.evaluation.projection import keep_arrays
from unheard.studies.inside import RECEPTIVE_FIELDS
from unheard.studies.report.data import StudyData
from unheard.studies.report.plots import mosaic
from unheard.studies.report.receptive_fields import receptive_field_part
from unheard.studies.report.write import PARTS
from unheard.studies.run import RUN_FILES


def study_data(folder: Path, projected: tuple[int, int], *names: str) -> StudyData:
    """The first recipe's networks have receptive fields."""
    for fold in (1, 2):
        kernels = np.full((2 * fold, 5, 3), 0.5, np.float32)
        keep_arrays(run_folder(folder, fold) / RECEPTIVE_FIELDS, {"kernels": kernels})
    return two_recipes(folder, projected, *names)


@pytest.mark.parametrize(("projected", "kernels"), [((1, 0), 2), ((2, 0), 4)])
def test_the_kernels_of_one_run_are_drawn(tmp_path: Path, projected: tuple[int, int], kernels: int) -> None:
    section = receptive_field_part(study_data(tmp_path, projected))
    assert section is not None
    assert f"with: {kernels} kernels over time and frequency" in section.body
    assert "without:" not in section.body
    assert f"Fold {kernels // 2}, seed 0" in section.body
    assert receptive_field_part in PARTS
    assert RECEPTIVE_FIELDS in RUN_FILES


def test_without_kernels_there_is_no_section(tmp_path: Path) -> None:
    data = study_data(tmp_path, (1, 0), "without")
    assert receptive_field_part(data) is None


@pytest.mark.parametrize("count", [1, 8, 9])
def test_any_number_of_kernels_is_drawn_zeros_too(count: int) -> None:
    drawn = mosaic("some", np.zeros((count, 5, 3), np.float32), "fields")
    assert "data:image/png;base64" in drawn
    assert 'id="fields-' in drawn
