"""A head whose first layer stands before the mean over time."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.gradient_reversal import Reversal
from unheard.methods.pooled_classification import PooledClassification
from unheard.networks.network import Tap

WORDS = Vocabulary("emotion", ("angry", "happy", "sad"))


def term(**settings) -> PooledClassification:
    torch.manual_seed(0)
    return PooledClassification({"frames": 6, "embedding": 6}, WORDS, column="emotion", width=5, **settings)


@pytest.mark.parametrize("rectify", [True, False])
def test_a_layer_per_frame_the_mean_of_the_valid_ones_and_a_layer(rectify: bool):
    made = term(rectify=rectify)
    frames, lengths = torch.randn(3, 7, 6), torch.tensor([7, 2, 4])
    read = made.read({"frames": Tap(frames, lengths)}, 0.0)
    for row, length in enumerate(lengths.tolist()):
        each = functional.linear(frames[row, :length], made.projection.weight, made.projection.bias)
        hidden = (each.relu() if rectify else each).mean(0)
        torch.testing.assert_close(read["hidden"].values[row], hidden)
        torch.testing.assert_close(read["logits"].values[row], made.head.output(hidden))
    assert made.taps == {"hidden": 5, "logits": 3}


def test_without_a_relu_the_mean_may_come_first():
    """What makes the means of a frozen encoder enough for the head of SUPERB."""
    made = term(rectify=False)
    frames, lengths = torch.randn(3, 7, 6), torch.tensor([7, 2, 4])
    taps = {"frames": Tap(frames, lengths)}
    late = made.read(taps, 0.0)["logits"].values
    made.tap = "embedding"
    early = made.read({"embedding": Tap(taps["frames"].per_utterance())}, 0.0)["logits"].values
    torch.testing.assert_close(late, early)


def test_it_learns_as_other_classifications_do():
    made = term(balanced=True, learning_rate=0.5)
    assert made.optimizer_options == {"lr": 0.5}
    made.fit(WORDS, torch.tensor([0, 0, 0, 1, 2, -1]))
    frames = torch.randn(3, 4, 6)
    read = made.read({"frames": Tap(frames, torch.full((3,), 4))}, 0.0)
    labels = torch.tensor([0, -1, 2])
    loss = made.loss(read, Batch(frames, torch.full((3,), 4), {"emotion": labels}))
    expected = functional.cross_entropy(read["logits"].values, labels, weight=made.class_weight, ignore_index=-1)
    assert torch.equal(loss, expected)
    assert made.class_weight[0] < made.class_weight[1]


def test_its_gradient_can_be_reversed():
    gradients = []
    for reverse in (None, Reversal(schedule="constant", strength=2.0)):
        made = term(reverse=reverse)
        frames = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(1)).requires_grad_()
        made.read({"frames": Tap(frames, torch.full((3,), 4))}, 0.0)["logits"].values.square().sum().backward()
        gradients.append((frames.grad, made.projection.weight.grad))
    torch.testing.assert_close(gradients[1][0], -2 * gradients[0][0])
    torch.testing.assert_close(gradients[1][1], gradients[0][1])


def test_a_tap_that_is_not_there_gets_one_sentence():
    with pytest.raises(InputError, match='there is no tap "frame" to read "emotion" from; did you mean "frames"'):
        term(tap="frame")
