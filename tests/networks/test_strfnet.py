"""STRFNet has the paper's shapes, its recipes read what Table 1 says, and padding never reaches an answer."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.frontends.statistics import valid_frames
from unheard.networks.strfnet import AttentionPooling, MapNorm, ResidualBlock, StrfNet
from unheard.recipe import Recipe, recipe_names
from unheard.training.fitted import build_front_end, build_model

SMALL: dict[str, Any] = {"kernels": 2, "residual": (3, 4, 5), "width": 6, "attention": 4}
KINDS: list[dict[str, Any]] = [
    {"modulation": "none"},
    {"modulation": "gabor", "convolution": False},
    {"modulation": "gabor"},
    {"modulation": "wavelet"},
]


def network(shape: tuple[int, ...], **chosen: Any) -> StrfNet:
    """A small network whose statistics are not the initial ones, in evaluation mode."""
    torch.manual_seed(0)
    made = StrfNet(shape, **{**SMALL, **chosen})
    for _ in range(3):
        features = 3 * torch.randn(4, 40, *shape) + 1
        made(features if len(shape) == 1 else features.permute(0, 2, 3, 1), torch.tensor([40, 33, 25, 40]))
    return made.eval()


@given(
    lengths=st.lists(st.integers(1, 60), min_size=2, max_size=5),
    padding=st.integers(0, 9),
    chosen=st.sampled_from(KINDS),
    channels=st.sampled_from([None, 2]),
)
@settings(max_examples=25, deadline=None)
@torch.no_grad()
def test_a_batch_gives_what_single_utterances_give(
    lengths: list[int], padding: int, chosen: dict[str, Any], channels: int | None
) -> None:
    if not chosen.get("convolution", True):
        channels = None
    shape = (7,) if channels is None else (channels, 7)
    made = network(shape, **chosen)
    batch = torch.full((len(lengths), max(lengths) + padding, *shape), 1e3)
    for row, length in zip(batch, lengths, strict=True):
        row[:length] = torch.randn(length, *shape)

    def taps(features: torch.Tensor, counts: list[int]) -> dict[str, Any]:
        return made(features if channels is None else features.permute(0, 2, 3, 1), torch.tensor(counts))

    together = taps(batch, lengths)
    for row, length in enumerate(lengths):
        alone = taps(batch[row : row + 1, :length], [length])
        torch.testing.assert_close(
            together["embedding"].values[row], alone["embedding"].values[0], atol=1e-5, rtol=1e-4
        )
        for tap in ("local", "frames"):
            valid = int(together[tap].lengths[row])
            assert valid == int(alone[tap].lengths[0]) == alone[tap].values.shape[1] == -(-length // 4)
            torch.testing.assert_close(together[tap].values[row, :valid], alone[tap].values[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("chosen", KINDS)
def test_training_ignores_padding(chosen: dict[str, Any]) -> None:
    torch.manual_seed(0)
    first = StrfNet((7,), **{**SMALL, **chosen})
    second = StrfNet((7,), **{**SMALL, **chosen})
    second.load_state_dict(first.state_dict())
    features, lengths = torch.randn(3, 50, 7), torch.tensor([30, 41, 50])
    padded = torch.cat([features, torch.full((3, 20, 7), 1e3)], dim=1)
    expected, found = first(features, lengths)["embedding"].values, second(padded, lengths)["embedding"].values
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    for (name, ours), theirs in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4, msg=name)
    expected.square().sum().backward()
    found.square().sum().backward()
    for (name, mine), other in zip(first.named_parameters(), second.parameters(), strict=True):
        assert mine.grad is not None, name
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-4, rtol=1e-3, msg=name)


def test_the_shapes_are_those_of_three_seconds() -> None:
    made = StrfNet((30,), width=8).eval()
    with torch.no_grad():
        taps = made(torch.randn(1, 239, 30), torch.tensor([239]))
    assert {name: tap.values.shape[-1] for name, tap in taps.items()} == made.taps
    assert taps["local"].values.shape == (1, 60, 256)
    assert made.taps == {"local": 256, "frames": 16, "embedding": 16}


def test_maps_are_normalised_as_batch_norm_would_without_padding() -> None:
    torch.manual_seed(0)
    ours, reference = MapNorm(3), nn.BatchNorm2d(3)
    maps = torch.randn(2, 3, 5, 4)
    every = torch.ones(2, 5, dtype=torch.bool)
    torch.testing.assert_close(ours(maps, every), reference(maps))
    torch.testing.assert_close(ours.running_var, reference.running_var)
    valid = valid_frames(torch.tensor([5, 2]), 5)
    found = ours(maps, valid)
    rows = maps.permute(0, 2, 3, 1)[valid]
    expected = functional.batch_norm(rows.flatten(0, 1), None, None, training=True).view_as(rows)
    torch.testing.assert_close(found.permute(0, 2, 3, 1)[valid], expected)
    assert not found.permute(0, 2, 3, 1)[~valid].any()


@pytest.mark.parametrize(("inputs", "stride"), [(4, 1), (3, 1), (4, 2)])
def test_a_block_is_two_convolutions_beside_a_shortcut(inputs: int, stride: int) -> None:
    torch.manual_seed(0)
    block, maps = ResidualBlock(inputs, 4, stride), torch.randn(2, inputs, 9, 7)

    def normal(values: torch.Tensor) -> torch.Tensor:
        return functional.batch_norm(values, None, None, training=True)

    first = functional.leaky_relu(normal(functional.conv2d(maps, block.first.weight, stride=stride, padding=1)))
    second = normal(functional.conv2d(first, block.second.weight, padding=1))
    beside = maps
    if inputs != 4 or stride > 1:
        assert block.shortcut is not None
        beside = normal(functional.conv2d(maps, block.shortcut.weight, stride=stride, padding=1))
    found, lengths = block(maps, torch.tensor([9, 9]))
    torch.testing.assert_close(found, (second + beside).relu(), atol=1e-5, rtol=1e-4)
    assert lengths.tolist() == [-(-9 // stride)] * 2


def test_attention_is_a_weighted_mean_of_valid_frames() -> None:
    torch.manual_seed(0)
    pooling, frames = AttentionPooling(3, 4), torch.randn(1, 5, 3)
    scores = pooling.score(pooling.hidden(frames[0, :4]).tanh())[:, 0]
    expected = (frames[0, :4] * scores.softmax(0)[:, None]).sum(0)
    torch.testing.assert_close(pooling(frames, torch.tensor([[True] * 4 + [False]]))[0], expected)


def test_receptive_fields_read_the_first_channel_and_convolutions_their_own() -> None:
    made = network((2, 7), modulation="gabor")
    maps = torch.randn(1, 2, 9, 7)
    assert made.convolution is not None
    changed = maps.clone()
    changed[:, 1] = 0
    before, after = made.convolution(maps), made.convolution(changed)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.equal(before[:, 4:], after[:, 4:])
    read: list[torch.Tensor] = []
    assert made.modulation is not None
    made.modulation.register_forward_pre_hook(lambda _, arguments: read.append(arguments[0]))
    made(maps.mT, torch.tensor([9]))
    assert torch.equal(read[0], maps[:, :1])


@pytest.mark.parametrize(
    ("chosen", "size"),
    [
        ({"modulation": "gabor"}, (17, 9)),
        ({"modulation": "gabor", "frame_rate": 100.0, "frequency_support": 8}, (21, 9)),
        ({"modulation": "wavelet"}, (17, 9)),
        ({"modulation": "wavelet", "frame_rate": 100.0, "frequency_support": 17}, (21, 17)),
    ],
)
def test_supports_are_in_seconds_and_bands(chosen: dict[str, Any], size: tuple[int, int]) -> None:
    kernels = StrfNet((30,), **{**SMALL, **chosen}).receptive_fields()
    assert kernels is not None
    assert kernels.shape == (4, *size)
    assert StrfNet((30,), **SMALL, modulation="none").receptive_fields() is None


def test_nothing_to_read_with_and_nothing_that_reads_are_one_sentence() -> None:
    with pytest.raises(InputError, match="convolution is false and modulation none, so nothing reads the input"):
        StrfNet((30,), convolution=False, modulation="none")
    with pytest.raises(InputError, match="receptive fields read the first channel only, and there are 2"):
        StrfNet((2, 30), convolution=False)


#: Convolutions and receptive fields, in maps, that each row of Table 1 has, and the channels it reads.
ROWS = {
    "pulse": (64, 0, 1),
    "spectrogram": (64, 0, 1),
    "modulation": (0, 64, 1),
    "pulse-spectrogram": (128, 0, 2),
    "pulse-modulation": (64, 64, 1),
    "spectrogram-modulation": (64, 64, 1),
    "all": (128, 64, 2),
}


@pytest.mark.parametrize("warped", [False, True])
@pytest.mark.parametrize("row", ROWS)
def test_the_recipes_are_the_rows_of_table_1(row: str, warped: bool) -> None:
    recipe = Recipe.load(f"strfnet-{row}{'-warped' if warped else ''}", ["network.width=8"])
    front_end = build_front_end(recipe)
    words = Vocabulary("emotion", ("angry", "happy", "neutral", "sad"))
    model = build_model(recipe, front_end, {"emotion": words})
    made = model.network
    assert isinstance(made, StrfNet)
    convolved, modulated, channels = ROWS[row]
    assert front_end.shape == ((30,) if channels == 1 else (2, 30))
    assert (0 if made.convolution is None else made.convolution.out_channels) == convolved
    fields = made.receptive_fields()
    assert (0 if fields is None else len(fields)) == modulated
    assert made.blocks[0].first.in_channels == convolved + modulated
    assert recipe.front_end.name == {
        "pulse": "pitch_pulse", "pulse-modulation": "pitch_pulse",
        "pulse-spectrogram": "filterbank_and_pulse", "all": "filterbank_and_pulse",
    }.get(row, "filterbank")  # fmt: skip
    assert recipe.value("front_end.warp") == (0.15 if warped else 0.0)
    assert recipe.value("terms.emotion.balanced") is True


def test_rows_differ_in_nothing_but_what_they_read() -> None:
    names = [name for name in recipe_names() if name.startswith("strfnet-")]
    assert len(names) == 2 * len(ROWS)
    own = ("name", "about", "source")
    rest = []
    for name in names:
        values = {key: value for key, value in Recipe.load(name).to_dict().items() if key not in own}
        for part, keys in (("front_end", ("name", "warp", "pitch_floor", "pitch_ceiling")),
                           ("network", ("convolution", "modulation"))):  # fmt: skip
            for key in keys:
                values[part].pop(key, None)
        rest.append(values)
    assert all(values == rest[0] for values in rest)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("chosen", KINDS)
def test_cuda_gives_what_the_cpu_gives(chosen: dict[str, Any]) -> None:
    made = network((7,), **chosen)
    features, lengths = torch.randn(3, 50, 7), torch.tensor([30, 41, 50])
    expected = made(features, lengths)["embedding"].values
    found = made.cuda()(features.cuda(), lengths.cuda())["embedding"].values
    torch.testing.assert_close(found.cpu(), expected, atol=1e-3, rtol=1e-2)
