"""A report shows the emotion over the time of utterances, of the run that is drawn."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from trees.drawn import run_folder, two_recipes
from unheard.studies.inside import FRAMES
from unheard.studies.report.data import StudyData
from unheard.studies.report.frames import frame_part, stacks
from unheard.studies.report.write import PARTS
from unheard.studies.run import RUN_FILES


def frames(*emotions: str, count: int = 3) -> pd.DataFrame:
    rows = [(emotion[:1], emotion, 0.25, 0.75) for emotion in emotions for _ in range(count)]
    return pd.DataFrame(rows, columns=["id", "emotion", "p_angry", "p_sad"])


def study_data(folder: Path, projected: tuple[int, int], *names: str) -> StudyData:
    """The first recipe's runs tell of frames, in the second fold of sad ones only."""
    for fold, kept in ((1, frames("angry", "sad")), (2, frames("sad"))):
        kept.to_csv(run_folder(folder, fold) / FRAMES, index=False)
    return two_recipes(folder, projected, *names)


@pytest.mark.parametrize(("projected", "fold", "told"), [((1, 0), 1, "angry, sad"), ((2, 0), 2, "sad")])
def test_the_frames_of_one_run_are_drawn(tmp_path: Path, projected: tuple[int, int], fold: int, told: str) -> None:
    section = frame_part(study_data(tmp_path, projected))
    assert section is not None
    assert f"with: the probability of each emotion over the time of utterances of {told}" in section.body
    assert "without:" not in section.body
    assert f"Fold {fold}, seed 0" in section.body
    assert frame_part in PARTS
    assert FRAMES in RUN_FILES


def test_without_frames_there_is_no_section(tmp_path: Path) -> None:
    data = study_data(tmp_path, (1, 0), "without")
    assert frame_part(data) is None


def test_an_utterance_of_one_frame_and_a_name_to_be_escaped() -> None:
    drawn = stacks("some", frames("<b>", count=1), "frames")
    assert "<b>" not in drawn
    assert "&lt;b&gt;" in drawn
