"""The three phases of a recipe's own classes, over a network built from the reference arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.adversarial_autoencoder import AdversarialAutoencoder
from unheard.methods.batch import Batch
from unheard.methods.classification import Classification
from unheard.methods.discriminator import Discriminator
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.methods.reconstruction import Reconstruction
from unheard.networks.network import Network, Tap

FOLDER = os.environ.get("UNHEARD_ORACLES")
CASES = sorted((Path(FOLDER) / "aae").glob("*.npz")) if FOLDER else []
PHASES = ("1", "2a", "2b", "3")
CLASSIFIERS = {"emotion": "emo", "gender": "gen", "speaker": "spk"}
BLOCKS = {"encoder": "enc", "decoder": "dec", "discriminator": "dis", **CLASSIFIERS}

pytestmark = pytest.mark.skipif(not CASES, reason="UNHEARD_ORACLES does not name a folder with aae/*.npz")


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    """What Fabric hands on is of the default type."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class Linear(Network):
    """z = x Wᵀ + b as an encoder."""

    layouts = ("vector",)

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.taps = {"input": inputs, "latent": outputs}
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, features, lengths):
        return {"input": Tap(features), "latent": Tap(self.linear(features))}


def weights(model: Model) -> dict[str, nn.Parameter]:
    layers = {
        "enc": model.network.linear,
        "dec": model.term("reconstruction").decoder,
        "dis": model.term("prior").head.output,
        **{short: model.term(name).head.output for name, short in CLASSIFIERS.items()},
    }
    return {f"{name}_{kind[0]}": getattr(layer, kind) for name, layer in layers.items() for kind in ("weight", "bias")}


def after_each_phase(arrays, summary, *, labelled: bool, **settings):
    """The losses of one update, and all weights after each phase."""
    network = Linear(*reversed(arrays["init_enc_w"].shape))
    alpha, beta = summary["alpha"], summary["beta"]
    terms = {
        name: Classification(
            network.taps,
            Vocabulary(name, tuple(map(str, range(len(arrays[f"init_{short}_b"]))))),
            column=name, tap="latent", hidden=(), dropout=0.0, weight=beta if name == "emotion" else 1 - beta,
        )
        for name, short in CLASSIFIERS.items()
    }  # fmt: skip
    prior = Discriminator(network.taps, None, hidden=())
    prior.draws = lambda count: torch.from_numpy(arrays["prior_sample"])
    model = Model(
        network, {**terms, "prior": prior, "reconstruction": Reconstruction(network.taps, None, weight=alpha)}
    )
    with torch.no_grad():
        for name, parameter in weights(model).items():
            parameter.copy_(torch.from_numpy(arrays[f"init_{name}"]))
    method = AdversarialAutoencoder(
        model,
        OptimizerSettings(name="sgd", learning_rate=summary["learning_rate"]),
        Fabric(accelerator="cpu", devices=1, precision="64-true"),
        **settings,
    )
    after: list[dict[str, np.ndarray]] = []

    def snapshot(*_: object) -> None:
        after.append({name: parameter.detach().numpy().copy() for name, parameter in weights(model).items()})

    for optimizer in method.optimizers:
        optimizer.optimizer.register_step_post_hook(snapshot)
    labels = {name: torch.from_numpy(arrays[f"{name}_label"]) for name in CLASSIFIERS}
    if not labelled:
        labels["emotion"] = torch.full_like(labels["emotion"], -1)
    features = torch.from_numpy(arrays["x"])
    losses = method.update(Batch(features, torch.ones(len(features), dtype=torch.long), labels))
    return losses, after


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
@pytest.mark.parametrize("way", ["labelled", "no_emotion_labels"])
def test_each_phase_moves_what_the_reference_moves(case: Path, way: str) -> None:
    summary = json.loads((case.parent / "summary.json").read_text())
    with np.load(case) as file:
        arrays = dict(file)
    losses, after = after_each_phase(arrays, summary, labelled=way == "labelled")
    assert len(after) == len(PHASES)
    before = {name: arrays[f"init_{name}"] for name in after[0]}
    for phase, now in zip(PHASES, after, strict=True):
        moved = {BLOCKS[block] for block in summary["phases"][way][f"phase_{phase}"]["changed"]}
        for name, values in now.items():
            where = f"{name} after phase {phase}"
            np.testing.assert_allclose(values, arrays[f"{way}_after{phase}_{name}"], atol=1e-10, rtol=0, err_msg=where)
            assert np.array_equal(values, before[name]) == (name[:3] not in moved), where
        before = now
    beta = summary["beta"]
    told = {
        "1": summary["alpha"] * losses["reconstruction"],
        "2a": losses["prior"],
        "2b": losses["prior.deception"],
        "3": beta * losses.get("emotion", 0.0) + (1 - beta) * (losses["gender"] + losses["speaker"]),
    }
    for phase, loss in told.items():
        assert loss == pytest.approx(float(arrays[f"{way}_loss_before{phase}"]), abs=1e-10), phase


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_the_form_that_does_not_saturate(case: Path) -> None:
    summary = json.loads((case.parent / "summary.json").read_text())
    with np.load(case) as file:
        arrays = dict(file)
    for way in ("labelled", "no_emotion_labels"):
        losses, after = after_each_phase(arrays, summary, labelled=way == "labelled", deception="non_saturating")
        assert losses["prior.deception"] == pytest.approx(float(arrays[f"{way}_nonsaturating_loss2b"]), abs=1e-10)
        for name in ("enc_w", "enc_b"):
            expected = arrays[f"{way}_nonsaturating_after2b_{name}"]
            np.testing.assert_allclose(after[2][name], expected, atol=1e-10, rtol=0)
