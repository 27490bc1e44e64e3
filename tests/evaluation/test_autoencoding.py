"""What an autoencoder makes of new recordings, against the same by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from unheard.evaluation.autoencoding import (
    EDGES,
    autoencoded,
    keep_autoencoded,
    prior_distance,
    read_autoencoded,
)
from unheard.recipe import Recipe
from unheard.training.batches import Items
from unheard.training.fit import fit
from unheard.training.fitted import Fitted
from unheard.training.split import Split

#: Pictures of 8 × 16, codes of 3 × 2 × 4.
SMALL = ("front_end.average=32", "front_end.frames=16", "network.frames=16", "network.channels=[4,3]",
         "terms.emotion.channels=2", "terms.emotion.hidden=[6,6]", "training.epochs=2", "training.batch_size=4",
         "optimizer.learning_rate=0.01", "optimizer.schedule=constant", "training.select=last")  # fmt: skip
AE = (*SMALL, "terms.reconstruction.channels=[4]")
AAE = (*AE, "terms.prior.channels=2", "terms.prior.hidden=[6,6]")


def split(utterances: int, seed: int) -> Split:
    draw = np.random.default_rng(seed)
    features = [draw.standard_normal((draw.integers(10, 50), 8)).astype(np.float32) for _ in range(utterances)]
    table = pd.DataFrame({"id": [f"u{index}" for index in range(utterances)], "speaker": "a"})
    return Split(table.assign(emotion=["angry", "sad"] * (utterances // 2)), features)


def trained(folder: Path, name: str, overrides: tuple[str, ...]) -> Fitted:
    nobody = Split(split(2, 0).table.iloc[:0], [])
    return fit(Recipe.load(name, overrides), split(12, 0), nobody, 0, folder, "cpu")


@pytest.mark.parametrize(("name", "overrides"), [("ae-single", AE), ("aae-single", AAE)])
def test_by_hand(tmp_path: Path, name: str, overrides: tuple[str, ...]) -> None:
    fitted, test = trained(tmp_path, name, overrides), split(10, 1)
    found = autoencoded(fitted, test.features)
    items = Items.cut(fitted.front_end, test.features)
    assert len(items) > 10
    fitted.model.eval()
    with torch.no_grad():
        taps, _ = fitted.model(items.batch(np.arange(len(items)), fitted.front_end), losses=False)
    codes = taps["latent"].values.numpy()
    pictures, made = taps["input"].values.numpy(), taps["reconstruction.output"].values.numpy()
    assert found.error == pytest.approx(np.square(pictures - made).mean(), rel=1e-4)
    np.testing.assert_allclose(found.mean, codes.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.variance, codes.var(axis=0, ddof=1), atol=1e-4)
    assert found.histogram.sum() == codes.size
    assert found.histogram[: len(EDGES) // 2].sum() == pytest.approx((codes < 0).sum(), abs=2)
    first = [int(np.searchsorted(items.owner, utterance)) for utterance in (0, 4, 9)]
    np.testing.assert_allclose(found.inputs, pictures[first].reshape(3, 8, 16), atol=1e-5)
    np.testing.assert_allclose(found.outputs, made[first].reshape(3, 8, 16), atol=1e-5)
    assert found.columns == {
        "reconstruction": found.error,
        "latent_distance": pytest.approx(prior_distance(found.mean, found.variance)),
        "latent_mean": pytest.approx(np.abs(codes.mean(axis=0)).mean(), abs=1e-5),
        "latent_variance": pytest.approx(np.abs(codes.var(axis=0, ddof=1) - 1).mean(), abs=1e-4),
    }


def test_it_does_not_depend_on_batches(tmp_path: Path) -> None:
    fitted, test = trained(tmp_path, "ae-single", AE), split(10, 1)
    whole = autoencoded(fitted, test.features)
    fitted.recipe = fitted.recipe.changed({"training.batch_size": 3}, "here")
    again = autoencoded(fitted, test.features)
    assert again.error == pytest.approx(whole.error)
    np.testing.assert_allclose(again.variance, whole.variance, rtol=1e-4, atol=1e-6)


def test_one_piece_has_an_error_and_no_variance(tmp_path: Path) -> None:
    found = autoencoded(trained(tmp_path, "ae-single", AE), [np.ones((12, 8), np.float32)])
    assert found.columns["reconstruction"] > 0
    assert found.columns["latent_distance"] is found.columns["latent_variance"] is None
    assert len(found.inputs) == 1


def test_it_is_kept_and_read(tmp_path: Path) -> None:
    found = autoencoded(trained(tmp_path / "run", "ae-single", AE), split(4, 2).features)
    keep_autoencoded(tmp_path, found)
    kept = read_autoencoded(tmp_path)
    for name in ("mean", "variance", "histogram", "inputs", "outputs"):
        np.testing.assert_allclose(kept[name], getattr(found, name), rtol=2e-3, atol=2e-3)
    assert read_autoencoded(tmp_path / "nowhere") == {}


def test_a_recipe_without_a_reconstruction_has_nothing(tmp_path: Path) -> None:
    assert autoencoded(trained(tmp_path, "cnn", SMALL), split(4, 2).features) is None


def test_draws_from_the_prior_are_near_it() -> None:
    draws = np.random.default_rng(0).standard_normal((4000, 50))
    assert prior_distance(draws.mean(axis=0), draws.var(axis=0)) < 0.001
    assert prior_distance(np.zeros(3), np.zeros(3)) == 1
