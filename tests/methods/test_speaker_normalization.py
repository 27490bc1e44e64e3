"""Speaker normalisation: what each step moves, what it leaves as it was, and that it does climb."""

from __future__ import annotations

import copy

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from trees.encoders import random_encoder
from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.classification import Classification
from unheard.methods.descent import Descent
from unheard.methods.gradient_reversal import Reversal
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.methods.speaker_normalization import SpeakerNormalization
from unheard.networks.projected import Projected
from unheard.networks.tdnn_lstm import TdnnLstm
from unheard.recipe import Recipe
from unheard.seeds import seeded
from unheard.training.fitted import build_front_end, build_model

SGD = OptimizerSettings(name="sgd", learning_rate=0.1)
WORDS = {
    "emotion": Vocabulary("emotion", ("angry", "sad")),
    "gender": Vocabulary("gender", ("female", "male")),
    "speaker": Vocabulary("speaker", ("a", "b", "c")),
}
both_scopes = pytest.mark.parametrize("scope", ["all", "projector"])
both_ascents = pytest.mark.parametrize("ascent", ["sgd", "same"])


def make(scope: str = "all", terms=tuple(WORDS), optimizer: OptimizerSettings = SGD, **settings):
    tap = settings.pop("tap", "embedding")
    with seeded(0, "model"):
        network = TdnnLstm((5,), channels=(8, 6), lstm=4, width=7, dropout=0.0)
        read = {name: {"tap": tap} for name in terms}
        network = SpeakerNormalization.adapted(network, read, {"scope": scope, **settings})
        heads = {
            name: Classification(network.taps, WORDS[name], column=name, tap=tap, hidden=(6,), dropout=0.0)
            for name in terms
        }
    fabric = Fabric(accelerator="cpu", devices=1)
    return SpeakerNormalization(Model(network, heads), optimizer, fabric, scope=scope, **settings)


def batch(seed: int, **labels: list[int]) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([40, 33, 25, 40])
    features = torch.randn(4, 40, 5, generator=draw) * (torch.arange(40) < lengths[:, None])[..., None]
    return Batch(features, lengths, {name: torch.tensor(values) for name, values in labels.items()})


EMOTIONS = batch(1, emotion=[0, 1, 1, 0], gender=[0, 0, 1, 1], speaker=[2, 1, 0, 0])
SPEAKERS = batch(2, emotion=[1, 0, 0, 1], speaker=[0, 1, 2, 1])
NOTHING = batch(3)


def changed(method: SpeakerNormalization, *batches: Batch) -> set[str]:
    """The parts whose parameters or running statistics an update changes."""
    before = copy.deepcopy(method.module.state_dict())
    method.update(*batches)
    after = method.module.state_dict()
    names = {name for name, value in after.items() if not torch.equal(value, before[name])}
    names = {name.removeprefix("network.network.").removeprefix("network.") for name in names}
    statistic = ("running_mean", "running_var", "num_batches_tracked")
    parts = {".".join(name.split(".")[:2]) if name.startswith("terms.") else name.split(".")[0] for name in names}
    return parts | {"statistics" for name in names if name.endswith(statistic) and "terms." not in name}


UPSTREAM = {"tdnn1", "block1", "tdnn2", "block2", "lstm", "block3", "linear", "block4", "statistics"}
FURTHER = {"terms.emotion", "terms.gender"}


@both_ascents
@pytest.mark.parametrize(
    ("scope", "first", "second"),
    [
        ("all", UPSTREAM | FURTHER, UPSTREAM | {"terms.speaker"}),
        ("projector", UPSTREAM | FURTHER | {"projector"}, {"projector", "terms.speaker"}),
    ],
)
def test_which_tensors_change_in_which_step(scope: str, ascent: str, first: set[str], second: set[str]):
    assert changed(make(scope, ascent=ascent), EMOTIONS, NOTHING) == first
    assert changed(make(scope, ascent=ascent), NOTHING, SPEAKERS) == second
    assert changed(make(scope, ascent=ascent), EMOTIONS, SPEAKERS) == first | second
    assert changed(make(scope, ascent=ascent), NOTHING, NOTHING) == set()


