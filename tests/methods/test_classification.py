"""A term reads a tap, learns from what is labelled, and may learn against the network."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.classification import Classification
from unheard.methods.gradient_reversal import Reversal
from unheard.networks.network import Tap

WORDS = Vocabulary("emotion", ("angry", "happy", "sad"))
WIDTH = 4


def term(**settings: object) -> Classification:
    torch.manual_seed(0)
    return Classification({"embedding": WIDTH, "frames": WIDTH}, WORDS, column="emotion", **settings).eval()  # type: ignore[arg-type]


def batch(*labels: int) -> Batch:
    return Batch(torch.zeros(len(labels), 1), torch.ones(len(labels)), {"emotion": torch.tensor(labels)})


def values(count: int) -> torch.Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(1))


def test_the_loss_is_the_mean_over_what_is_labelled():
    head, tap = term(), values(4)
    read = head.read({"embedding": Tap(tap)}, 0.0)
    logits = read["logits"].values
    expected = (
        functional.cross_entropy(logits[1], torch.tensor(2)) + functional.cross_entropy(logits[3], torch.tensor(0))
    ) / 2
    loss = head.loss(read, batch(-1, 2, -1, 0))
    assert loss is not None
    torch.testing.assert_close(loss, expected)


def test_what_is_not_labelled_gives_no_gradient():
    head, tap = term(), values(3).requires_grad_()
    loss = head.loss(head.read({"embedding": Tap(tap)}, 0.0), batch(1, -1, 0))
    assert loss is not None
    loss.backward()
    assert tap.grad is not None
    assert tap.grad.any(dim=1).tolist() == [True, False, True]


def test_without_any_label_there_is_no_loss():
    head = term()
    assert head.loss(head.read({"embedding": Tap(values(2))}, 0.0), batch(-1, -1)) is None


def test_balanced_weights_make_every_class_weigh_the_same():
    head = term(balanced=True)
    labels = torch.tensor([0, 0, 0, 0, 1, 2, 2, -1])
    head.fit(WORDS, labels)
    torch.testing.assert_close(head.class_weight, torch.tensor([7 / 12, 7 / 3, 7 / 6]))
    sums = [head.class_weight[label] * (labels == label).sum() for label in range(3)]
    torch.testing.assert_close(sums, [sums[0]] * 3)

    tap = values(8)
    read = head.read({"embedding": Tap(tap)}, 0.0)
    loss = head.loss(read, batch(*labels.tolist()))
    losses = functional.cross_entropy(read["logits"].values[:7], labels[:7], reduction="none")
    weights = head.class_weight[labels[:7]]
    assert loss is not None
    torch.testing.assert_close(loss, (losses * weights).sum() / weights.sum())


def test_weights_are_one_where_nobody_asks_for_balance():
    head = term()
    head.fit(WORDS, torch.tensor([0, 0, 0, 1]))
    assert head.class_weight.tolist() == [1, 1, 1]


def test_a_class_without_utterances_has_a_finite_weight():
    head = term(balanced=True)
    head.fit(WORDS, torch.tensor([0, 0, 1, -1]))
    assert torch.isfinite(head.class_weight).all()


def test_frames_are_averaged_over_the_valid_ones():
    head = term(tap="frames")
    frames = values(6).reshape(2, 3, WIDTH)
    long = head.read({"frames": Tap(frames, torch.tensor([3, 2]))}, 0.0)["logits"].values
    expected = torch.stack([frames[0].mean(0), frames[1, :2].mean(0)])
    torch.testing.assert_close(long, head.head(expected)[1])


def test_it_makes_the_taps_hidden_and_logits():
    read = term(hidden=(7, 5)).read({"embedding": Tap(values(2))}, 0.0)
    assert {name: tuple(tap.values.shape) for name, tap in read.items()} == {"hidden": (2, 5), "logits": (2, 3)}


@pytest.mark.parametrize("progress", [0.0, 0.25, 1.0])
def test_reversal_turns_the_gradient_into_the_network_only(progress: float):
    strength = Reversal(strength=0.5).at(progress)
    gradients = {}
    for name, reverse in (("with", None), ("against", Reversal(strength=0.5))):
        head, tap = term(reverse=reverse), values(3).requires_grad_()
        loss = head.loss(head.read({"embedding": Tap(tap)}, progress), batch(0, 1, 2))
        assert loss is not None
        loss.backward()
        gradients[name] = (loss.detach(), tap.grad, [parameter.grad for parameter in head.parameters()])
    torch.testing.assert_close(gradients["against"][0], gradients["with"][0])
    torch.testing.assert_close(gradients["against"][1], -strength * gradients["with"][1])
    torch.testing.assert_close(gradients["against"][2], gradients["with"][2])


def test_a_tap_that_is_not_there_gets_one_sentence():
    with pytest.raises(InputError, match='there is no tap "embeding" to read "emotion" from; did you mean "embedding"'):
        term(tap="embeding")
