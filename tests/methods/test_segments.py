"""Every frame tells what the utterance is, padding does not, and the utterance's posterior is left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from trees.encoders import random_encoder
from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.segments import Segments
from unheard.networks.network import Tap
from unheard.recipe import Recipe
from unheard.training.fitted import FittedNetwork, build_front_end, build_model, load_fitted

WORDS = Vocabulary("emotion", ("angry", "happy", "sad"))
WIDTH = 4


def term(**chosen: object) -> Segments:
    torch.manual_seed(0)
    return Segments({"local": WIDTH, "embedding": WIDTH}, WORDS, column="emotion", **{"hidden": (5,), **chosen})  # type: ignore[arg-type]


def batch(*labels: int) -> Batch:
    return Batch(torch.zeros(len(labels), 1), torch.ones(len(labels)), {"emotion": torch.tensor(labels)})


def frames(lengths: list[int], padding: int = 0) -> Tap:
    values = torch.full((len(lengths), max(lengths) + padding, WIDTH), 1e3)
    for row, length in enumerate(lengths):
        values[row, :length] = torch.randn(length, WIDTH, generator=torch.Generator().manual_seed(row))
    return Tap(values, torch.tensor(lengths))


def loss(head: Segments, tap: Tap, labels: Batch) -> torch.Tensor:
    found = head.loss(head.read({"local": tap}, 0.0), labels)
    assert found is not None
    return found


def by_hand(head: Segments, tap: Tap, labels: list[int]) -> torch.Tensor:
    """Equation 3, a frame after the other."""
    total, weights = torch.zeros(()), torch.zeros(())
    assert tap.lengths is not None
    for values, length, label in zip(tap.values, tap.lengths.tolist(), labels, strict=True):
        if label < 0:
            continue
        target = torch.tensor(label)
        for classifier in head.heads:
            of_frames = [functional.cross_entropy(classifier(values[time]), target) for time in range(length)]
            total = total + head.class_weight[label] * torch.stack(of_frames).mean()
        weights = weights + head.class_weight[label]
    return total / weights


@given(
    st.lists(st.tuples(st.integers(1, 7), st.integers(-1, 2)), min_size=1, max_size=4),
    st.integers(0, 3),
    st.integers(1, 3),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
@torch.no_grad()
def test_the_loss_is_equation_3(items: list[tuple[int, int]], padding: int, heads: int, balanced: bool) -> None:
    lengths, labels = ([item[place] for item in items] for place in range(2))
    head = term(heads=heads, balanced=balanced)
    head.fit(WORDS, torch.tensor([0, 0, 0, 1, 2, 2, -1]))
    if all(label < 0 for label in labels):
        assert head.loss(head.read({"local": frames(lengths)}, 0.0), batch(*labels)) is None
        return
    tap = frames(lengths, padding)
    torch.testing.assert_close(loss(head, tap, batch(*labels)), by_hand(head, tap, labels), atol=1e-5, rtol=1e-4)


def test_equal_lengths_give_torchs_weighted_cross_entropy_over_frames() -> None:
    head, tap, labels = term(heads=1, balanced=True), frames([6, 6, 6]), [0, 2, 1]
    head.fit(WORDS, torch.tensor([0, 0, 0, 1, 2, 2]))
    logits = head.heads[0](tap.values).flatten(0, 1)
    expected = functional.cross_entropy(logits, torch.tensor(labels).repeat_interleave(6), weight=head.class_weight)
    torch.testing.assert_close(loss(head, tap, batch(*labels)), expected)


def test_heads_are_their_own() -> None:
    head, tap = term(heads=3), frames([4, 6])
    one, two, three = (classifier(tap.values) for classifier in head.heads)
    assert not torch.allclose(one, two)
    read = head.read({"local": tap}, 0.0)
    assert torch.equal(read["logits"].values, torch.cat([one, two, three], dim=2))
    assert {name: tap.values.shape[2] for name, tap in read.items()} == head.taps == {"logits": 9, "frames": 3}


def test_frames_have_the_mean_posterior_of_the_heads() -> None:
    head, tap = term(heads=2), frames([4, 6])
    read = head.read({"local": tap}, 0.0)["frames"]
    expected = sum(classifier(tap.values).softmax(2) for classifier in head.heads) / 2
    torch.testing.assert_close(read.values, expected)
    torch.testing.assert_close(read.values.sum(2), torch.ones(2, 6))
    assert read.lengths is tap.lengths


def test_padding_and_what_is_not_labelled_give_no_gradient() -> None:
    tap = frames([3, 5, 4], padding=2)
    tap.values.requires_grad_()
    loss(term(), tap, batch(1, -1, 0)).backward()
    assert tap.values.grad is not None
    reached = tap.values.grad.any(dim=2)
    assert reached.sum(1).tolist() == [3, 0, 4]
    assert reached[0, :3].all()


def test_the_head_is_the_papers() -> None:
    head = Segments({"local": 512}, Vocabulary("emotion", tuple("abcd")), column="emotion", heads=1)
    assert sum(parameter.numel() for parameter in head.parameters()) == 264_708


def test_a_tap_without_frames_or_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(
        InputError, match='there is no tap "locl" whose frames could tell "emotion"; did you mean "local"'
    ):
        term(tap="locl")
    head = term(tap="embedding")
    with pytest.raises(InputError, match='the tap "embedding" is one per utterance; take "local"'):
        head.read({"embedding": Tap(torch.zeros(2, WIDTH))}, 0.0)


SEGMENTS = ["terms.segments.kind=segments", "terms.segments.column=emotion", "terms.segments.hidden=[8]"]
#: Built-in recipes whose networks have the tap, made small.
NETWORKS = {
    "tdnn": ["network.width=8"],
    "filterbank-tdnn": ["network.width=8"],
    "strfnet-spectrogram": ["network.width=8", "network.kernels=2", "network.residual=[4,4,4]"],
    "hubert": [*random_encoder("hubert"), "network.freeze=none"],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_any_network_with_local_frames_learns_from_it_and_keeps_its_posterior(name: str, tmp_path: Path) -> None:
    with_segments = Recipe.load(name, [*NETWORKS[name], *SEGMENTS])
    models = {}
    for recipe in (Recipe.load(name, NETWORKS[name]), with_segments):
        front_end = build_front_end(recipe)
        vocabularies = dict.fromkeys(recipe.terms, WORDS)
        model = build_model(recipe, front_end, vocabularies).eval()
        models[len(recipe.terms)] = FittedNetwork(recipe, front_end, vocabularies, model)
    waveform = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 16000)).astype(np.float32))
    power, lengths = models[2].front_end.fixed(0.1 * waveform, torch.tensor([16000]))
    features = [power[0].numpy()]
    assert np.array_equal(models[1].posteriors(features), models[2].posteriors(features))

    drawn, lengths = models[2].front_end.draw(power, lengths)
    item = Batch(drawn, lengths, {"emotion": torch.tensor([1])})
    taps, losses = models[2].model(item)
    assert set(losses) == {"emotion", "segments"}
    gradients = torch.autograd.grad(losses["segments"], list(models[2].model.network.parameters()), allow_unused=True)
    assert any(each is not None and each.any() for each in gradients)

    facts = {"corpus": "c", "corpus_hash": "h", "synthetic": False, "protocol": "p", "speaker_independent": True,
             "fold": 1, "seed": 0, "test": {"n": 1, "wa": 1.0, "ua": 1.0}, "machine": {}}  # fmt: skip
    models[2].save(tmp_path, facts)
    loaded, _ = load_fitted(tmp_path)
    assert isinstance(loaded, FittedNetwork)
    assert np.array_equal(loaded.posteriors(features), models[2].posteriors(features))
    again, _ = loaded.model(item, losses=False)
    assert torch.equal(again["segments.frames"].values, taps["segments.frames"].values)


def test_what_tells_another_column_is_not_kept(tmp_path: Path) -> None:
    recipe = Recipe.load("tdnn", [*NETWORKS["tdnn"], *SEGMENTS[:1], "terms.segments.column=gender"])
    front_end = build_front_end(recipe)
    model = build_model(recipe, front_end, dict.fromkeys(recipe.terms, WORDS))
    kept = FittedNetwork(recipe, front_end, {"emotion": WORDS}, model).tensors()
    assert not [name for name in kept if name.startswith("terms.segments")]
    assert [name for name in kept if name.startswith("terms.emotion")]
