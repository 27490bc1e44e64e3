"""The network over wav2vec 1.0 has the published sizes, pays no attention to padding, and trains what it is told to."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning_fabric import Fabric
from torch import nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.classification import Classification
from unheard.methods.contrastive import Contrastive
from unheard.methods.descent import Descent
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks.network import Tap
from unheard.networks.wav2vec import (
    AGGREGATOR,
    CONVOLUTIONS,
    ENCODER,
    Wav2vec,
    frame_counts,
    receptive_field,
)
from unheard.recipe import Recipe
from unheard.training.fitted import FittedNetwork, build_front_end, build_model, load_fitted

EMOTIONS = Vocabulary("emotion", ("angry", "happy", "neutral", "sad"))
#: A frame of z every 8 samples, which sees 18; x sees 4 of them and has one every 2.
SMALL = {
    "encoder": ((6, 10, 4), (8, 3, 2)), "aggregator": (2, 3), "convolutions": ((7, 4, 2),), "lstm": 3, "lstm_layers": 2,
}  # fmt: skip
FIELD = 18 + 3 * 8
FRAMES = ("features", "context", "local", "frames")


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def small(**settings: object) -> Wav2vec:
    torch.manual_seed(0)
    return Wav2vec((), **SMALL, **settings)  # type: ignore[arg-type]


def test_the_counts_are_the_published_ones():
    with torch.device("meta"):
        network = Wav2vec(())
        head = Contrastive(network.taps, None)
    assert parameters(network.encoder) == 5_779_456
    assert parameters(network.aggregator) == 23_611_392
    assert parameters(network.convolutions) == 3_672_064
    assert parameters(network.lstm) == 7_884_800
    assert parameters(head) == 3_146_240
    assert network.taps == dict.fromkeys((*FRAMES, "embedding"), 512)


def test_a_frame_sees_809_ms_every_10_ms():
    field, hop = receptive_field((*ENCODER, *((512, kernel, 1) for kernel in AGGREGATOR)))
    assert (field, hop) == (12_945, 160)
    assert round(1000 * field / 16_000) == 809
    assert receptive_field(CONVOLUTIONS) == (26, 4)


def test_three_seconds_are_298_frames_and_69_behind_the_convolutions():
    samples = torch.tensor([48_000])
    assert frame_counts(samples, ENCODER) == torch.tensor([298])
    with torch.device("meta"):
        network = Wav2vec(())
        assert network.encoder(torch.empty(2, 48_000)).shape == (2, 512, 298)
        assert network.aggregator(torch.empty(2, 512, 298)).shape == (2, 512, 298)
        assert network.convolutions(torch.empty(2, 512, 298)).shape == (2, 512, 69)


def test_the_smallest_utterance_is_one_that_gives_a_frame():
    assert receptive_field((*SMALL["encoder"], *SMALL["convolutions"]))[0] == FIELD
    taps = small()(torch.randn(1, FIELD), torch.tensor([FIELD]))
    assert {name: tap.values.shape[1:] for name, tap in taps.items()} == {
        "features": (4, 8), "context": (4, 8), "local": (1, 7), "frames": (1, 6), "embedding": (6,),
    }  # fmt: skip


def test_what_is_too_short_is_filled_up_with_silence():
    wave, network = torch.randn(1, FIELD), small().eval()
    wave[:, 10:] = 0
    expected = network(wave, torch.tensor([FIELD]))
    found = network(torch.cat([wave[:, :10], torch.ones(1, 4)], dim=1), torch.tensor([10]))
    for name, tap in expected.items():
        torch.testing.assert_close(found[name].values, tap.values)


@settings(max_examples=30)
@given(
    lengths=st.lists(st.sampled_from([5, FIELD, FIELD + 1, 60, 90, 150]), min_size=2, max_size=6),
    training=st.booleans(),
    seed=st.integers(0, 99),
)
def test_a_batch_gives_what_single_utterances_give(lengths: list[int], training: bool, seed: int):
    network = small().train(training)
    torch.manual_seed(seed)
    for norm in (module for module in network.modules() if isinstance(module, nn.GroupNorm)):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    singles = [torch.randn(1, length) for length in lengths]
    batch = torch.full((len(lengths), max(lengths) + 7), 1e3)
    for row, single in zip(batch, singles, strict=True):
        row[: single.shape[1]] = single[0]
    together = network(batch, torch.tensor(lengths))
    for row, single in enumerate(singles):
        alone = network(single, torch.tensor([single.shape[1]]))
        torch.testing.assert_close(together["embedding"].values[row], alone["embedding"].values[0], atol=1e-5, rtol=0)
        for name in FRAMES:
            valid = int(together[name].lengths[row])
            assert valid == int(alone[name].lengths) == alone[name].values.shape[1]
            torch.testing.assert_close(
                together[name].values[row, :valid], alone[name].values[0], atol=1e-5, rtol=0, msg=name
            )


def test_the_classifier_begins_at_the_aggregator():
    network = small().eval()
    taps = network(torch.randn(2, 100), torch.tensor([100, 100]))
    local = nn.functional.conv1d(
        taps["context"].values.mT, network.convolutions[0].weight, network.convolutions[0].bias, stride=2
    ).relu()
    torch.testing.assert_close(taps["local"].values, local.mT)
    torch.testing.assert_close(taps["embedding"].values, taps["frames"].values.mean(1))


def trained(network: Wav2vec) -> set[str]:
    """The parts that a step of the plain update changes, weight decay included."""
    emotion = Classification(network.taps, EMOTIONS, column="emotion", hidden=(), dropout=0.0)
    settings = OptimizerSettings(name="adamw", learning_rate=0.01, weight_decay=0.1)
    rule = Descent(Model(network, {"emotion": emotion}), settings, Fabric(accelerator="cpu", devices=1))
    before = copy.deepcopy(network.state_dict())
    batch = Batch(torch.randn(4, 200), torch.tensor([200, 200, 150, 90]), {"emotion": torch.arange(4)})
    rule.update(batch)
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    parts = {"encoder", "aggregator", "convolutions", "lstm"}
    names = {part: {name for name in before if name.startswith(f"{part}.")} for part in parts}
    for part in parts:  # all of it or nothing
        assert names[part] <= changed or not names[part] & changed, part
    return {part for part in parts if names[part] <= changed}


@pytest.mark.parametrize(
    ("mode", "parts"),
    [
        ("none", set()),
        ("context", {"aggregator"}),
        ("encoder", {"encoder"}),
        ("all", {"encoder", "aggregator"}),
    ],
)
def test_what_is_fine_tuned(mode: str, parts: set[str]):
    assert trained(small(fine_tune=mode)) == parts | {"convolutions", "lstm"}


@pytest.mark.parametrize("mode", ["none", "context"])
def test_a_frozen_encoder_keeps_nothing_for_a_pass_back(mode: str):
    taps: dict[str, Tap] = small(fine_tune=mode)(torch.randn(2, 100), torch.tensor([100, 90]))
    assert not taps["features"].values.requires_grad
    assert taps["context"].values.requires_grad == (mode == "context")
    assert taps["local"].values.requires_grad


def test_a_gradient_reaches_the_waveform_through_what_is_frozen():
    waveforms = torch.randn(2, 100, requires_grad=True)
    small()(waveforms, torch.tensor([100, 90]))["embedding"].values.square().sum().backward()
    assert waveforms.grad[:, :60].any()
    assert not waveforms.grad[1, 90:].any()


def test_layers_and_a_checkpoint_are_one_too_many():
    with pytest.raises(InputError, match=r"come from .*; leave out encoder and aggregator"):
        small(checkpoint="wav2vec.pt")


@pytest.mark.parametrize(
    ("name", "mode", "heads"),
    [
        ("wav2vec", "none", 0),
        ("wav2vec-segments", "none", 2),
        ("wav2vec-segments-context", "context", 2),
        ("wav2vec-segments-encoder", "encoder", 2),
        ("wav2vec-segments-all", "all", 2),
    ],
)
def test_the_recipes_are_the_models_of_the_paper(name: str, mode: str, heads: int):
    recipe = Recipe.load(name)
    assert recipe.value("network.fine_tune") == mode
    with torch.device("meta"):
        model = build_model(recipe, build_front_end(recipe), dict.fromkeys(recipe.terms, EMOTIONS))
    classifier = 264_708
    assert parameters(model.term("emotion")) == classifier
    assert parameters(model) == 5_779_456 + 23_611_392 + 3_672_064 + 7_884_800 + (1 + heads) * classifier


def test_a_stage_pretrains_what_is_frozen_afterwards():
    recipe = Recipe.load("wav2vec-small", ["network.fine_tune=none", "network.encoder=[[8, 10, 5], [8, 8, 4]]"])
    (stage,) = recipe.stages
    part = recipe.of_stage(stage)
    modes = [one.value("network.fine_tune") for one in (recipe, part)]
    assert modes == ["none", "all"]
    assert part.value("network.encoder") == recipe.value("network.encoder") == [[8, 10, 5], [8, 8, 4]]
    with pytest.raises(InputError, match=r'stage pretraining, network: there is no key "finetune"; did you mean'):
        Recipe.load("wav2vec-small", ["stages.pretraining.network.finetune=all"])


def test_a_saved_recognizer_needs_no_checkpoint(tmp_path: Path):
    torch.manual_seed(0)
    weights = small().state_dict()
    theirs = {"encoder.layers": "feature_extractor.conv_layers", "aggregator": "feature_aggregator.conv_layers"}
    places = {"encoder.layers": {"convolution": 0, "norm": 2}, "aggregator": {"convolution": 1, "norm": 3}}
    model = {}
    for part, name in theirs.items():
        for key, value in weights.items():
            if key.startswith(f"{part}."):
                layer, module, kind = key.removeprefix(f"{part}.").split(".")
                model[f"{name}.{layer}.{places[part][module]}.{kind}"] = value
    layers = {"conv_feature_layers": "[(6, 10, 4), (8, 3, 2)]", "conv_aggregator_layers": "[(8, 2, 1), (8, 3, 1)]"}
    torch.save({"task_cfg": {}, "model_cfg": layers, "model_weight": model}, tmp_path / "wav2vec.pt")
    body = ["network.convolutions=[[7, 4, 2]]", "network.lstm=3", "network.lstm_layers=1"]
    recipe = Recipe.load("wav2vec", [f"network.checkpoint={tmp_path / 'wav2vec.pt'}", *body])
    front_end, words = build_front_end(recipe), {"emotion": EMOTIONS}
    fitted = FittedNetwork(recipe, front_end, words, build_model(recipe, front_end, words))
    assert torch.equal(fitted.model.network.encoder.layers[1].norm.weight, weights["encoder.layers.1.norm.weight"])
    waves = [np.random.default_rng(0).standard_normal(size, dtype=np.float32) for size in (100, 70)]
    expected = fitted.posteriors(waves)
    facts = dict.fromkeys(("corpus", "corpus_hash", "synthetic", "protocol", "speaker_independent", "fold", "seed"), 0)
    fitted.save(tmp_path / "recognizer", facts | {"test": {"n": 0, "wa": 0.0, "ua": 0.0}})
    (tmp_path / "wav2vec.pt").unlink()
    again, _ = load_fitted(tmp_path / "recognizer")
    np.testing.assert_allclose(again.posteriors(waves), expected, atol=1e-6)
    config = (tmp_path / "recognizer" / "config.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in config
    asking = json.loads(config)
    asking["recipe"]["network"] |= {"checkpoint": "elsewhere.pt"}
    (tmp_path / "recognizer" / "config.json").write_text(json.dumps(asking), encoding="utf-8")
    with pytest.raises(InputError, match='"checkpoint" of wav2vec names something outside of this folder'):
        load_fitted(tmp_path / "recognizer")