@both_scopes
@pytest.mark.parametrize("settings", [{"ascent": "sgd"}, {"ascent": "same"}, {"ascent": "same", "optimizer": "adam"}])
def test_the_second_step_climbs_the_speakers_loss(scope: str, settings: dict):
    """With the speaker's head as it was before, on the same batch."""
    optimizer = OptimizerSettings(name=settings.pop("optimizer", "sgd"), learning_rate=0.01)
    method = make(scope, optimizer=optimizer, ascent_rate=1e-3, **settings)
    head = copy.deepcopy(method.module.term("speaker").state_dict())
    method.module.train()
    before = method.module(SPEAKERS, terms=["speaker"])[1]["speaker"]
    method.update(NOTHING, SPEAKERS)
    after_with_new_head = method.module(SPEAKERS, terms=["speaker"])[1]["speaker"]
    method.module.term("speaker").load_state_dict(head)
    assert method.module(SPEAKERS, terms=["speaker"])[1]["speaker"] > before
    assert after_with_new_head < method.module(SPEAKERS, terms=["speaker"])[1]["speaker"]


@both_scopes
def test_the_first_step_is_descent_on_the_other_terms(scope: str):
    for clip in (None, 0.05):
        method = make(scope, clip=clip)
        plain = make(scope).module
        terms = {name: plain.term(name) for name in ("emotion", "gender")}
        descent = Descent(Model(plain.network, terms), SGD, Fabric(accelerator="cpu", devices=1), clip=clip)
        expected = descent.update(EMOTIONS)
        assert method.update(EMOTIONS, NOTHING) == expected
        for name, value in descent.module.state_dict().items():
            assert torch.equal(method.module.state_dict()[name], value), name


def test_the_ascent_is_not_clipped_and_the_descents_are():
    free, clipped = make(clip=None), make(clip=1e-4)
    before = copy.deepcopy(free.module.state_dict())
    for method in (free, clipped):
        method.update(NOTHING, SPEAKERS)
    head = "terms.speaker.head.output.weight"
    moved = {
        name: [(method.module.state_dict()[name] - before[name]).norm() for method in (free, clipped)]
        for name in (head, "network.linear.weight")
    }
    assert moved["network.linear.weight"][0] == moved["network.linear.weight"][1]
    assert moved[head][1] <= 0.1 * 1e-4 < moved[head][0]


@both_scopes
def test_plain_descent_and_plain_ascent_are_of_the_same_kind(scope: str):
    methods = [make(scope, ascent=ascent) for ascent in ("sgd", "same")]
    for method in methods:
        method.update(EMOTIONS, SPEAKERS)
    for one, other in zip(*(method.module.parameters() for method in methods), strict=True):
        assert torch.equal(one, other)


def test_the_same_ascent_is_that_of_the_recipe_without_its_decay():
    settings = OptimizerSettings(name="adamw", learning_rate=0.1, weight_decay=0.3)
    _, _, ascent = make(ascent="same", optimizer=settings, ascent_rate=0.02).optimizers
    (group,) = ascent.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.02, 0.0)
    before = make().module.network.linear.weight.detach()
    method = make(ascent="same", optimizer=OptimizerSettings(learning_rate=0.1), ascent_rate=0.02)
    method.update(NOTHING, SPEAKERS)
    moved = (method.module.network.linear.weight.detach() - before).abs()
    assert float(moved.max()) == pytest.approx(
        0.02, rel=1e-3
    )  # the first step of Adam is its rate, whatever the gradient


