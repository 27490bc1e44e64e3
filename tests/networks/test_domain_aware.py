"""The domain-aware network has the paper's shapes and counts, and its parts are joined as the paper joins them."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.classification import Classification
from unheard.methods.model import Model
from unheard.networks.domain_aware import Block, DomainAware
from unheard.networks.network import Tap
from unheard.recipe import Recipe
from unheard.training.fitted import build_front_end, build_model

EMOTIONS = Vocabulary("emotion", ("angry", "happy", "neutral", "sad"))
VOCABULARIES = {"emotion": EMOTIONS, "center": EMOTIONS, "gender": Vocabulary("gender", ("female", "male"))}
SMALL = (2, 96)
FRAMES = 100


def parameters(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def head(network: DomainAware, tap: str, classes: int) -> Classification:
    words = Vocabulary("column", tuple(f"c{index}" for index in range(classes)))
    return Classification(network.taps, words, column="column", tap=tap, hidden=(64,), dropout=0.0)


def pictures(count: int, frames: int = FRAMES, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, *SMALL, frames, generator=torch.Generator().manual_seed(seed))


def taps(network: DomainAware, features: torch.Tensor) -> dict[str, Tap]:
    found: dict[str, Tap] = network(features, torch.full((len(features),), features.shape[3]))
    return found


def test_the_counts_are_those_of_table_1():
    network = DomainAware((3, 400))
    emotion, domain = head(network, "embedding", 4), head(network, "domain", 2)
    assert parameters(network.emotion_extractor) == parameters(network.domain_extractor) == 38_208
    assert [parameters(block) for block in network.emotion_extractor] == [960, 9_312, 9_312, 18_624]
    assert parameters(network.attention) == 76
    assert parameters(network.channelwise) == 512
    assert parameters(emotion) == 4_548
    assert parameters(domain) == 196_930
    assert parameters(network, emotion, domain) == 278_482
    assert parameters(network, emotion) == 81_552
    backbone = DomainAware((3, 400), attention=False)
    assert parameters(backbone, head(backbone, "embedding", 4)) == 43_268
    assert parameters(DomainAware((3, 400), channel_bias=True)) == parameters(network) + 64


def test_the_shapes_are_those_of_table_1():
    network = DomainAware((3, 400)).eval()
    maps = torch.zeros(1, 3, 400, 300)
    shapes = []
    for block in network.emotion_extractor:
        maps = block(maps)
        shapes.append(tuple(maps.shape[1:]))
    assert shapes == [(32, 200, 150), (32, 100, 75), (32, 50, 37), (64, 8, 6)]
    found = taps(network, torch.zeros(2, 3, 400, 300))
    assert {name: tap.values.shape[1] for name, tap in found.items()} == network.taps
    assert network.taps == {"embedding": 64, "domain": 3072, "attention": 8}


@pytest.mark.parametrize(("frequency", "frames"), [(48, 48), (95, 200), (257, 131)])
@pytest.mark.parametrize("attention", [True, False])
def test_any_size_of_picture_goes_through(frequency: int, frames: int, attention: bool):
    network = DomainAware((1, frequency), frames=frames, attention=attention).eval()
    found = taps(network, torch.zeros(1, 1, frequency, frames))
    assert {name: tap.values.shape[1] for name, tap in found.items()} == network.taps


def test_pictures_of_another_size_get_one_sentence():
    with pytest.raises(InputError, match="48 frames into one, and pictures of 40 × 300 are smaller than that"):
        DomainAware((3, 40))
    with pytest.raises(InputError, match=r"pictures of 100 frames, and these have 300; set network\.frames"):
        taps(DomainAware(SMALL, frames=FRAMES), pictures(1, 300))


@pytest.mark.parametrize("attention", [True, False])
def test_a_batch_gives_what_single_pictures_give(attention: bool):
    torch.manual_seed(0)
    network = DomainAware(SMALL, frames=FRAMES, attention=attention)
    for seed in range(3):  # statistics that differ from the initial ones
        taps(network, 3 * pictures(4, seed=seed) + 1)
    network.eval()
    together = taps(network, pictures(5))
    for row in range(5):
        for name, tap in taps(network, pictures(5)[row : row + 1]).items():
            torch.testing.assert_close(together[name].values[row], tap.values[0], atol=1e-5, rtol=1e-4)


def test_a_row_counts_as_much_as_its_weight_says():
    network = DomainAware(SMALL, frames=FRAMES).eval()
    read: list[torch.Tensor] = []
    network.channelwise.register_forward_pre_hook(lambda _, arguments: read.append(arguments[0]))
    found = taps(network, pictures(3))
    maps = network.emotion_extractor(pictures(3)).mean(3)
    torch.testing.assert_close(read[0], maps * found["attention"].values[:, None])
    assert ((found["attention"].values > 0) & (found["attention"].values < 1)).all()


@torch.inference_mode()
def test_a_row_of_the_attention_covers_as_many_rows_as_it_says():
    network, covered = DomainAware((3, 400), frames=96).eval(), DomainAware.attended_rows
    assert covered is not None
    picture = torch.rand(1, 3, 400, 96)
    before = network.domain_extractor(picture)
    assert before.shape[2] == network.taps["attention"] == 400 // covered
    for row in range(8):
        other = picture.clone()
        other[:, :, row * covered + 16 : (row + 1) * covered - 16] += 1  # 16 rows away from where convolutions reach
        changed = (network.domain_extractor(other) != before).any(dim=(0, 1, 3))
        assert changed.nonzero().flatten().tolist() == [row]


def test_the_domain_is_read_in_the_order_channel_row_time():
    network = DomainAware(SMALL, frames=FRAMES).eval()
    assert torch.equal(
        taps(network, pictures(2))["domain"].values, network.domain_extractor(pictures(2)).reshape(2, -1)
    )
    backbone = DomainAware(SMALL, frames=FRAMES, attention=False).eval()
    maps = backbone.emotion_extractor(pictures(2))
    assert torch.equal(taps(backbone, pictures(2))["domain"].values, maps.reshape(2, -1))


@pytest.mark.parametrize("detached", [False, True])
def test_the_emotion_reaches_the_domain_extractor_unless_it_is_detached(detached: bool):
    network = DomainAware(SMALL, frames=FRAMES, detach_domain=detached)
    nn.init.ones_(network.attention.hidden.weight)  # its only hidden unit shall not be dead
    taps(network, pictures(2))["embedding"].values.square().sum().backward()
    assert network.attention.hidden.weight.grad.any()
    assert network.emotion_extractor[0].branches[0].weight.grad.any()
    reached = [parameter.grad is not None for parameter in network.domain_extractor.parameters()]
    assert reached == [not detached] * len(reached)
    taps(network, pictures(2))["domain"].values.square().sum().backward()
    assert network.domain_extractor[0].branches[0].weight.grad.any()


@pytest.mark.parametrize(("branch2", "kernel", "dilation"), [("kernel3", 3, 1), ("kernel5", 5, 1), ("dilation2", 3, 2)])
def test_a_block_is_two_convolutions_side_by_side(branch2: str, kernel: int, dilation: int):
    torch.manual_seed(0)
    block = Block(2, 4, 2, branch2)  # type: ignore[arg-type]
    weights = [half for branch in block.branches for half in branch.weight.split(4)]
    biases = [half for branch in block.branches for half in branch.bias.split(4)]
    assert [tuple(each.shape) for each in weights] == [(4, 2, 3, 3), (4, 2, kernel, kernel)]
    maps = torch.randn(3, 2, 9, 11)
    first = functional.conv2d(maps, weights[0], biases[0], padding=1)
    second = functional.conv2d(maps, weights[1], biases[1], padding=dilation * (kernel // 2), dilation=dilation)
    normal = functional.batch_norm(torch.cat([first, second], 1), None, None, training=True)
    torch.testing.assert_close(block(maps), functional.avg_pool2d(normal.relu(), 2), atol=1e-5, rtol=1e-4)


def test_convolutions_begin_with_xaviers_weights():
    torch.manual_seed(0)
    block = Block(32, 16, 2, "kernel3")
    bound = (6 / (32 * 9 + 16 * 9)) ** 0.5  # fans of one of the two branches
    weights = block.branches[0].weight.detach()
    assert 0.99 * bound < float(weights.abs().max()) <= bound
    assert not block.branches[0].bias.any()


def model(name: str, *overrides: str, terms: list[str] | None = None) -> Model:
    recipe = Recipe.load(name, overrides)
    return build_model(recipe, build_front_end(recipe), VOCABULARIES, terms=terms)


@pytest.mark.parametrize(
    ("name", "trained", "used"),
    [
        ("adarl", 278_482, 81_552),
        ("adarl-gamma0", 278_482, 81_552),
        ("adarl-backbone", 43_268, 43_268),
        ("adarl-invariant", 43_268 + 196_930, 43_268),
    ],
)
def test_the_recipes_are_the_models_of_the_paper(name: str, trained: int, used: int):
    assert parameters(model(name)) == trained + 4 * 64  # the centres
    assert parameters(model(name, terms=["emotion"])) == used


@pytest.mark.parametrize(
    ("name", "labels", "taught"),
    [
        ("adarl", {"gender": [0, 1, 0]}, {"domain", "gender"}),
        ("adarl", {"emotion": [0, 1, 0]}, {"domain", "emotion", "attention", "center"}),
        ("adarl-gamma0", {"emotion": [0, 1, 0], "gender": [0, 1, 0]}, {"domain", "emotion", "attention", "center"}),
        ("adarl-invariant", {"gender": [0, 1, 0]}, {"emotion", "gender"}),
    ],
)
def test_what_a_label_teaches(name: str, labels: dict[str, list[int]], taught: set[str]):
    """Utterances with the gender alone teach the domain's pathway; without its loss the emotion still teaches it."""
    torch.manual_seed(0)
    small = model(name, "front_end.highest=500")
    columns = {"emotion": [-1] * 3, "gender": [-1] * 3} | labels
    pictures = torch.randn(3, 3, 50, 300)
    batch = Batch(pictures, torch.full((3,), 300), {name: torch.tensor(values) for name, values in columns.items()})
    if small.network.attention is not None:
        nn.init.ones_(small.network.attention.hidden.weight)
    small.total(small(batch)[1]).backward()
    parts = {
        "domain": small.network.domain_extractor,
        "emotion": small.network.emotion_extractor,
        "attention": small.network.attention,
        "gender": small.term("gender"),
        "center": small.term("center"),
    }
    moved = {
        name
        for name, part in parts.items()
        if part is not None and any(each.grad is not None and each.grad.any() for each in part.parameters())
    }
    assert moved == taught
