"""Classification by a convolution: it is a classification whose head reads maps."""

from __future__ import annotations

import pytest
import torch

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.conv_classification import ConvClassification
from unheard.methods.gradient_reversal import Reversal
from unheard.networks.network import Maps, Tap

WORDS = Vocabulary("emotion", ("angry", "happy", "sad"))
TAPS = {"latent": Maps(3, 4, 4), "embedding": 48}


def made(**settings: object) -> ConvClassification:
    torch.manual_seed(0)
    chosen = {"column": "emotion", "channels": 2, "hidden": (6, 5), "dropout": 0.0} | settings
    return ConvClassification(TAPS, WORDS, **chosen)  # type: ignore[arg-type]


def test_its_taps_have_the_widths_it_says() -> None:
    term = made()
    found = term.read({"latent": Tap(torch.randn(4, 48))}, 0.0)
    assert {name: tap.values.shape[1] for name, tap in found.items()} == term.taps == {"hidden": 5, "logits": 3}
    assert sum(weight.numel() for weight in term.parameters()) == (27 + 1) * 2 + (8 + 1) * 6 + (6 + 1) * 5 + (5 + 1) * 3


def test_utterances_without_a_label_do_not_count() -> None:
    term, values = made(), torch.randn(4, 48)
    labels = torch.tensor([0, -1, 2, -1])
    batch = Batch(torch.zeros(4, 1), torch.ones(4, dtype=torch.long), {"emotion": labels})
    found = term.read({"latent": Tap(values)}, 0.0)
    chosen = found["logits"].values.log_softmax(1)[[0, 2], [0, 2]]
    torch.testing.assert_close(term.loss(found, batch), -chosen.mean())
    assert term.loss(found, Batch(batch.features, batch.lengths, {"emotion": torch.full((4,), -1)})) is None


def test_it_can_be_reversed() -> None:
    gradients = []
    for reverse in (None, Reversal(schedule="constant", strength=0.5)):
        values = torch.ones(2, 48, requires_grad=True)
        made(reverse=reverse).read({"latent": Tap(values)}, 0.0)["logits"].values[:, 0].sum().backward()
        gradients.append(values.grad)
    torch.testing.assert_close(gradients[1], -0.5 * gradients[0])


def test_a_tap_without_maps_is_one_sentence() -> None:
    with pytest.raises(InputError, match='the tap "embedding" by a convolution, and the tap holds no maps'):
        made(tap="embedding")
    with pytest.raises(InputError, match='there is no tap "latnet" to read "emotion" from'):
        made(tap="latnet")
