"""Both steps of a recipe's own class, for both scopes, over a network built from the reference arrays."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.batch import Batch
from unheard.methods.classification import Classification
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.methods.speaker_normalization import SpeakerNormalization
from unheard.networks.network import Network, Tap

FOLDER = os.environ.get("UNHEARD_ORACLES")
CASES = sorted((Path(FOLDER) / "speaker_normalization").glob("*.npz")) if FOLDER else []
SCOPES = {"TAP": "all", "SNP": "projector"}
FLOATS = {torch.float64: ("64-true", 1e-10), torch.float32: ("32-true", 1e-6)}

pytestmark = pytest.mark.skipif(not CASES, reason="UNHEARD_ORACLES does not name speaker_normalization/*.npz")


class Linear(Network):
    """h = x wᵀ + b as a network with one tap."""

    layouts = ("vector",)

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.taps = {"embedding": outputs}
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, features, lengths):
        return {"embedding": Tap(self.linear(features))}


def weights(model: Model) -> dict[str, nn.Parameter]:
    network = model.network
    layers = {"er_": model.term("emotion").head.output, "id_": model.term("speaker").head.output}
    layers[""] = network.linear if isinstance(network, Linear) else network.network.linear
    found = {f"{name}{kind[0]}": getattr(layer, kind) for name, layer in layers.items() for kind in ("weight", "bias")}
    if not isinstance(network, Linear):
        found |= {"what": network.projector.linear.weight, "bhat": network.projector.linear.bias}
    return found


def model_from(arrays, scope: str, dtype: torch.dtype) -> Model:
    network = Linear(arrays["init_w"].shape[1], arrays["init_w"].shape[0])
    terms = {name: {"tap": "embedding"} for name in ("emotion", "speaker")}
    network = SpeakerNormalization.adapted(network, terms, {"scope": scope})
    heads = {}
    for term, prefix in (("emotion", "er"), ("speaker", "id")):
        words = Vocabulary(term, tuple(map(str, range(len(arrays[f"init_{prefix}_b"])))))
        heads[term] = Classification(network.taps, words, column=term, hidden=(), dropout=0.0)
    model = Model(network, heads).to(dtype)
    with torch.no_grad():
        for name, weight in weights(model).items():
            weight.copy_(torch.from_numpy(arrays[f"init_{name}"]))
    return model


def batch(arrays, which: str, iteration: int, column: str, dtype: torch.dtype) -> Batch:
    features = torch.from_numpy(arrays[f"x{which}_iter{iteration}"]).to(dtype)
    labels = torch.from_numpy(arrays[f"y{which}_iter{iteration}"])
    return Batch(features, torch.ones(len(features), dtype=torch.long), {column: labels})


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_every_step_of_every_strategy(case: Path, dtype: torch.dtype):
    with np.load(case) as file:
        arrays = dict(file)
    summary = json.loads((case.parent / "summary.json").read_text())
    precision, close = FLOATS[dtype]
    strategies = sorted({match[1] for name in arrays if (match := re.match(r"(\w+?)_iter\d+_step", name))})
    assert strategies, "the case names no strategy"
    for strategy in strategies:
        steps = {match[1] for name in arrays if (match := re.match(rf"{strategy}_iter(\d+)_step", name))}
        model = model_from(arrays, SCOPES[strategy], dtype)
        method = SpeakerNormalization(
            model,
            OptimizerSettings(name="sgd", learning_rate=summary["eta"]),
            Fabric(accelerator="cpu", devices=1, precision=precision),
            scope=SCOPES[strategy],
            ascent_rate=summary["lambda_"],
            clip=None,
        )
        nothing = Batch(torch.zeros(1, arrays["init_w"].shape[1], dtype=dtype), torch.ones(1), {})
        for iteration in sorted(map(int, steps)):
            emotions = batch(arrays, "e", iteration, "emotion", dtype)
            speakers = batch(arrays, "s", iteration, "speaker", dtype)
            for step, (first, second) in enumerate(((emotions, nothing), (nothing, speakers)), start=1):
                before = {name: weight.detach().clone() for name, weight in weights(model).items()}
                losses = method.update(first, second)
                for name, weight in weights(model).items():
                    where = f"{strategy}_iter{iteration}_step{step}_{name}"
                    expected = torch.from_numpy(arrays[where]).to(dtype)
                    torch.testing.assert_close(weight.detach(), expected, atol=close, rtol=0, msg=where)
                    if np.array_equal(arrays[where], previous(arrays, strategy, iteration, step, name)):
                        assert torch.equal(weight, before[name]), where
                named = ("emotion", "loss_er_before") if step == 1 else ("speaker", "loss_id_before_step2")
                assert losses[named[0]] == pytest.approx(
                    float(arrays[f"{strategy}_iter{iteration}_{named[1]}"]), abs=1e-6
                )


def previous(arrays, strategy: str, iteration: int, step: int, name: str) -> np.ndarray:
    """What a parameter was before a step."""
    if step == 2:
        return arrays[f"{strategy}_iter{iteration}_step1_{name}"]
    return arrays[f"init_{name}"] if iteration == 1 else arrays[f"{strategy}_iter{iteration - 1}_step2_{name}"]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_both_steps_together_are_one_update(case: Path):
    with np.load(case) as file:
        arrays = dict(file)
    summary = json.loads((case.parent / "summary.json").read_text())
    for strategy, scope in SCOPES.items():
        model = model_from(arrays, scope, torch.float64)
        fabric = Fabric(accelerator="cpu", devices=1, precision="64-true")
        settings = OptimizerSettings(name="sgd", learning_rate=summary["eta"])
        method = SpeakerNormalization(
            model, settings, fabric, scope=scope, ascent_rate=summary["lambda_"], clip=None, ascent="same"
        )
        method.update(batch(arrays, "e", 1, "emotion", torch.float64), batch(arrays, "s", 1, "speaker", torch.float64))
        for name, weight in weights(model).items():
            expected = torch.from_numpy(arrays[f"{strategy}_iter1_step2_{name}"])
            torch.testing.assert_close(weight.detach(), expected, atol=1e-10, rtol=0, msg=name)