@both_scopes
@both_ascents
def test_the_ratio_of_the_steps_is_that_of_what_climbs(scope: str, ascent: str):
    method = make(scope, ascent=ascent, ascent_rate=0.03)
    weights = method.climbing
    start = [weight.detach().clone() for weight in weights]
    twin = make(scope, ascent=ascent, ascent_rate=0.03)
    twin.update(EMOTIONS, NOTHING)
    middle = [weight.detach().clone() for weight in twin.climbing]
    found = method.update(EMOTIONS, SPEAKERS)
    end = [weight.detach() for weight in weights]

    def length(before: list[torch.Tensor], after: list[torch.Tensor]) -> float:
        return float(sum((a - b).square().sum() for a, b in zip(after, before, strict=True)).sqrt())

    assert found["ascent_to_descent"] == pytest.approx(length(middle, end) / length(start, middle), rel=1e-3)
    assert set(found) == {"emotion", "gender", "speaker", "ascent_to_descent"}
    assert "ascent_to_descent" not in method.update(EMOTIONS, NOTHING)


def test_the_upstream_remembers_nothing_in_the_second_step():
    method = make("projector")
    upstream = method.module.network.network
    graphs: list[bool] = []
    upstream.register_forward_hook(lambda module, given, taps: graphs.append(taps["embedding"].values.requires_grad))
    method.update(EMOTIONS, SPEAKERS)
    assert graphs == [True, False]
    method.update(EMOTIONS, SPEAKERS)
    assert graphs == [True, False] * 2


@both_scopes
def test_what_is_frozen_does_not_climb(scope: str):
    network = make(scope).module.network
    frozen = network.network if isinstance(network, Projected) else network.tdnn1
    frozen.requires_grad_(False)
    terms = {name: Classification(network.taps, words, column=name, hidden=()) for name, words in WORDS.items()}
    method = SpeakerNormalization(Model(network, terms), SGD, Fabric(accelerator="cpu", devices=1), scope=scope)
    before = copy.deepcopy(frozen.state_dict())
    method.update(EMOTIONS, SPEAKERS)
    for name, value in frozen.named_parameters():
        assert torch.equal(value, before[name]), name


def test_the_projector_is_what_it_says():
    values = torch.randn(3, 14)
    for kind in ("relu", "gate"):
        network = make("projector", projector=kind).module.network
        projected = values @ network.projector.linear.weight.T + network.projector.linear.bias
        expected = projected.relu() if kind == "relu" else values * projected.sigmoid()
        torch.testing.assert_close(network.projector(values), expected)


def test_only_the_tap_that_the_terms_read_is_projected():
    network = make("projector", tap="frames").module.network.eval()
    inner = network.network(EMOTIONS.features, EMOTIONS.lengths)
    outer = network(EMOTIONS.features, EMOTIONS.lengths)
    assert outer.keys() == inner.keys()
    assert torch.equal(outer["embedding"].values, inner["embedding"].values)
    assert torch.equal(outer["frames"].values, network.projector(inner["frames"].values))
    assert torch.equal(outer["frames"].lengths, inner["frames"].lengths)


def test_a_method_goes_on_where_its_state_was():
    settings = OptimizerSettings(learning_rate=0.01)
    first, second = (
        make("projector", ascent="same", optimizer=settings),
        make("projector", ascent="same", optimizer=settings),
    )
    first.update(EMOTIONS, SPEAKERS)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert first.update(EMOTIONS, SPEAKERS) == second.update(EMOTIONS, SPEAKERS)
    for name, value in first.module.state_dict().items():
        assert torch.equal(second.module.state_dict()[name], value), name


def test_every_rate_has_its_place():
    head = {"learning_rate": 0.5}
    network = SpeakerNormalization.adapted(
        TdnnLstm((5,)), {"emotion": {"tap": "frames"}}, {"scope": "projector", "projector_learning_rate": 0.25}
    )
    terms = {
        name: Classification(network.taps, WORDS[name], column=name, tap="frames", **options)
        for name, options in (("emotion", {}), ("speaker", head))
    }
    method = SpeakerNormalization(
        Model(network, terms), SGD, Fabric(accelerator="cpu", devices=1), scope="projector", ascent_rate=0.125
    )
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in method.optimizers]
    assert rates == [[0.1, 0.25], [0.5], [0.125]]
    counts = [
        sum(weight.numel() for group in one.param_groups for weight in group["params"]) for one in method.optimizers
    ]
    everything = sum(weight.numel() for weight in method.module.parameters())
    assert counts[0] + counts[1] == everything
    assert counts[2] == 256 * 256 + 256


