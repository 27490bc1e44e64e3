"""The encoder has the paper's sizes, its parts are in their order, and what does not fit is refused."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from unheard.errors import InputError
from unheard.networks.conv_autoencoder import ConvAutoencoder, ConvDecoder, ConvHead
from unheard.networks.network import Maps, Tap

SMALL = {"frames": 16, "channels": (4, 3)}


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, 2, 8, 16, generator=torch.Generator().manual_seed(seed))


def small(**changed: object) -> ConvAutoencoder:
    torch.manual_seed(0)
    return ConvAutoencoder((2, 8), **(SMALL | changed))  # type: ignore[arg-type]


def taps(network: ConvAutoencoder, features: torch.Tensor) -> dict[str, Tap]:
    return network(features, torch.full((len(features),), features.shape[3]))


def test_the_code_has_the_papers_size() -> None:
    network = ConvAutoencoder((1, 128))
    sizes: list[tuple[int, ...]] = []
    for layer in network.encoder:
        layer.register_forward_hook(lambda layer, _, made: sizes.append(tuple(made.shape[1:])))
    found = taps(network, torch.zeros(2, 1, 128, 256))
    assert {(64, 64, 128), (32, 32, 64), (16, 16, 32)} <= set(sizes)
    latent = network.taps["latent"]
    assert isinstance(latent, Maps)
    assert (latent.channels, latent.rows, latent.frames) == (16, 16, 32)
    assert {name: tap.values.shape[1] for name, tap in found.items()} == network.taps
    # Two pictures of 128 x 256 for three of 16 x 32 x 16: what the transposed convolutions are for.
    decoder = ConvDecoder(latent, Maps(1, 128, 256), (32, 64))
    assert decoder(found["latent"].values).shape == (2, 128 * 256)


@pytest.mark.parametrize("rectify", [False, True])
def test_a_block_is_convolution_normalisation_relu_pooling(rectify: bool) -> None:
    network, maps = small(rectify=rectify), pictures(3)
    found = taps(network, maps)
    first, second = (layer for layer in network.encoder if isinstance(layer, nn.Conv2d))
    for index, each in enumerate((first, second)):
        maps = functional.conv2d(maps, each.weight, each.bias, padding=1)
        maps = functional.batch_norm(maps, None, None, training=True)
        maps = functional.max_pool2d(maps.relu() if rectify or index == 0 else maps, 2)
    torch.testing.assert_close(found["latent"].values, maps.flatten(1), atol=1e-5, rtol=1e-4)
    assert bool((maps < 0).any()) != rectify


def test_taps_are_in_the_order_channel_row_time() -> None:
    network, features = small().eval(), pictures(2)
    found = taps(network, features)
    assert torch.equal(found["input"].values, features.reshape(2, -1))
    assert torch.equal(network.taps["input"].of(found["input"].values), features)
    assert torch.equal(network.taps["latent"].of(found["latent"].values), network.encoder(features))


def test_the_others_in_a_batch_never_change_an_answer() -> None:
    network, together = small().eval(), pictures(5)
    for row, values in enumerate(taps(network, together)["latent"].values):
        alone = taps(network, together[row : row + 1])["latent"].values[0]
        torch.testing.assert_close(values, alone, atol=1e-6, rtol=1e-5)


def test_a_width_of_maps_is_a_number_and_can_be_copied() -> None:
    maps = Maps(3, 2, 4)
    assert maps == 24
    again = copy.deepcopy(maps)
    assert (again, again.channels, again.rows, again.frames) == (24, 3, 2, 4)
    copied = copy.deepcopy(small())
    assert copied.taps["latent"].of(torch.zeros(1, 24)).shape == (1, 3, 2, 4)


def test_a_decoder_doubles_and_ends_linear() -> None:
    torch.manual_seed(0)
    decoder = ConvDecoder(Maps(3, 2, 4), Maps(2, 8, 16), (5,))
    kinds = [type(layer) for layer in decoder.layers]
    assert kinds == [nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU, nn.ConvTranspose2d]
    made = decoder(torch.randn(6, 24))
    assert made.shape == (6, 256)
    assert (made < 0).any()


def test_a_head_reads_maps_by_a_convolution_and_nothing_in_it_is_normalised() -> None:
    torch.manual_seed(0)
    head, values = ConvHead(Maps(3, 4, 6), 5, (7, 8), 2, dropout=0.0), torch.randn(4, 72)
    conv = head.maps[1]
    maps = functional.conv2d(values.view(4, 3, 4, 6), conv.weight, conv.bias, padding=1).relu()
    one, _, _, two, _ = head.hidden
    expected = two(one(functional.max_pool2d(maps, 2).flatten(1)).relu()).relu()
    hidden, outputs = head(values)
    torch.testing.assert_close(hidden, expected)
    torch.testing.assert_close(outputs, head.output(expected))
    assert not any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in head.modules())
    paper = ConvHead(Maps(16, 16, 32), 32, (128, 128), 4, 0.3)
    assert paper.hidden[0].in_features == 32 * 8 * 16


@pytest.mark.parametrize(("hidden", "place"), [((7,), [2]), ((7, 8), [2]), ((), [])])
def test_dropout_stands_behind_the_first_hidden_layer(hidden: tuple[int, ...], place: list[int]) -> None:
    head = ConvHead(6, 5, hidden, 2, dropout=0.3)
    assert [index for index, layer in enumerate(head.hidden) if isinstance(layer, nn.Dropout)] == place


def test_what_does_not_fit_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"halves pictures 2 times, and 10 × 16 is no multiple of 4"):
        ConvAutoencoder((1, 10), frames=16, channels=(4, 3))
    with pytest.raises(InputError, match=r"made for pictures of 16 frames, and these have 20"):
        taps(small(), torch.zeros(1, 2, 8, 20))
    with pytest.raises(InputError, match=r"a decoder of 1 convolutions makes maps of 4 × 8 out of 2 × 4, where 8 × 16"):
        ConvDecoder(Maps(3, 2, 4), Maps(2, 8, 16), ())
    with pytest.raises(InputError, match=r"maps of 1 × 4 are smaller"):
        ConvHead(Maps(3, 1, 4), 5, (), 2, 0.0)
