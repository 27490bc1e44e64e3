"""The domain-aware network and its terms behind the extractors, over a network built from the reference arrays."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.batch import Batch
from unheard.methods.center import Center
from unheard.methods.classification import Classification
from unheard.methods.descent import Descent
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks.domain_aware import POOLED, Channelwise, DomainAware

FOLDER = os.environ.get("UNHEARD_ORACLES")
CASES = sorted((Path(FOLDER) / "adarl").glob("*.npz")) if FOLDER else []
RATE = 0.1

pytestmark = [
    pytest.mark.skipif(not CASES, reason="UNHEARD_ORACLES does not name a folder with adarl/*.npz"),
    pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem),
]


class Maps(nn.Module):
    """An extractor that gives the same maps whatever the picture."""

    def __init__(self, maps: Tensor) -> None:
        super().__init__()
        self.maps = nn.Parameter(maps)

    def forward(self, features: Tensor) -> Tensor:
        return self.maps


class Case:
    """The arrays of a case in float64, and the model that they describe."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            arrays = {name: torch.from_numpy(file[name]) for name in file.files}
        self.arrays = {
            name: values.double() if values.is_floating_point() else values for name, values in arrays.items()
        }
        self.gamma = json.loads((path.parent / "summary.json").read_text(encoding="utf-8"))["gamma"]

    def __getitem__(self, name: str) -> Tensor:
        return self.arrays[name]

    def model(self, *, update: str = "gradient", **settings: bool) -> Model:
        _, channels, rows, time = self["F_D"].shape
        network = DomainAware((3, POOLED * rows), frames=POOLED * time, **settings).double()
        network.domain_extractor, network.emotion_extractor = Maps(self["F_D"].clone()), Maps(self["F_E"].clone())
        network.attention.hidden, network.attention.output = self.linear("att1"), self.linear("att2")
        network.channelwise = Channelwise(channels, rows, bias=network.channelwise.bias is not None)
        network.channelwise.weight = nn.Parameter(self["cfc_w"].clone())
        if network.channelwise.bias is not None:
            network.channelwise.bias = nn.Parameter(self["cfc_b"].clone())
        taps = {"embedding": channels, "domain": channels * rows * time}
        domain, emotion, center = self.gamma
        terms = {
            "emotion": self.classification(taps, "emotion", "embedding", "emo", emotion),
            "gender": self.classification(taps, "gender", "domain", "dom", domain),
        }
        taps |= {f"emotion.{name}": width for name, width in terms["emotion"].taps.items()}
        words = Vocabulary("emotion", tuple(map(str, range(len(self["centres"])))))
        terms["center"] = Center(
            taps, words, column="emotion", tap="emotion.hidden", weight=center, update=update, learning_rate=None
        )
        terms["center"].centres.data = self["centres"].clone()
        return Model(network, terms)

    def linear(self, name: str) -> nn.Linear:
        layer = nn.Linear(*reversed(self[f"{name}_w"].shape))
        layer.weight, layer.bias = nn.Parameter(self[f"{name}_w"].clone()), nn.Parameter(self[f"{name}_b"].clone())
        return layer

    def classification(self, taps: dict, column: str, tap: str, name: str, weight: float) -> Classification:
        words = Vocabulary(column, tuple(map(str, range(len(self[f"{name}2_b"])))))
        hidden = (len(self[f"{name}1_b"]),)
        term = Classification(taps, words, column=column, tap=tap, hidden=hidden, dropout=0.0, weight=weight).double()
        term.head.hidden[0], term.head.output = self.linear(f"{name}1"), self.linear(f"{name}2")
        norm = term.head.hidden[2]
        norm.weight, norm.bias = (nn.Parameter(self[f"{name}bn_{kind}"].clone()) for kind in "wb")
        norm.running_mean, norm.running_var = self[f"{name}bn_mean"].clone(), self[f"{name}bn_var"].clone()
        return term

    def batch(self, emotion: str = "emotion_label") -> Batch:
        count, _, rows, time = self["F_D"].shape
        labels = {"emotion": self[emotion], "gender": self["domain_label"]}
        pictures = torch.zeros(count, 3, POOLED * rows, POOLED * time, dtype=torch.float64)
        return Batch(pictures, torch.full((count,), POOLED * time), labels)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found.detach(), expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_values_and_losses_are_those_of_the_reference(case, mode):
    case = Case(case)
    model = case.model().train(mode == "train")
    read = []
    model.network.channelwise.register_forward_pre_hook(lambda _, arguments: read.append(arguments[0]))
    taps, losses = model(case.batch())
    close(taps["attention"].values, case["attention"])
    close(read[0], case["F_TP"])
    close(read[0][0], case["F_emb_first_sample"].mean(2))
    close(taps["embedding"].values, case["F_CFC"])
    close(taps["domain"].values, case["F_D"].flatten(1))
    close(taps["emotion.hidden"].values, case[f"{mode}_deep_feature"])
    close(taps["emotion.logits"].values, case[f"{mode}_emotion_logits"])
    close(taps["gender.logits"].values, case[f"{mode}_domain_logits"])
    for term, name in (("gender", "domain"), ("emotion", "emotion"), ("center", "center")):
        close(losses[term], case[f"{mode}_loss_{name}"])
    close(model.total(losses), case[f"{mode}_loss_total"])
    close(case.model(channel_bias=True)(case.batch())[0]["embedding"].values, case["F_CFC_with_bias"])


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_centres_and_features_move_as_in_the_reference(case, mode):
    case = Case(case)
    model = case.model(update="wen").train(mode == "train")
    taps, _ = model(case.batch())
    model.after_step(taps, case.batch())
    close(model.term("center").centres, case[f"{mode}_centres_after_wen_update"])

    model = case.model().train(mode == "train")
    taps, losses = model(case.batch())
    features, centres = torch.autograd.grad(
        losses["center"], [taps["emotion.hidden"].values, model.term("center").centres]
    )
    close(features, case[f"{mode}_center_grad_features"])
    close(centres, case[f"{mode}_center_grad_centres"])