@both_scopes
def test_it_works_over_an_encoder_in_half_precision_with_checkpointing(scope: str):
    pytest.importorskip("transformers")
    name = {"all": "hubert-tap-weighted", "projector": "hubert-snp"}[scope]
    recipe = Recipe.load(name, [*random_encoder(name), "network.checkpointing=true", "optimizer.learning_rate=0.01"])
    words = {term: WORDS[term] for term in recipe.terms}
    model = build_model(recipe, build_front_end(recipe), words)
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    method = SpeakerNormalization(model, recipe.optimizer, fabric, **recipe.method.settings)
    draw = torch.Generator().manual_seed(0)
    lengths = torch.tensor([900, 600, 600])
    labels = {"emotion": torch.tensor([0, 1, 1]), "speaker": torch.tensor([2, 1, 0])}
    first, second = (Batch(0.1 * torch.randn(3, 900, generator=draw), lengths, labels) for _ in range(2))
    losses = [method.update(first, second) for _ in range(8)]
    assert losses[-1]["emotion"] < losses[0]["emotion"]
    assert all(0 < each["ascent_to_descent"] < 1e3 for each in losses)
    upstream = method.projected.network if method.projected else method.module.network
    before = copy.deepcopy(upstream.state_dict())
    method.update(NOTHING, second)
    moved = {key for key, value in upstream.state_dict().items() if not torch.equal(value, before[key])}
    assert bool(moved) == (scope == "all")


def test_it_needs_a_second_batch():
    assert SpeakerNormalization.second_batch
    with pytest.raises(ValueError, match="needs a second batch"):
        make().update(EMOTIONS)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"terms": ("emotion", "gender")},
            'speaker normalisation needs a term "speaker"; it is one of emotion, gender',
        ),
        ({"speaker": "gendre"}, 'needs a term "gendre"; did you mean "gender"?'),
        ({"scope": "projector", "tap": "embeding"}, 'no tap "embeding" to put a projector behind; did you mean'),
    ],
)
def test_what_does_not_fit_gets_one_sentence(settings: dict, said: str):
    with pytest.raises(InputError) as problem:
        make(**settings)
    assert said in str(problem.value)


def test_terms_that_read_different_taps_cannot_share_a_projector():
    terms = {"emotion": {"tap": "frames"}, "speaker": {"tap": "local"}}
    with pytest.raises(InputError, match=r"here they read frames \(emotion\), local \(speaker\)"):
        SpeakerNormalization.adapted(TdnnLstm((5,)), terms, {"scope": "projector"})
    assert isinstance(SpeakerNormalization.adapted(TdnnLstm((5,)), terms, {"scope": "all"}), TdnnLstm)


def test_a_reversed_speaker_is_refused():
    network = TdnnLstm((5,))
    heads = {
        "emotion": Classification(network.taps, WORDS["emotion"], column="emotion"),
        "speaker": Classification(network.taps, WORDS["speaker"], column="speaker", reverse=Reversal()),
    }
    with pytest.raises(InputError, match='climbs the loss of the term "speaker" by itself; leave out its reverse'):
        SpeakerNormalization(Model(network, heads), SGD, Fabric(accelerator="cpu", devices=1))


@pytest.mark.parametrize("name", ["tdnn-snp", "tdnn-tap"])
def test_the_recipes_begin_with_the_network_of_their_baseline(name: str):
    built = {}
    for each in ("tdnn", name):
        recipe = Recipe.load(each)
        words = {term: WORDS[term] for term in recipe.terms}
        built[each] = build_model(recipe, build_front_end(recipe), words)
    network = built[name].network
    inner = network.network if isinstance(network, Projected) else network
    assert isinstance(network, Projected) == (name == "tdnn-snp")
    for one, other in zip(inner.parameters(), built["tdnn"].network.parameters(), strict=True):
        assert torch.equal(one, other)
    assert isinstance(built[name].term("speaker"), nn.Module)
