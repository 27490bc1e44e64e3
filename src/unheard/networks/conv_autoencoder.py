"""The convolutional autoencoder of Latif et al. 2022: an encoder of pictures, and what its code is decoded with."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from unheard.errors import InputError
from unheard.networks.network import Maps, Network, Tap


class ConvAutoencoder(Network):
    """The encoder: blocks of a 3 × 3 convolution, batch normalisation, ReLU and 2 × 2 max-pooling.

    The defaults make a code of 16 maps of 16 × 32 out of a picture of 128 × 256, the paper's "16 × 16 × 32". Decoder,
    discriminator and classifiers are heads of terms that read the code; without them it is a plain network.

    A picture is a window of fixed length, padding included, as in the paper; other lengths are refused.

    Taps: ``input`` [batch, channels · frequency · frames], the pictures themselves; ``latent`` [batch, 16 · 16 · 32],
    the code; both in the order channel, row, time.

    Args:
        shape: (channels, frequency) of the front end.
        frames: length of the pictures.
        channels: outputs of each block.
        rectify: ReLU in the last block as well. Without it a code can be negative, as draws from N(0, I) are.

    Raises:
        InputError: the pictures cannot be halved once for each block, or are not of the length ``frames``.
    """

    layouts = ("image",)

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        frames: PositiveInt = 256,
        channels: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (64, 32, 16),
        rectify: bool = False,
    ) -> None:
        super().__init__()
        inputs, frequency = shape
        smaller = 2 ** len(channels)
        if frequency % smaller or frames % smaller:
            raise InputError(
                f"conv_autoencoder halves pictures {len(channels)} times, and {frequency} × {frames} is no multiple of "
                f"{smaller}; set network.frames and the front end's rows to multiples, or give fewer network.channels"
            )
        self.frames = frames
        self.taps = {
            "input": Maps(inputs, frequency, frames),
            "latent": Maps(channels[-1], frequency // smaller, frames // smaller),
        }
        self.encoder = nn.Sequential()
        for before, after in pairwise((inputs, *channels)):
            # Pooled first, ReLU has a quarter to do; the result is the same.
            self.encoder += nn.Sequential(convolution(before, after), nn.BatchNorm2d(after), nn.MaxPool2d(2), nn.ReLU())
        if not rectify:
            del self.encoder[-1]

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        """[batch, channels, frequency, frames] → the taps."""
        if features.shape[3] != self.frames:
            raise InputError(
                f"conv_autoencoder was made for pictures of {self.frames} frames, and these have {features.shape[3]}; "
                f"set network.frames to the length that the front end gives"
            )
        return {"input": Tap(features.flatten(1)), "latent": Tap(self.encoder(features).flatten(1))}


class ConvDecoder(nn.Module):
    """Transposed 4 × 4 convolutions that double rows and time, each but the last with batch normalisation and ReLU.

    Args:
        source: what the code holds.
        target: what is to be made of it.
        channels: outputs of each convolution but the last.

    Raises:
        InputError: so many convolutions do not lead from the one size to the other.
    """

    def __init__(self, source: Maps, target: Maps, channels: tuple[int, ...]) -> None:
        super().__init__()
        larger = 2 ** (len(channels) + 1)
        if source.rows * larger != target.rows or source.frames * larger != target.frames:
            raise InputError(
                f"a decoder of {len(channels) + 1} convolutions makes maps of {source.rows * larger} × "
                f"{source.frames * larger} out of {source.rows} × {source.frames}, where {target.rows} × "
                f"{target.frames} are needed; give another number of channels"
            )
        self.source = source
        self.layers = nn.Sequential()
        for before, after in pairwise((source.channels, *channels, target.channels)):
            self.layers.append(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1))
            self.layers += nn.Sequential(nn.BatchNorm2d(after), nn.ReLU())
        del self.layers[-2:]

    def forward(self, values: Tensor) -> Tensor:
        """The code [batch, source] → [batch, target]."""
        maps: Tensor = self.layers(self.source.of(values))
        return maps.flatten(1)


class ConvHead(nn.Module):
    """A convolution with ReLU and max-pooling where maps come in, then fully connected layers with ReLU.

    Nothing in it is normalised: a discriminator's batches of draws and of codes would be made alike.

    Args:
        width: of what comes in.
        channels: outputs of the 3 × 3 convolution, which is there for :class:`Maps` only.
        hidden: widths of the hidden layers.
        outputs: width of what comes out.
        dropout: share of activations dropped behind the first hidden layer.

    Raises:
        InputError: the maps are smaller than 2 × 2.
    """

    def __init__(self, width: int, channels: int, hidden: tuple[int, ...], outputs: int, dropout: float) -> None:
        super().__init__()
        self.maps: nn.Module = nn.Identity()
        if isinstance(width, Maps):
            if min(width.rows, width.frames) < 2:
                raise InputError(
                    f"a head pools 2 × 2 values of a map into one, and maps of {width.rows} × {width.frames} are "
                    f"smaller than that; give fewer network.channels"
                )
            layers = [Unflatten(width), convolution(width.channels, channels), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()]
            self.maps = nn.Sequential(*layers)
            width = channels * (width.rows // 2) * (width.frames // 2)
        self.hidden = nn.Sequential()
        for before, after in pairwise((width, *hidden)):
            self.hidden += nn.Sequential(nn.Linear(before, after), nn.ReLU())
        if hidden:
            self.hidden.insert(2, nn.Dropout(dropout))
        self.output = nn.Linear((width, *hidden)[-1], outputs)

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, width] → (last hidden layer [batch, hidden], outputs [batch, outputs])."""
        hidden = self.hidden(self.maps(values))
        return hidden, self.output(hidden)


class Unflatten(nn.Module):
    """[batch, width] → [batch, channels, rows, time]."""

    def __init__(self, maps: Maps) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, values: Tensor) -> Tensor:
        """The values as the maps that they are."""
        return self.maps.of(values)


def convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """3 × 3, keeping the size; channels last in memory, which the maps take over: faster on a CPU."""
    made = nn.Conv2d(inputs, outputs, 3, padding=1)
    made.weight = nn.Parameter(made.weight.detach().contiguous(memory_format=torch.channels_last))
    return made
