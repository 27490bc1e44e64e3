"""The plain update: the weighted sum of the terms, and nothing of what has no label."""

from __future__ import annotations

import copy

import pytest
import torch
from lightning_fabric import Fabric

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.batch import Batch
from unheard.methods.descent import Descent
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.recipe import Recipe
from unheard.training.fitted import build_front_end, build_model

SGD = OptimizerSettings(name="sgd", learning_rate=0.1)
VOCABULARIES = {
    "emotion": Vocabulary("emotion", ("angry", "sad")), "speaker": Vocabulary("speaker", ("a", "b", "c")),
    "gender": Vocabulary("gender", ("female", "male")),
}  # fmt: skip
#: Without dropout, so that two updates of the same weights can be compared.
STILL = ("network.dropout=0", "terms.emotion.dropout=0")


@pytest.fixture
def recipe(small_overrides: tuple[str, ...]):
    def load(name: str, *overrides: str) -> Recipe:
        speaker = ["terms.speaker.dropout=0", "terms.speaker.hidden=[6]"] if name != "tdnn" else []
        return Recipe.load(name, [*small_overrides, *STILL, *speaker, *overrides])

    return load


def model(recipe: Recipe, seed: int = 0) -> Model:
    words = {name: VOCABULARIES[name] for name in recipe.terms}
    return build_model(recipe, build_front_end(recipe), words, seed)


def method(model: Model, optimizer: OptimizerSettings = SGD) -> Descent:
    return Descent(model, optimizer, Fabric(accelerator="cpu", devices=1))


def batch(**labels: list[int]) -> Batch:
    draw = torch.Generator().manual_seed(0)
    columns = {"emotion": [0, 1, 1, 0]} | labels
    lengths = torch.tensor([30, 25, 20, 30])
    features = torch.randn(4, 30, 39, generator=draw) * (torch.arange(30) < lengths[:, None])[..., None]
    return Batch(features, lengths, {name: torch.tensor(values) for name, values in columns.items()})


def gradients(model: Model, batch: Batch, progress: float = 0.0) -> dict[str, torch.Tensor]:
    """What one step of SGD with rate 0.1 takes off every weight, divided by the rate."""
    rule = method(copy.deepcopy(model))
    rule.update(batch, progress=progress)
    after = dict(rule.module.named_parameters())
    return {name: (value.detach() - after[name].detach()) / 0.1 for name, value in model.named_parameters()}


def test_multi_task_learning_is_the_weighted_sum_of_its_losses(recipe):
    both = model(recipe("tdnn-mtl", "terms.speaker.weight=0.5"))
    labels = {"speaker": [0, 1, 2, 0]}
    together = gradients(both, batch(**labels))
    emotion = gradients(both, batch(speaker=[-1] * 4))
    speaker = gradients(both, batch(emotion=[-1] * 4, **labels))  # the weight is in it already
    for name in together:
        torch.testing.assert_close(together[name], emotion[name] + speaker[name], atol=2e-5, rtol=1e-4)
    assert together["network.tdnn1.weight"].any()

    double = model(recipe("tdnn-mtl", "terms.speaker.weight=1.0"))
    twice = gradients(double, batch(emotion=[-1] * 4, **labels))
    torch.testing.assert_close(
        twice["network.linear.weight"], 2 * speaker["network.linear.weight"], atol=2e-5, rtol=1e-4
    )


def test_losses_are_reported_without_their_weights(recipe):
    light, heavy = (model(recipe("tdnn-mtl", f"terms.speaker.weight={weight}")) for weight in (0.1, 10))
    labels = batch(speaker=[0, 1, 2, 0])
    assert method(light).update(labels) == method(heavy).update(labels)


def test_a_term_without_any_label_is_skipped(recipe):
    both = model(recipe("tdnn-mtl"))
    rule = method(copy.deepcopy(both))
    losses = rule.update(batch(speaker=[-1] * 4))
    assert list(losses) == ["emotion"]
    for name, parameter in rule.module.term("speaker").named_parameters():
        assert torch.equal(parameter, both.term("speaker").get_parameter(name)), name
    alone = model(recipe("tdnn"))
    alone.load_state_dict({k: v for k, v in both.state_dict().items() if not k.startswith("terms.speaker.")})
    single = gradients(alone, batch())
    skipped = gradients(both, batch(speaker=[-1] * 4))
    for name in single:
        torch.testing.assert_close(skipped[name], single[name])


