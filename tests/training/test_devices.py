"""Several devices for one training, here processors: they learn what one learns."""

from __future__ import annotations

import os
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trees.copies import RULES, every_rule, one_is_wrong, steps
from trees.splits import DEV, TRAIN, history, recipe
from unheard.errors import InputError
from unheard.training.batches import Share, training_order
from unheard.training.devices import Devices
from unheard.training.fit import fit
from unheard.training.loop import NetworkRun
from unheard.training.split import Split

STAGE = (
    "stages=[{name: voices, data: train, terms: {speaker: {kind: classification, column: speaker}}, "
    "training: {epochs: 2, batch_size: 8}}]"
)


@pytest.mark.parametrize("text", ["gpu", "0xcpu", "2 x cpu", "cuda:1", "2xmps", ""])
def test_a_device_that_is_none(text: str):
    with pytest.raises(InputError, match="is no device; take cpu, cuda or auto"):
        Devices.parse(text)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("text", ["cuda", "2xcuda"])
def test_a_gpu_that_is_not_there(text: str):
    with pytest.raises(InputError, match="there is no GPU here that PyTorch can use"):
        Devices.parse(text)


@given(st.integers(2, 60), st.integers(1, 4), st.integers(2, 5))
def test_the_shares_of_a_batch_are_the_batch(count: int, devices: int, each: int):
    if count < 2 * devices:
        count = 2 * devices
    batches = training_order(np.arange(count), each * devices, 0, 0, devices)
    for batch in batches:
        shares = [Share(rank, devices).of(batch) for rank in range(devices)]
        assert sorted(np.concatenate(shares)) == sorted(batch)
        assert min(map(len, shares)) >= 2
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert sorted(np.concatenate(batches)) == list(range(count))


def test_two_devices_take_the_steps_of_one():
    alone, _ = every_rule(Devices("cpu").one("32-true"))
    together, uneven = Devices("cpu", 2).launch("32-true", every_rule)
    for rule in RULES:
        for name, value in alone[rule].items():
            assert np.allclose(together[rule][name], value, atol=1e-6), (rule, name)
            assert np.isfinite(uneven[rule][name]).all(), (rule, name)
    start = steps(Devices("cpu").one("32-true"), "descent", emotion=[-1] * 8, speaker=[-1] * 8)
    spare = start["network.spare.weight"]  # no weight without a gradient moves
    assert all(np.array_equal(weights["network.spare.weight"], spare) for weights in together.values())
    assert not np.array_equal(alone["descent"]["network.linear.weight"], start["network.linear.weight"])


def test_what_one_device_has_to_say_ends_them_all(monkeypatch):
    monkeypatch.setenv("MASTER_PORT", "1")  # of somebody else
    monkeypatch.setenv("SLURM_NTASKS", "1")
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    with pytest.raises(InputError, match="one clear sentence"):
        Devices("cpu", 2).launch("32-true", one_is_wrong)
    assert os.environ["MASTER_PORT"] == "1"


def test_an_interactive_session_has_one_device(monkeypatch):
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert Devices.parse("cpu") == Devices("cpu")
    with pytest.raises(InputError, match="a notebook or an interactive session cannot start"):
        Devices.parse("2xcpu")


def test_a_training_on_two_devices_is_one_to_go_on_with(tmp_path, capfd):
    chosen = recipe("tdnn", STAGE, "training.epochs=3")
    first = fit(chosen, TRAIN, DEV, 0, tmp_path, "2xcpu")
    rows = history(tmp_path)
    assert [row["epoch"] for row in rows] == [0, 1, 2]
    assert capfd.readouterr().out.count("starts from") == 1
    again = fit(chosen, TRAIN, DEV, 0, tmp_path, "cpu")
    assert history(tmp_path) == rows
    assert np.array_equal(first.posteriors(DEV.features), again.posteriors(DEV.features))


def test_a_batch_that_cannot_be_divided(tmp_path):
    run = NetworkRun(recipe("tdnn"), TRAIN, DEV, 0, tmp_path, "cpu")
    run.share = Share(0, 5)
    with pytest.raises(InputError, match="batches of 8 are too small for 5 devices, which need two items each"):
        run.train()


def test_a_process_maps_the_same_files(tmp_path):
    values = np.arange(1000, dtype=np.float32)
    np.save(tmp_path / "shard.npy", values)
    shard = np.load(tmp_path / "shard.npy", mmap_mode="r")
    features = [shard[10:16].reshape(3, 2), np.ones((2, 2), np.float32), shard[500:].reshape(-1, 5), shard[:20:2]]
    sent = pickle.dumps(Split(pd.DataFrame({"id": list("abcd")}), features))
    assert len(sent) < 1500
    there = pickle.loads(sent)
    assert all(np.array_equal(one, other) for one, other in zip(there.features, features, strict=True))
    assert isinstance(there.features[0], np.memmap)
    assert there.table["id"].tolist() == list("abcd")