@pytest.mark.parametrize("detached", [False, True])
def test_gradients_of_the_total_loss_are_those_of_the_reference(case, detached):
    case = Case(case)
    model = case.model(detach_domain=detached).eval()
    _, losses = model(case.batch())
    model.total(losses).backward()
    network, emotion, gender = model.network, model.term("emotion").head, model.term("gender").head
    gradients = {
        "att1_w": network.attention.hidden.weight.grad,
        "att2_w": network.attention.output.weight.grad,
        "cfc_w": network.channelwise.weight.grad,
        "emo1_w": emotion.hidden[0].weight.grad,
        "emo2_w": emotion.output.weight.grad,
        "dom2_w": gender.output.weight.grad,
        "centres": model.term("center").centres.grad,
        "F_D_summed_over_samples": network.domain_extractor.maps.grad.sum(0),
        "F_E_summed_over_samples": network.emotion_extractor.maps.grad.sum(0),
    }
    prefix = "eval_grad_total_detached_" if detached else "eval_grad_total_"
    names = [name for name in case.arrays if name.startswith(prefix) and name.removeprefix(prefix) in gradients]
    assert names, "the case names no gradient"
    for name in names:
        close(gradients[name.removeprefix(prefix)], case[name])


def test_what_has_no_emotion_teaches_the_domain_only(case):
    case = Case(case)
    model = case.model().eval()
    _, losses = model(case.batch("emotion_label_partly_missing"))
    close(losses["emotion"], case["eval_partly_missing_loss_emotion"])
    close(losses["center"], case["eval_partly_missing_loss_center"])
    close(losses["gender"], case["eval_loss_domain"])
    close(model.total(losses), case["eval_partly_missing_loss_total"])


def test_one_step_of_the_update_rule_moves_the_centres(case):
    case = Case(case)
    settings = OptimizerSettings(name="sgd", learning_rate=RATE, weight_decay=0.5)
    rule = Descent(case.model(), settings, Fabric(accelerator="cpu", devices=1, precision="64-true"))
    losses = rule.update(case.batch())
    for term, name in (("gender", "domain"), ("emotion", "emotion"), ("center", "center")):
        assert losses[term] == pytest.approx(float(case[f"train_loss_{name}"]), rel=1e-6)  # Fabric gives float32
    moved = case["centres"] - RATE * case.gamma[2] * case["train_center_grad_centres"]
    torch.testing.assert_close(rule.module.term("center").centres.detach(), moved, atol=1e-9, rtol=1e-6)
