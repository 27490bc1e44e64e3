"""Cross-gradient training: what moves where, what padding and missing labels do, and whose statistics move."""

from __future__ import annotations

import copy

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.classification import Classification
from unheard.methods.cross_gradient import CrossGradient, loudness
from unheard.methods.descent import Descent
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks.network import Network, Tap
from unheard.recipe import Recipe
from unheard.training.fitted import build_front_end, build_model

SGD = OptimizerSettings(name="sgd", learning_rate=0.1)
WORDS = {
    "emotion": Vocabulary("emotion", ("angry", "sad")),
    "speaker": Vocabulary("speaker", ("a", "b", "c")),
    "gender": Vocabulary("gender", ("female", "male")),
}


class Watched(Network):
    """A convolution with batch normalisation, and every input it saw."""

    layouts = ("sequence", "waveform")

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.taps = {"embedding": 6}
        self.norm = nn.BatchNorm1d(6)
        self.linear = nn.Linear(bands, 6)
        self.seen: list[torch.Tensor] = []

    def forward(self, features: torch.Tensor, lengths: torch.Tensor) -> dict[str, Tap]:
        self.seen.append(features.detach().clone())
        sequence = features[..., None] if features.ndim == 2 else features
        valid = torch.arange(sequence.shape[1]) < lengths[:, None]
        pooled = (self.linear(sequence).tanh() * valid[..., None]).sum(1) / lengths[:, None]
        return {"embedding": Tap(self.norm(pooled))}


def make(rule=CrossGradient, bands: int = 3, terms=("emotion", "speaker"), **settings):
    torch.manual_seed(0)
    network = Watched(bands)
    heads = {name: Classification(network.taps, WORDS[name], column=name, hidden=(), dropout=0.0) for name in terms}
    return rule(Model(network, heads), SGD, Fabric(accelerator="cpu", devices=1), **settings)


def batch(**labels: list[int]) -> Batch:
    draw = torch.Generator().manual_seed(1)
    lengths = torch.tensor([9, 5, 7, 9])
    features = torch.randn(4, 9, 3, generator=draw) * (torch.arange(9) < lengths[:, None])[..., None]
    columns = {"emotion": [0, 1, 1, 0], "speaker": [0, 1, 2, 1], "gender": [0, 1, 0, 1]} | labels
    return Batch(features, lengths, {name: torch.tensor(values) for name, values in columns.items()})


def test_three_passes_over_one_batch_and_padding_stays_zero():
    method = make(epsilon=5.0)
    given = batch()
    method.update(given)
    clean, other_speaker, other_emotion = method.module.network.seen
    assert torch.equal(clean, given.features)
    for moved in (other_speaker, other_emotion):
        assert not torch.equal(moved, clean)
        assert not moved[1, 5:].any()
        assert (moved - clean).abs().max() <= 5.0 * 0.1 + 1e-6
    assert not torch.allclose(other_speaker, other_emotion)


def test_the_input_given_is_left_as_it_is():
    given = batch()
    before = given.features.clone()
    make().update(given)
    assert torch.equal(given.features, before)
    assert not given.features.requires_grad


def test_only_the_clean_pass_moves_the_running_statistics():
    given = batch()
    crossed, plain = make(epsilon=10.0), make(Descent)
    crossed.update(given)
    plain.update(given)
    norm, expected = crossed.module.network.norm, plain.module.network.norm
    assert torch.equal(norm.running_mean, expected.running_mean)
    assert torch.equal(norm.running_var, expected.running_var)
    assert norm.num_batches_tracked == 1
    assert norm.track_running_stats


