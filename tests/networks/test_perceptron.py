"""The perceptron over one vector per utterance."""

import torch
from lightning_fabric import Fabric

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.batch import Batch
from unheard.methods.classification import Classification
from unheard.methods.cross_gradient import CrossGradient
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks.perceptron import VectorPerceptron


def test_an_utterance_is_read_alone_and_nothing_is_dropped_in_use():
    network = VectorPerceptron((5,), hidden=(7, 3), input_dropout=0.5, dropout=0.5).eval()
    values, ones = torch.randn(4, 5), torch.ones(4, dtype=torch.long)
    together = network(values, ones)["embedding"].values
    alone = torch.cat([network(row[None], ones[:1])["embedding"].values for row in values])
    assert together.shape == (4, network.taps["embedding"]) == (4, 3)
    torch.testing.assert_close(together, alone)


def test_dropout_of_inputs_leaves_values_out_in_training():
    network = VectorPerceptron((400,), hidden=(4,), input_dropout=0.5, dropout=0.0)
    network.layers = torch.nn.Identity()
    kept = network(torch.ones(8, 400), torch.ones(8, dtype=torch.long))["embedding"].values
    assert 0.4 < (kept == 0).float().mean() < 0.6
    assert (kept[kept != 0] == 2).all()


def test_cross_gradient_training_moves_vectors_in_their_own_units():
    """They have two dimensions, as raw samples have, but no loudness."""
    torch.manual_seed(0)
    words = {name: Vocabulary(name, ("a", "b")) for name in ("emotion", "speaker")}
    network = VectorPerceptron((6,), hidden=(5,), dropout=0.0)
    terms = {name: Classification(network.taps, words[name], column=name, hidden=()) for name in words}
    seen = []
    network.register_forward_pre_hook(lambda module, given: seen.append(given[0].detach().clone()))
    fabric = Fabric(accelerator="cpu", devices=1)
    method = CrossGradient(Model(network, terms), OptimizerSettings(), fabric, epsilon=2.0, clip=1e-4)
    values = torch.randn(4, 6)
    values[:, 0] = 0.0  # taken for a sample, it would be silence
    labels = {"emotion": torch.tensor([0, 1, 0, 1]), "speaker": torch.tensor([0, 0, 1, 1])}
    method.update(Batch(values, torch.ones(4, dtype=torch.long), labels))
    steps = (seen[1] - seen[0]).abs()
    assert steps.max() > 0
    assert steps.max() <= 2.0 * 1e-4 + 1e-6
