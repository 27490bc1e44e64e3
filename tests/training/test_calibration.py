"""A recognizer's calibration is saved with it, holds wherever posteriors leave it, and cannot be hostile."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unheard.audio import read_audio
from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.metrics.calibration import tempered
from unheard.recognizer import Recognizer
from unheard.training.calibration import Calibration
from unheard.training.fitted import load_fitted

HALF = Calibration(temperature=0.5, threshold=0.25)


@pytest.fixture
def folder(small_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_run / "recognizer", tmp_path / "recognizer"))


def config_with(folder: Path, calibration: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"calibration": calibration}))


def test_a_run_saves_none_and_its_predictions_are_raw(small_run: Path, tiny_corpus: Corpus):
    assert "calibration" not in json.loads((small_run / "recognizer" / "config.json").read_text())
    recognizer = Recognizer.load(small_run)
    assert recognizer.fitted.calibration == Calibration(1.0, 0.0)
    heard = recognizer.hear(tiny_corpus.audio_path(0)).features
    assert np.array_equal(recognizer.fitted.posteriors([heard]), recognizer.fitted.raw_posteriors([heard]))


def test_it_is_saved_and_loaded(folder: Path, tmp_path: Path):
    fitted, facts = load_fitted(folder)
    fitted.calibration = HALF
    fitted.save(tmp_path / "saved", facts)
    assert json.loads((tmp_path / "saved" / "config.json").read_text())["calibration"] == {
        "temperature": 0.5,
        "threshold": 0.25,
    }
    assert load_fitted(tmp_path / "saved")[0].calibration == HALF
    config_with(folder, {"threshold": 1})
    assert load_fitted(folder)[0].calibration == Calibration(1.0, 1.0)


def test_a_card_of_ones_own_is_kept(folder: Path, tmp_path: Path):
    fitted, _ = load_fitted(folder)
    fitted.save(tmp_path / "saved", {"anything": 1}, "# Mine\n")
    assert Recognizer.load(tmp_path / "saved").card == "# Mine\n"


def test_the_temperature_holds_wherever_posteriors_leave_it(folder: Path, small_run: Path, tiny_corpus: Corpus):
    raw = Recognizer.load(small_run)
    config_with(folder, {"temperature": 0.1})
    sharp = Recognizer.load(folder)
    sound = read_audio(tiny_corpus.audio_path(0))
    before, after = (list(one.predict(sound).probabilities.values()) for one in (raw, sharp))
    np.testing.assert_allclose(after, tempered(before, 0.1), atol=1e-5)
    assert max(after) > max(before) + 0.05
    windows = [one.timeline(sound).posteriors for one in (raw, sharp)]
    np.testing.assert_allclose(windows[1], tempered(windows[0], 0.1), atol=1e-5)
    streams = [one.stream() for one in (raw, sharp)]
    streamed = [[*stream.push(sound), *stream.finish()][0].posteriors for stream in streams]
    np.testing.assert_allclose(streamed[1], tempered(streamed[0], 0.1), atol=1e-5)


def test_it_is_the_one_that_was_fitted_on_predictions(folder: Path, small_run: Path, tiny_corpus: Corpus):
    """What a temperature makes of a run's predictions is what the recognizer says with it."""
    config_with(folder, {"temperature": 0.2})
    recognizer = Recognizer.load(folder)
    table = pd.read_csv(small_run / "predictions.csv")
    rows = {id_: row for row, id_ in enumerate(tiny_corpus.table["id"])}
    for line, expected in zip(table.itertuples(), tempered(table[["p_angry", "p_sad"]], 0.2), strict=True):
        found = recognizer.predict(tiny_corpus.audio_path(rows[line.id])).probabilities
        assert list(found.values()) == pytest.approx(list(expected), abs=1e-4)


@pytest.mark.parametrize("key", ["temperature", "threshold"])
@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, -0.01, 1e300, 10**400, "1", "", None, True, False, [1], {"value": 1}],
    ids=str,
)
def test_what_is_no_number_that_it_can_be_is_refused(folder: Path, key: str, value: object):
    config_with(folder, {key: value})
    with pytest.raises(InputError) as problem:
        load_fitted(folder)
    assert str(problem.value).startswith(f'{folder / "config.json"}, calibration: "{key}" is a number from')
    assert "\n" not in str(problem.value)


def test_a_temperature_of_zero_is_refused(folder: Path):
    config_with(folder, {"temperature": 0})
    with pytest.raises(InputError, match=r'"temperature" is a number from 0\.05 to 20'):
        load_fitted(folder)


@pytest.mark.parametrize("value", [None, 1.5, "", [], [1.0], {"temperature": 1.0, "code\n": 1}, {"": {}}], ids=str)
def test_what_is_no_calibration_is_refused(folder: Path, value: object):
    config_with(folder, value)
    with pytest.raises(InputError, match=r"calibration: this can hold temperature and threshold and nothing else$"):
        load_fitted(folder)
