"""The cross-gradient step of a recipe's own classes, over a network built from the reference arrays."""

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
from unheard.methods.cross_gradient import CrossGradient
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks.network import Network, Tap

FOLDER = os.environ.get("UNHEARD_ORACLES")
CASES = sorted((Path(FOLDER) / "cgt").glob("*.npz")) if FOLDER else []
RATE = 0.1
NUMBER = r"[0-9.]+(?:e-?[0-9]+)?"
LOSS = re.compile(rf"loss_(sum|mean)_(noclip|clip{NUMBER})_eps({NUMBER})_alpha({NUMBER})")

pytestmark = pytest.mark.skipif(not CASES, reason="UNHEARD_ORACLES does not name a folder with cgt/*.npz")


class Linear(Network):
    """z = relu(x W + b) as a network with one tap; it remembers what came in."""

    layouts = ("vector",)

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.taps = {"embedding": outputs}
        self.linear = nn.Linear(inputs, outputs)
        self.seen = []

    def forward(self, features, lengths):
        self.seen.append(features.detach()[:, 0].clone())
        return {"embedding": Tap(self.linear(features[:, 0]).relu())}


def model_from(arrays) -> Model:
    network = Linear(arrays["enc_w"].shape[1], arrays["enc_w"].shape[0])
    heads = {}
    for term, prefix in (("emotion", "emo"), ("speaker", "spk")):
        words = Vocabulary(term, tuple(map(str, range(len(arrays[f"{prefix}_b"])))))
        heads[term] = Classification(network.taps, words, column=term, hidden=(), dropout=0.0)
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
def test_one_step_moves_inputs_and_weights_as_the_reference(case):
    with np.load(case) as file:
        arrays = dict(file)
    settings = [match.groups() for name in arrays if (match := LOSS.fullmatch(name))]
    assert settings, "the case names no setting"
    labels = {"emotion": torch.from_numpy(arrays["y"]), "speaker": torch.from_numpy(arrays["s"])}
    features = torch.from_numpy(arrays["x"])[:, None]  # one frame: no raw samples, whose loudness would count
    for reduction, clip, epsilon, alpha in settings:
        model = model_from(arrays)
        before = {name: parameter.detach().clone() for name, parameter in weights(model).items()}
        method = CrossGradient(
            model,
            OptimizerSettings(name="sgd", learning_rate=RATE),
            Fabric(accelerator="cpu", devices=1, precision="64-true"),
            epsilon=float(epsilon),
            alpha=float(alpha),
            gradient=reduction,
            clip=None if clip == "noclip" else float(clip.removeprefix("clip")),
        )
        losses = method.update(Batch(features, torch.ones(len(features), dtype=torch.long), labels))
        assert losses["emotion"] == pytest.approx(
            float(arrays["loss_emotion_clean"]), abs=1e-6
        )  # Fabric gives losses in float32
        assert losses["speaker"] == pytest.approx(
            float(arrays["loss_speaker_clean"]), abs=1e-6
        )  # Fabric gives losses in float32
        clean, other_speaker, other_emotion = method.module.network.seen
        where = f"{reduction}_{clip}_eps{epsilon}"
        assert torch.equal(clean, features[:, 0])
        assert torch.allclose(other_speaker, torch.from_numpy(arrays[f"xs_{where}"]), atol=1e-9), where
        assert torch.allclose(other_emotion, torch.from_numpy(arrays[f"xy_{where}"]), atol=1e-9), where
        for name, parameter in weights(method.module).items():
            expected = before[name] - RATE * torch.from_numpy(arrays[f"grad_{where}_alpha{alpha}_{name}"])
            assert torch.allclose(parameter, expected, atol=1e-9), f"{name} at {where}, alpha {alpha}"
