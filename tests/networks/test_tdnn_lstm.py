import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods.classification import Classification
from unheard.networks.tdnn_lstm import TdnnLstm

LARGE = {"channels": (128, 128), "lstm": 128, "width": 512}


def parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def vocabulary(size: int) -> Vocabulary:
    return Vocabulary("column", tuple(f"c{index:03}" for index in range(size)))


@pytest.mark.parametrize(
    ("settings", "hidden", "speakers", "without_speaker", "total"),
    [({}, (64, 64), 8, 187_972, 225_740), (LARGE, (128, 128), 200, 620_932, 794_956)],
    ids=["iemocap", "mandarin"],
)
def test_parameter_counts_are_those_of_table_1(settings, hidden, speakers, without_speaker, total):
    network = TdnnLstm((39,), **settings)
    emotion = Classification(network.taps, vocabulary(4), column="emotion", hidden=hidden)
    speaker = Classification(network.taps, vocabulary(speakers), column="speaker", hidden=hidden)
    assert parameters(network) + parameters(emotion) == without_speaker
    assert parameters(network) + parameters(emotion) + parameters(speaker) == total


@given(lengths=st.lists(st.integers(17, 60), min_size=2, max_size=5), seed=st.integers(0, 99))
def test_a_batch_gives_what_single_utterances_give(lengths, seed):
    torch.manual_seed(seed)
    network = TdnnLstm((5,), channels=(8, 6), lstm=4, width=7)
    # Statistics that differ from the initial ones, or a mix-up of padding and normalisation would not show.
    for _ in range(3):
        network(torch.randn(4, 40, 5), torch.tensor([40, 33, 25, 40]))
    network.eval()
    batch = torch.full((len(lengths), max(lengths), 5), 1e3)
    singles = [torch.randn(1, length, 5) for length in lengths]
    for row, single in zip(batch, singles, strict=True):
        row[: single.shape[1]] = single[0]
    together = network(batch, torch.tensor(lengths))
    for row, single in enumerate(singles):
        alone = network(single, torch.tensor([single.shape[1]]))
        assert torch.allclose(together["embedding"].values[row], alone["embedding"].values[0], atol=1e-5)
        for tap in ("local", "frames"):
            valid = int(together[tap].lengths[row])
            assert valid == lengths[row] - 16
            assert torch.allclose(together[tap].values[row, :valid], alone[tap].values[0], atol=1e-5)


def test_training_statistics_ignore_padding():
    torch.manual_seed(0)
    network = TdnnLstm((5,), channels=(8, 6), lstm=4, width=7, dropout=0.0)
    features, lengths = torch.randn(3, 50, 5), torch.tensor([30, 41, 50])
    padded = torch.cat([features, torch.full((3, 20, 5), 1e3)], dim=1)
    first = network(features, lengths)["embedding"].values
    mean = network.block4.norm.running_mean.clone()
    second = network(padded, lengths)["embedding"].values
    assert torch.allclose(first, second, atol=1e-5)
    assert torch.allclose(network.block4.norm.running_mean, 0.9 * mean + 0.1 * (mean / 0.1), atol=1e-5)
