"""What autoencoders make of the test utterances: in a run's folder, in the results and in the report."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unheard.evaluation.autoencoding import AUTOENCODER, prior_distance, read_autoencoded
from unheard.studies.report.autoencoder import autoencoder_part
from unheard.studies.report.data import read_study
from unheard.studies.report.paired import change, mean_over_folds
from unheard.studies.run import RUN_FILES


def test_the_columns_are_those_of_what_is_kept(autoencoders: Path) -> None:
    results = pd.read_csv(autoencoders / "results.csv")
    for row in results.itertuples():
        kept = read_autoencoded(autoencoders / "runs" / row.recipe / f"fold{row.fold}-seed{row.seed}")
        assert row.latent_distance == pytest.approx(prior_distance(kept["mean"], kept["variance"]), rel=1e-3)
        assert row.latent_mean == pytest.approx(np.abs(kept["mean"]).mean(), rel=1e-3)
        assert row.latent_variance == pytest.approx(np.abs(kept["variance"] - 1).mean(), rel=1e-3)
        assert row.reconstruction > 0
        assert kept["inputs"].shape == kept["outputs"].shape == (3, 8, 16)
    assert AUTOENCODER in RUN_FILES


def test_the_report_sets_the_adversary_against_its_twin(autoencoders: Path) -> None:
    data = read_study(autoencoders)
    section = autoencoder_part(data)
    assert section is not None
    assert "aae-3 against ae" in section.body
    assert "ae against" not in section.body.replace("aae-3 against", "").replace("aae-2 against", "")
    results = pd.read_csv(autoencoders / "results.csv").set_index(["recipe", "fold"])["latent_distance"]
    ratio = math.exp(np.log(results["aae-3"] / results["ae"]).mean())
    found = change(data, "latent_distance", "aae-3", "ae")
    assert found.estimate == pytest.approx(ratio - 1)
    assert found.low < found.estimate < found.high
    assert "Histogram of the values of the code beside N(0, 1): ae, aae-3, aae-2" in section.body
    assert section.body.count("3 pictures of test utterances above their reconstructions") == 3


def test_recipes_without_a_reconstruction_have_no_section(autoencoders: Path) -> None:
    data = read_study(autoencoders)
    object.__setattr__(data, "results", data.results.drop(columns="reconstruction"))
    assert autoencoder_part(data) is None
    assert change(data, "reconstruction", "aae-3", "ae") is None


def test_a_mean_over_folds_weighs_folds_alike() -> None:
    index = pd.MultiIndex.from_tuples([(1, 0), (1, 1), (2, 0)], names=["fold", "seed"])
    found = mean_over_folds(pd.Series([1.0, 3.0, 4.0], index))
    assert found.estimate == 3
    assert found.high - 3 == pytest.approx(12.706 * math.sqrt(2) / math.sqrt(2), rel=1e-3)
    assert math.isnan(mean_over_folds(pd.Series([1.0, 3.0], index[:2])).low)
    assert math.isnan(mean_over_folds(pd.Series([], dtype="float64")).estimate)
