"""Center loss pulls utterances to the centre of their class, and the centres follow by one rule or the other."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lightning_fabric import Fabric
from torch import nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.center import Center
from unheard.methods.classification import Classification
from unheard.methods.cross_gradient import CrossGradient
from unheard.methods.descent import Descent
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks.network import Network, Tap
from unheard.recipe import Recipe
from unheard.training.fitted import build_front_end, build_model

WORDS = Vocabulary("emotion", ("angry", "happy", "sad"))
WIDTH = 4


class Layer(Network):
    """One layer as a network."""

    layouts = ("vector",)

    def __init__(self) -> None:
        super().__init__()
        self.taps = {"embedding": WIDTH}
        self.layer = nn.Linear(5, WIDTH)

    def forward(self, features, lengths):
        return {"embedding": Tap(self.layer(features))}


def term(**settings: object) -> Center:
    torch.manual_seed(0)
    return Center({"embedding": WIDTH, "frames": WIDTH}, WORDS, column="emotion", **settings)  # type: ignore[arg-type]


def batch(*labels: int) -> Batch:
    features = torch.randn(len(labels), 5, generator=torch.Generator().manual_seed(2))
    columns = {"emotion": torch.tensor(labels), "speaker": torch.arange(len(labels)) % 3}
    return Batch(features, torch.ones(len(labels), dtype=torch.long), columns)


def values(count: int) -> torch.Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(1))


def loss(center: Center, vectors: torch.Tensor, *labels: int) -> torch.Tensor | None:
    return center.loss(center.read({"embedding": Tap(vectors)}, 0.0), batch(*labels))


def model(**settings: object) -> Model:
    torch.manual_seed(0)
    network = Layer()
    emotion = Classification(network.taps, WORDS, column="emotion", hidden=(6,), dropout=0.0)
    taps = network.taps | {f"emotion.{name}": width for name, width in emotion.taps.items()}
    center = Center(taps, WORDS, column="emotion", tap="emotion.hidden", weight=0.5, **settings)  # type: ignore[arg-type]
    speaker = Classification(network.taps, WORDS, column="speaker", hidden=(), dropout=0.0)
    return Model(network, {"emotion": emotion, "center": center, "speaker": speaker})


def descent(model: Model, **settings: object) -> Descent:
    optimizer = OptimizerSettings(**{"name": "sgd", "learning_rate": 0.1} | settings)  # type: ignore[arg-type]
    return Descent(model, optimizer, Fabric(accelerator="cpu", devices=1))


@given(labels=st.lists(st.integers(-1, 2), min_size=1, max_size=8))
def test_the_loss_is_the_mean_over_what_is_labelled(labels: list[int]):
    center, vectors = term(), values(len(labels))
    known = [(row, label) for row, label in enumerate(labels) if label >= 0]
    found = loss(center, vectors, *labels)
    if not known:
        assert found is None
        return
    squares = [(vectors[row] - center.centres[label]).square().sum() for row, label in known]
    assert found is not None
    torch.testing.assert_close(found, sum(squares) / len(known))


def test_only_labelled_utterances_and_their_centres_get_a_gradient():
    center, vectors = term(), values(3).requires_grad_()
    found = loss(center, vectors, 1, -1, 0)
    assert found is not None
    found.backward()
    assert vectors.grad is not None
    assert vectors.grad.any(dim=1).tolist() == [True, False, True]
    assert center.centres.grad is not None
    assert center.centres.grad.any(dim=1).tolist() == [True, True, False]
    torch.testing.assert_close(vectors.grad[0], (vectors - center.centres[1])[0].detach())  # 2/N, N being 2


def test_without_the_column_there_is_no_loss():
    center = term()
    unlabelled = Batch(torch.zeros(2, 5), torch.ones(2))
    assert center.loss(center.read({"embedding": Tap(values(2))}, 0.0), unlabelled) is None


def test_frames_are_averaged_over_the_valid_ones():
    frames = values(6).reshape(2, 3, WIDTH)
    read = term(tap="frames").read({"frames": Tap(frames, torch.tensor([3, 2]))}, 0.0)
    torch.testing.assert_close(read["vector"].values, torch.stack([frames[0].mean(0), frames[1, :2].mean(0)]))


def test_centres_begin_as_xaviers():
    torch.manual_seed(0)
    words = Vocabulary("emotion", tuple(f"c{index:02}" for index in range(40)))
    centres = Center({"embedding": 60}, words, column="emotion").centres
    bound = (6 / 100) ** 0.5
    assert 0.99 * bound < float(centres.detach().abs().max()) <= bound


@pytest.mark.parametrize("update", ["gradient", "wen"])
def test_what_is_read_from_a_term_pulls_at_its_head_and_at_the_network(update: str):
    both = model(update=update)
    _, losses = both(batch(0, 1, 2, 0))
    losses["center"].backward()
    assert both.network.layer.weight.grad.any()
    assert both.term("emotion").head.hidden[0].weight.grad.any()
    assert both.term("emotion").head.output.weight.grad is None


@pytest.mark.parametrize("rule", [Descent, CrossGradient])
@pytest.mark.parametrize("rate", [None, 0.2])
def test_wen_moves_the_centres_after_the_step_by_the_vectors_of_the_step(rule: type, rate: float | None):
    both = model(update="wen", learning_rate=rate)
    labels = (0, 1, -1, 0, 0)
    taps, _ = both(batch(*labels))
    vectors, before = taps["center.vector"].values.detach(), both.term("center").centres.clone()
    sgd = OptimizerSettings(name="sgd", learning_rate=0.1, weight_decay=0.1)
    rule(both, sgd, Fabric(accelerator="cpu", devices=1)).update(batch(*labels))
    expected = before.clone()
    for label, rows in ((0, [0, 3, 4]), (1, [1])):
        expected[label] -= (rate or 0.5) * (before[label] - vectors[rows]).sum(0) / (1 + len(rows))
    torch.testing.assert_close(both.term("center").centres, expected)


def test_gradient_moves_the_centres_in_the_optimiser_without_weight_decay():
    both = model()
    before = both.term("center").centres.detach().clone()
    _, losses = both(batch(0, 0, 1, 1))
    losses["center"].backward()
    gradient = both.term("center").centres.grad.clone()
    descent(both, weight_decay=0.5).update(batch(0, 0, 1, 1))
    torch.testing.assert_close(both.term("center").centres.detach(), before - 0.1 * 0.5 * gradient)
    assert torch.equal(both.term("center").centres[2], before[2])


def test_centres_may_have_a_rate_of_their_own_that_falls_with_the_others():
    rule = descent(model(learning_rate=0.5), decay=0.5, weight_decay=0.1)
    (optimizer,) = rule.optimizers
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(rule.module.parameters()))
    rates = []
    for epoch in (0, 2, 0):
        rule.start_epoch(epoch, 3)
        rates.append([group["lr"] for group in optimizer.param_groups])
    assert rates == [[0.1, 0.5], [0.025, 0.125], [0.1, 0.5]]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]


def test_training_with_it_tightens_the_classes():
    labels = [0, 1, 2] * 8
    spread = {}
    for weight in (0.0, 0.5):
        both = model()
        both.term("center").weight = weight
        rule = descent(both)
        for _ in range(60):
            rule.update(batch(*labels))
        hidden = both(batch(*labels))[0]["emotion.hidden"].values.detach()
        means = torch.stack([hidden[label::3].mean(0) for label in range(3)])
        within = (hidden - means[labels]).square().sum(1).mean()
        spread[weight] = float(within / (means - means.mean(0)).square().sum(1).mean())
    assert spread[0.5] < 0.7 * spread[0.0]


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"emotion": "emotion.hiden"}, 'no tap "emotion.hiden" .* did you mean "emotion.hidden"'),
        ({"center": "emotion.hidden"}, 'no tap "emotion.hidden" .* nor of the terms before this one'),
    ],
    ids=["misspelled", "wrong order"],
)
def test_a_tap_that_is_not_there_gets_one_sentence(terms: dict[str, str], sentence: str):
    kinds = {
        "emotion": {"column": "emotion"},
        "center": {"kind": "center", "column": "emotion", "tap": next(iter(terms.values()))},
    }
    order = [*terms, *(name for name in kinds if name not in terms)]
    values = Recipe.load("tdnn").to_dict() | {"terms": {name: kinds[name] for name in order}}
    recipe = Recipe.check(values, "test")
    with pytest.raises(InputError, match=sentence):
        build_model(recipe, build_front_end(recipe), dict.fromkeys(order, WORDS))
