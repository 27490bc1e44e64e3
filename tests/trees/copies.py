"""What several processes of a test do alike: a few steps of every method on a model without batch statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods import METHODS, TERMS
from unheard.methods.batch import Batch
from unheard.methods.center import Center
from unheard.methods.classification import Classification
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks.network import Network, Tap
from unheard.seeds import seeded
from unheard.training.batches import Share

SGD = OptimizerSettings(name="sgd", learning_rate=0.1, momentum=0.9)
WORDS = {
    "emotion": Vocabulary("emotion", ("angry", "sad")),
    "speaker": Vocabulary("speaker", ("a", "b", "c")),
}
#: Settings of every method, with those that clip clipping.
RULES: dict[str, dict[str, Any]] = {
    "descent": {"clip": 0.1},
    "cross_gradient": {},
    "speaker_normalization": {"clip": 0.1, "ascent_rate": 0.01},
    "adversarial_autoencoder": {},
}


Weights = dict[str, np.ndarray]


class Mean(Network):
    """A layer over the mean frame, and one that nothing reads: no weight of it ever has a gradient."""

    layouts = ("sequence",)

    def __init__(self) -> None:
        super().__init__()
        self.taps = {"input": 3, "embedding": 5}
        self.linear, self.spare = nn.Linear(3, 5), nn.Linear(3, 5)

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        mean = features.sum(1) / lengths[:, None]
        return {"input": Tap(mean), "embedding": Tap(self.linear(mean).tanh())}


def batch(seed: int, share: Share, **labels: list[int]) -> Batch:
    """A share of eight utterances."""
    draw = torch.Generator().manual_seed(seed)
    columns = {"emotion": [0, 1, 1, 0, 1, 1, 0, 0], "speaker": [0, 1, 2, 1, 1, 0, 2, 2]} | labels
    mine = torch.arange(8)[share.rank :: share.devices]
    features = torch.randn(8, 6, 3, generator=draw)
    return Batch(
        features[mine],
        torch.full((len(mine),), 6),
        {name: torch.tensor(values)[mine] for name, values in columns.items()},
    )


def steps(fabric: Fabric, rule: str, **labels: list[int]) -> Weights:
    """The weights after three of them."""
    share = Share(fabric.global_rank, fabric.world_size)
    with seeded(0, "model"):
        network = Mean()
        terms: dict[str, Any] = {
            name: Classification(network.taps, WORDS[name], column=name, hidden=(), dropout=0.0) for name in WORDS
        }
        if rule == "adversarial_autoencoder":
            terms["reconstruction"] = TERMS["reconstruction"](network.taps, None, tap="embedding", target="input")
        elif rule == "descent":
            terms["center"] = Center(network.taps, WORDS["emotion"], tap="embedding", column="emotion")
        method = METHODS[rule](Model(network, terms), SGD, fabric, **RULES[rule])
    for seed in range(3):
        second = batch(seed + 10, share, **labels)
        method.update(batch(seed, share, **labels), second if rule == "speaker_normalization" else None)
    return {name: value.detach().numpy() for name, value in method.module.named_parameters()}


def every_rule(fabric: Fabric) -> tuple[dict[str, Weights], dict[str, Weights]]:
    """The weights that each rule leaves, also where one share has no emotions and the other no speakers."""
    uneven = {"emotion": [0, -1] * 4, "speaker": [-1, 2] * 4}
    return {rule: steps(fabric, rule) for rule in RULES}, {rule: steps(fabric, rule, **uneven) for rule in RULES}


def one_is_wrong(fabric: Fabric) -> None:
    """The second device has something to say while the others wait for it."""
    if fabric.global_rank == 1:
        raise InputError("one clear sentence")
    fabric.barrier()