@pytest.mark.parametrize("settings", [{"alpha": 0.0}, {"epsilon": 0.0}])
def test_without_perturbation_it_is_multi_task_learning(settings):
    given = batch()
    crossed, plain = make(**settings), make(Descent)
    assert crossed.update(given) == plain.update(given)
    for one, other in zip(crossed.module.parameters(), plain.module.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_batch_without_speakers_is_learned_as_it_is():
    given = batch(speaker=[-1, -1, -1, -1])
    crossed, plain = make(), make(Descent)
    assert set(crossed.update(given)) == {"emotion"}
    plain.update(given)
    assert len(crossed.module.network.seen) == 1
    for one, other in zip(crossed.module.parameters(), plain.module.parameters(), strict=True):
        assert torch.equal(one, other)


def test_an_utterance_without_a_speaker_is_not_moved_by_one():
    method = make(epsilon=5.0, clip=None)
    # Batch normalisation couples utterances; without it an unlabelled one has no gradient.
    method.module.network.norm = nn.Identity()
    given = batch(speaker=[0, -1, 2, 1])
    method.update(given)
    clean, other_speaker, other_emotion = method.module.network.seen
    assert torch.equal(other_speaker[1], clean[1])
    assert not torch.equal(other_emotion[1], clean[1])


def test_the_sum_moves_an_utterance_by_its_own_gradient_whatever_the_batch():
    given = batch()
    alone = Batch(given.features[:1], given.lengths[:1], {name: values[:1] for name, values in given.labels.items()})
    moved = []
    for each in (given, alone):
        method = make(epsilon=1.0, clip=None)
        method.module.network.norm = nn.Identity()
        method.update(each)
        moved.append(method.module.network.seen[1][0])
    assert torch.allclose(moved[0], moved[1], atol=1e-6)


def test_further_terms_learn_from_the_clean_input():
    method = make(terms=("emotion", "speaker", "gender"))
    assert set(method.update(batch())) == {"emotion", "speaker", "gender"}


def test_terms_change_themselves_by_the_clean_input_alone(monkeypatch: pytest.MonkeyPatch):
    method, given, seen = make(), batch(), []
    monkeypatch.setattr(method.module.term("speaker"), "after_step", lambda taps, batch: seen.append((taps, batch)))
    expected, _ = copy.deepcopy(method.module)(given)
    method.update(given)
    ((taps, learned),) = seen
    assert learned is given
    assert torch.equal(taps["embedding"].values, expected["embedding"].values)


@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_the_gradient_is_that_of_the_mixed_loss(weight: float):
    """Terms with weights and one more than the two: equation 4 in one go gives what the step gathers piece by piece."""
    method = make(terms=("emotion", "speaker", "gender"), alpha=0.3, epsilon=3.0)
    method.module.term("speaker").weight = weight
    whole, given = copy.deepcopy(method.module), batch()
    method.update(given)
    _, moved_speaker, moved_emotion = method.module.network.seen
    _, clean = whole(given)
    crossed = {
        task: whole(given.with_features(features), terms=(task,))[1][task]
        for task, features in (("emotion", moved_speaker), ("speaker", moved_emotion))
    }
    mixed = {name: 0.7 * loss + 0.3 * crossed[name] for name, loss in clean.items() if name in crossed}
    whole.total({**mixed, "gender": clean["gender"]}).backward()
    for one, other in zip(method.module.parameters(), whole.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-6)


def test_raw_samples_move_relative_to_their_loudness():
    draw = torch.Generator().manual_seed(2)
    samples, lengths = torch.randn(4, 50, generator=draw), torch.tensor([50, 50, 30, 50])
    samples = samples * (torch.arange(50) < lengths[:, None])
    assert torch.allclose(loudness(10 * samples, lengths), 10 * loudness(samples, lengths))
    method = make(bands=1, epsilon=2.0)
    method.update(Batch(samples, lengths, batch().labels))
    clean, moved, _ = method.module.network.seen
    assert not moved[2, 30:].any()
    assert ((moved - clean).abs() <= 2.0 * 0.1 * loudness(samples, lengths) + 1e-6).all()


def test_missing_terms_are_one_sentence():
    with pytest.raises(InputError, match='cross-gradient training needs a classification term "speaker"'):
        make(terms=("emotion", "gender"))


def test_a_term_that_reads_another_is_one_sentence(small_overrides: tuple[str, ...]):
    recipe = Recipe.load("tdnn-cgt", [*small_overrides, "terms.speaker.tap=emotion.hidden"])
    model = build_model(recipe, build_front_end(recipe), {name: WORDS[name] for name in recipe.terms}, 0)
    with pytest.raises(InputError, match='needs the term "speaker" to read a tap of the network'):
        CrossGradient(model, SGD, Fabric(accelerator="cpu", devices=1))


def test_the_recipe_learns(small_overrides: tuple[str, ...]):
    recipe = Recipe.load("tdnn-cgt", [*small_overrides, "terms.speaker.hidden=[6]", "terms.speaker.dropout=0",
                                      "network.dropout=0", "terms.emotion.dropout=0"])  # fmt: skip
    words = {name: WORDS[name] for name in recipe.terms}
    model = build_model(recipe, build_front_end(recipe), words, 0)
    method = CrossGradient(
        model, OptimizerSettings(name="adam", learning_rate=0.01), Fabric(accelerator="cpu", devices=1)
    )
    draw = torch.Generator().manual_seed(0)
    given = Batch(torch.randn(4, 30, 39, generator=draw), torch.tensor([30, 25, 20, 30]), batch().labels)
    first = method.update(given)
    for _ in range(30):
        last = method.update(given)
    assert last["emotion"] < 0.5 * first["emotion"]
    assert copy.deepcopy(method.state_dict())["optimizers"]