def test_adversarial_training_is_multi_task_learning_turned_round(recipe):
    """The speaker's head learns the speaker; the network unlearns it, the more so the later."""
    with_it = model(recipe("tdnn-mtl"))
    against = model(recipe("tdnn-dat"))
    against.load_state_dict(with_it.state_dict())
    labels = batch(emotion=[-1] * 4, speaker=[0, 1, 2, 0])
    helped = gradients(with_it, labels)
    for progress, strength in ((0.0, 0.0), (0.25, 0.848284), (1.0, 0.999909)):
        turned = gradients(against, labels, progress)
        for name, gradient in helped.items():
            expected = -strength * gradient if name.startswith("network.") else gradient
            torch.testing.assert_close(turned[name], expected, atol=2e-5, rtol=1e-3)


def test_adding_a_term_leaves_the_first_weights_of_the_others_as_they_were(recipe):
    alone = model(recipe("tdnn")).state_dict()
    more = model(recipe("tdnn-dat", "terms.gender.column=gender")).state_dict()
    assert any(name.startswith("terms.gender.") for name in more)
    for name, value in alone.items():
        assert torch.equal(more[name], value), name
    other = model(recipe("tdnn"), seed=1).state_dict()
    assert not torch.equal(other["network.linear.weight"], alone["network.linear.weight"])


def test_only_the_asked_for_terms_are_read(recipe):
    both = model(recipe("tdnn-mtl")).eval()
    taps, losses = both(batch(speaker=[0, 1, 2, 0]), terms=["emotion"])
    assert {name for name in taps if "." in name} == {"emotion.hidden", "emotion.logits"}
    assert list(losses) == ["emotion"]
    unlabelled = batch()
    taps, losses = both(Batch(unlabelled.features, unlabelled.lengths))
    assert not losses
    assert "speaker.logits" in taps


def test_every_epoch_has_its_rate(recipe):
    rule = method(model(recipe("tdnn")), OptimizerSettings(learning_rate=0.4, decay=0.5))
    (optimizer,) = rule.optimizers
    rates = []
    for epoch in (0, 1, 2, 0):
        rule.start_epoch(epoch, 3)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [0.4, 0.2, 0.1, 0.4]


def test_a_head_with_a_rate_of_its_own_keeps_to_it(recipe):
    chosen = recipe("tdnn-dat", "terms.speaker.learning_rate=2")
    settings = OptimizerSettings(learning_rate=0.4, schedule="cosine")
    rule = method(model(chosen), settings)
    (optimizer,) = rule.optimizers
    (_, head) = optimizer.param_groups
    assert {id(weight) for weight in head["params"]} == {id(w) for w in rule.module.term("speaker").parameters()}
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(rule.module.parameters()))
    for epoch, share in ((0, 1.0), (1, 0.5)):
        rule.start_epoch(epoch, 2)
        assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.4 * share, 2 * share])


def test_a_method_goes_on_where_its_state_was(recipe):
    adam = OptimizerSettings(name="adam", learning_rate=0.01)
    first = method(model(recipe("tdnn-mtl")), adam)
    labels = batch(speaker=[0, 1, 2, 0])
    first.update(labels)
    state = copy.deepcopy(first.state_dict())
    second = method(model(recipe("tdnn-mtl"), seed=9), adam)
    second.load_state_dict(state)
    assert first.update(labels) == second.update(labels)
    for name, value in first.module.state_dict().items():
        assert torch.equal(second.module.state_dict()[name], value), name


def test_updating_lowers_the_loss(recipe):
    rule = method(model(recipe("tdnn")), OptimizerSettings(name="adam", learning_rate=0.01))
    losses = [rule.update(batch())["emotion"] for _ in range(25)]
    assert losses[-1] < 0.5 * losses[0]
