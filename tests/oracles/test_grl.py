"""The domain-adversarial step of a recipe's own classes, over a network built from the reference arrays."""

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
from unheard.methods.descent import Descent
from unheard.methods.gradient_reversal import Reversal
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks.network import Network, Tap

FOLDER = os.environ.get("UNHEARD_ORACLES")
CASES = sorted((Path(FOLDER) / "grl").glob("*.npz")) if FOLDER else []
RATE = 0.1

pytestmark = pytest.mark.skipif(not CASES, reason="UNHEARD_ORACLES does not name a folder with grl/*.npz")


class Linear(Network):
    """z = relu(x W + b) as a network with one tap."""

    layouts = ("vector",)

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.taps = {"embedding": outputs}
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, features, lengths):
        return {"embedding": Tap(self.linear(features).relu())}


def strengths(arrays) -> list[str]:
    return sorted({match[1] for name in arrays if (match := re.match(r"grad_lambda([0-9.e-]+)_", name))})


def model_from(arrays, strength: float) -> Model:
    network = Linear(arrays["enc_w"].shape[1], arrays["enc_w"].shape[0])
    heads = {}
    for term, prefix, column in (("emotion", "emo", "emotion"), ("speaker", "spk", "speaker")):
        words = Vocabulary(column, tuple(map(str, range(len(arrays[f"{prefix}_b"])))))
        reverse = Reversal(schedule="constant", strength=strength) if term == "speaker" else None
        heads[term] = Classification(network.taps, words, column=column, hidden=(), dropout=0.0, reverse=reverse)
    model = Model(network, heads).double()
    with torch.no_grad():
        for name, parameter in weights(model).items():
            parameter.copy_(torch.from_numpy(arrays[name]))
    return model


def weights(model: Model) -> dict[str, nn.Parameter]:
    layers = {
        "enc": model.network.linear,
        "emo": model.term("emotion").head.output,
        "spk": model.term("speaker").head.output,
    }
    return {f"{name}_{kind[0]}": getattr(layer, kind) for name, layer in layers.items() for kind in ("weight", "bias")}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_one_step_has_the_reference_gradients(case):
    with np.load(case) as file:
        arrays = dict(file)
    assert strengths(arrays), "the case names no strength of the reversal"
    for strength in strengths(arrays):
        model = model_from(arrays, float(strength))
        before = {name: parameter.detach().clone() for name, parameter in weights(model).items()}
        fabric = Fabric(accelerator="cpu", devices=1, precision="64-true")
        method = Descent(model, OptimizerSettings(name="sgd", learning_rate=RATE), fabric)
        features = torch.from_numpy(arrays["x"])
        labels = {"emotion": torch.from_numpy(arrays["y"]), "speaker": torch.from_numpy(arrays["s"])}
        losses = method.update(Batch(features, torch.ones(len(features), dtype=torch.long), labels))
        assert losses["emotion"] == pytest.approx(float(arrays["loss_emotion"]), abs=1e-6)
        assert losses["speaker"] == pytest.approx(float(arrays["loss_speaker"]), abs=1e-6)
        for name, parameter in weights(method.module).items():
            expected = before[name] - RATE * torch.from_numpy(arrays[f"grad_lambda{strength}_{name}"])
            assert torch.allclose(parameter, expected, atol=1e-10), f"{name} at λ = {strength}"
