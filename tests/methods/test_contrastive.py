"""The contrastive objective is the paper's equation, and an encoder learns from it without a label."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning_fabric import Fabric
from safetensors.torch import load_file

from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.frontends.store import FeatureStore
from unheard.methods.batch import Batch
from unheard.methods.contrastive import Contrastive
from unheard.methods.descent import Descent
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks.network import Tap
from unheard.networks.wav2vec import Wav2vec
from unheard.recipe import Recipe
from unheard.seeds import seeded
from unheard.training.fit import fit
from unheard.training.fitted import FittedNetwork
from unheard.training.split import Split

WIDTHS = {"context": 5, "features": 3}


def term(**settings: object) -> Contrastive:
    torch.manual_seed(0)
    made = Contrastive(WIDTHS, None, **settings).double().eval()  # type: ignore[arg-type]
    torch.nn.init.normal_(made.bias)
    return made


def taps(lengths: list[int], time: int, seed: int = 0) -> dict[str, Tap]:
    draw = torch.Generator().manual_seed(seed)
    return {
        name: Tap(torch.randn(len(lengths), time, width, generator=draw, dtype=torch.float64), torch.tensor(lengths))
        for name, width in WIDTHS.items()
    }


def loss(made: Contrastive, found: dict[str, Tap]) -> torch.Tensor | None:
    return made.loss(made.read(found, 0.0), Batch(torch.zeros(1), torch.ones(1)))


@torch.no_grad()
def written_out(made: Contrastive, found: dict[str, Tap]) -> float | None:
    """Sum over k of the mean over i, one product at a time."""
    (c, lengths), z = found["context"], found["features"].values
    negatives = made._drawn(lengths, c.shape[1])
    total, counted = 0.0, 0
    for place, k in enumerate(made.ahead):
        rows = made.steps.weight[3 * place : 3 * (place + 1)]
        terms = []
        for item, length in enumerate(lengths.tolist()):
            for i in range(length - k if length > 1 else 0):
                told = rows @ c[item, i] + made.bias
                value = -math.log(torch.sigmoid(z[item, i + k] @ told))
                for other in negatives[item, i + k].tolist():
                    value -= math.log(torch.sigmoid(-(z[item, other] @ told)))
                terms.append(value)
        if terms:
            total += sum(terms) / len(terms)
            counted += 1
    return total if counted else None


@settings(max_examples=40)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    steps=st.integers(1, 4),
    first=st.integers(1, 4),
    negatives=st.integers(1, 5),
)
def test_the_loss_is_the_equation(lengths: list[int], steps: int, first: int, negatives: int):
    made = term(steps=steps, first=first, negatives=negatives)
    found = taps(lengths, max(lengths))
    value, expected = loss(made, found), written_out(made, found)
    assert (value is None) == (expected is None)
    if value is not None:
        assert float(value.detach()) == pytest.approx(expected, rel=1e-9)


@given(lengths=st.lists(st.integers(2, 12), min_size=1, max_size=5), training=st.booleans(), seed=st.integers(0, 99))
def test_negatives_are_other_frames_of_the_utterance(lengths: list[int], training: bool, seed: int):
    with seeded(seed, "test"):
        drawn = term(negatives=7).train(training)._drawn(torch.tensor(lengths), max(lengths) + 3)
    assert drawn.shape == (len(lengths), max(lengths) + 3, 7)
    for item, length in zip(drawn, lengths, strict=True):
        own = torch.arange(length)[:, None]
        assert ((item[:length] != own) & (item[:length] >= 0) & (item[:length] < length)).all()


def test_negatives_are_drawn_evenly():
    with seeded(0, "test"):
        drawn = term(negatives=6000).train()._drawn(torch.tensor([4]), 4)
    counts = torch.nn.functional.one_hot(drawn[0], 4).sum(1) / 6000
    torch.testing.assert_close(counts, (1 - torch.eye(4)) / 3, atol=0.03, rtol=0)


def test_training_draws_anew_and_evaluation_does_not():
    made, found = term(), taps([20, 15], 20)
    assert loss(made, found) == loss(made, found)
    made.train()
    with seeded(0, "step"):
        first, second = loss(made, found), loss(made, found)
    with seeded(0, "step"):
        again = loss(made, found)
    assert first != second
    assert first == again


@pytest.mark.parametrize("training", [False, True])
def test_padding_changes_nothing(training: bool):
    made, found = term().train(training), taps([20, 15], 20)
    padded = {
        name: Tap(torch.cat([tap.values, torch.full_like(tap.values, 1e3)], 1), tap.lengths)
        for name, tap in found.items()
    }
    with seeded(0, "step"):
        plain = loss(made, found)
    with seeded(0, "step"):
        torch.testing.assert_close(loss(made, padded), plain)


def test_a_guess_costs_as_much_as_a_coin_for_each_choice():
    made, found = term(), taps([30], 30)
    torch.nn.init.zeros_(made.steps.weight)
    torch.nn.init.zeros_(made.bias)
    assert float(loss(made, found).detach()) == pytest.approx(12 * 11 * math.log(2))


def tones(count: int, samples: int = 800) -> Batch:
    """A pitch for each utterance that rises or falls: the near future follows from what was heard."""
    draw = torch.Generator().manual_seed(0)
    start, slope, noise = (torch.rand(count, 1, generator=draw) for _ in range(3))
    time = torch.arange(samples) / samples
    phase = (40 + 80 * start) * time + 60 * (slope - 0.5) * time.square()
    return Batch(torch.sin(2 * torch.pi * phase + noise), torch.full((count,), samples))


def test_an_encoder_learns_what_comes_next_without_labels():
    torch.manual_seed(0)
    network = Wav2vec(
        (), encoder=((16, 10, 5), (16, 8, 4)), aggregator=(2, 3), fine_tune="all",
        convolutions=((4, 3, 1),), lstm=2, lstm_layers=1,
    )  # fmt: skip
    model = Model(network, {"future": Contrastive(network.taps, None, steps=2, first=2)})
    settings = OptimizerSettings(name="adam", learning_rate=3e-3)
    rule = Descent(model, settings, Fabric(accelerator="cpu", devices=1))
    batch = tones(8)
    with seeded(0, "training"):
        losses = [rule.update(batch)["future"] for _ in range(60)]
    assert losses[0] > 0.8 * 2 * 11 * math.log(2)
    assert losses[-1] < 0.6 * losses[0]


def test_the_gradient_reaches_both_taps():
    made, found = term(), taps([20, 15], 20)
    for tap in found.values():
        tap.values.requires_grad_()
    loss(made, found).backward()
    for tap in found.values():
        assert tap.values.grad[0].any()
        assert not tap.values.grad[1, 15:].any()


def test_a_tap_that_is_not_there_or_holds_no_frames_gets_one_sentence():
    with pytest.raises(InputError, match='no tap "featurs" to contrast; did you mean "features"'):
        term(target="featurs")
    found = taps([20, 15], 20)
    with pytest.raises(InputError, match='the taps "context" and "features" must hold the same frames'):
        term().read(found | {"context": Tap(found["context"].values[:, 0])}, 0.0)
    with pytest.raises(InputError, match="must hold the same frames"):
        term().read(found | {"features": Tap(found["features"].values[:, ::2], torch.tensor([10, 8]))}, 0.0)


def test_a_stage_needs_no_labels_and_training_starts_from_its_encoder(tiny_corpus: Corpus, tmp_path: Path, cache: Path):
    recipe = Recipe.load(
        "wav2vec-small",
        ["network.encoder=[[4, 10, 5], [6, 8, 8]]", "network.aggregator=[2, 3]", "network.convolutions=[[6, 4, 4]]",
         "network.lstm=4", "network.fine_tune=none", "terms.emotion.hidden=[4]", "terms.segments.hidden=[4]",
         "front_end.crop=0.3", "training.epochs=1", "stages.pretraining.training.epochs=2",
         "stages.pretraining.data=auxiliary"],
    )  # fmt: skip
    corpus = tiny_corpus.with_digests()
    features = FeatureStore(cache).features(recipe.front_end.name, recipe.front_end.settings, corpus)
    train, other, nobody = (Split.of(corpus, features, rows) for rows in (range(8), range(8, 16), ()))
    other = Split(other.table.drop(columns="emotion"), other.features)
    fitted = fit(recipe, train, nobody, 0, tmp_path, "cpu", auxiliary=other)
    assert isinstance(fitted, FittedNetwork)
    (metrics,) = (tmp_path / "stages").glob("*/metrics.jsonl")
    assert "held_out_loss" in metrics.read_text(encoding="utf-8")
    (weights,) = (tmp_path / "stages").glob("*/weights.safetensors")
    stage = load_file(weights)
    trained = {name: value for name, value in fitted.model.state_dict().items() if name in stage}
    frozen = {name for name, value in trained.items() if torch.equal(value, stage[name])}
    parts = ("network.encoder.", "network.aggregator.")
    assert {name for name in trained if name.startswith(parts)} <= frozen
    assert not {name for name in trained if name.startswith("network.lstm.")} & frozen
