"""New voices verified: what a run keeps of it, and what the report says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from unheard.evaluation.speaker_verification import VERIFICATION, read_verification
from unheard.metrics.verification import eer_interval, equal_error_rate
from unheard.studies.report.data import read_study
from unheard.studies.report.verification import recipe_eer, verification_part
from unheard.studies.run import RUN_FILES


def test_the_speakers_are_those_nobody_learned_from(autoencoders: Path) -> None:
    results = pd.read_csv(autoencoders / "results.csv")
    assert (results[["eer_speakers", "eer_enrolled"]] == [4, 5]).all(axis=None)  # three strangers, and who is tested
    assert (results["eer_trials"] == 4 * (3 + 3 * 1)).all()  # 8 − 5 of the one, 6 − 5 of each of the others
    for row in results.itertuples():
        folder = autoencoders / "runs" / row.recipe / f"fold{row.fold}-seed{row.seed}"
        kept = read_verification(folder)
        tested = pd.read_csv(folder / "predictions.csv", dtype="str")["speaker"].unique().tolist()
        assert [*kept.speakers] == [*tested, "stranger000", "stranger001", "stranger002"]
        assert row.eer == pytest.approx(equal_error_rate(*kept.trials).eer)
    assert VERIFICATION in RUN_FILES


def test_all_recipes_and_seeds_have_the_same_trials(autoencoders: Path) -> None:
    lists = [
        pd.read_csv(autoencoders / "runs" / name / "fold2-seed0" / VERIFICATION)["utterance"]
        for name in ("ae", "aae-2")
    ]
    assert lists[0].tolist() == lists[1].tolist()
    assert lists[0].str.startswith(("test: ", "leak: ")).all()


def test_the_report_has_the_number_its_interval_and_the_curve(autoencoders: Path) -> None:
    data = read_study(autoencoders)
    section = verification_part(data)
    assert section is not None
    runs = [read_verification(run.folder(autoencoders)) for run in data.runs("ae")]
    interval = recipe_eer(data, "ae")
    assert interval == eer_interval(runs)
    assert f"{100 * interval.estimate:.1f} " in section.body
    assert "False rejections over false acceptances: ae, aae-3, aae-2" in section.body


def test_a_study_without_such_terms_has_no_section(autoencoders: Path) -> None:
    data = read_study(autoencoders)
    object.__setattr__(data, "study", autoencoders / "nowhere")
    assert verification_part(data) is None
    assert recipe_eer(data, "ae") is None
