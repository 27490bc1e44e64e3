from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trees.splits import DEV, TRAIN, recipe
from unheard.errors import InputError
from unheard.evaluation.frames import frame_posteriors, frame_term
from unheard.studies.inside import look_inside, read_frames
from unheard.training.calibration import Calibration
from unheard.training.fit import fit

SEGMENTS = "terms.segments={kind: segments, column: emotion, hidden: [8]}"


def test_every_frame_of_every_utterance(tmp_path: Path) -> None:
    fitted = fit(recipe("tdnn", SEGMENTS, "training.epochs=1", "front_end.activity=none"), TRAIN, DEV, 0, tmp_path)
    assert frame_term(fitted) == "segments"
    together = frame_posteriors(fitted, DEV.features)
    for values, frames in zip(DEV.features, together, strict=True):
        assert frames.shape[1] == 2
        assert abs(len(frames) - len(values)) <= 20  # the network's context
        np.testing.assert_allclose(frames.sum(1), 1, atol=1e-5)
        np.testing.assert_allclose(frames, frame_posteriors(fitted, [values])[0], atol=1e-5)  # padding changes nothing
    fitted.calibration = Calibration(temperature=4)
    assert frame_posteriors(fitted, DEV.features[:1])[0].max() < together[0].max()

    look_inside(fitted, TRAIN, DEV, DEV, tmp_path)
    kept = read_frames(tmp_path)
    assert kept is not None
    assert list(kept.columns) == ["id", "emotion", "p_happy", "p_sad"]
    assert kept["emotion"].unique().tolist() == ["happy", "sad"]
    first = DEV.table["emotion"].tolist().index("happy")
    assert (kept["id"] == DEV.table["id"][first]).sum() == len(together[first])


def test_without_such_a_term_there_are_none(tmp_path: Path) -> None:
    fitted = fit(recipe("tdnn", "training.epochs=1"), TRAIN, DEV, 0, tmp_path)
    assert frame_term(fitted) is None
    with pytest.raises(InputError, match="trained without a term of kind segments"):
        frame_posteriors(fitted, DEV.features)
    look_inside(fitted, TRAIN, DEV, DEV, tmp_path)
    assert read_frames(tmp_path) is None
