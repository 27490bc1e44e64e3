"""Self-supervised speech encoders as networks: HuBERT, wav2vec 2.0, WavLM, data2vec, Whisper (Gat et al. 2022)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveFloat
from torch import Tensor, nn

from unheard.errors import InputError
from unheard.frontends.speech_encoder import Dropped, speech_encoder
from unheard.frontends.statistics import valid_frames
from unheard.networks.layers import mean_over_time
from unheard.networks.network import Network, Tap

Share = Annotated[float, Field(ge=0, lt=1)]


class SslEncoder(Network):
    """A speech encoder of transformers, pretrained or not, fine-tuned or frozen. Needs the extra ``unheard[ssl]``.

    Normalisation and padding are the model's own, see :class:`~unheard.frontends.speech_encoder.SpeechEncoder`.

    Taps: ``local`` [batch, time, channels], what the convolutions give; ``frames`` [batch, time, width], one every
    20 ms; ``embedding`` [batch, width], the mean of these over time.

    Args:
        shape: () of the front end.
        model: a folder in which transformers saved a checkpoint; the folder of a recognizer with such an encoder, or of
            the run that made it; or a name on the Hugging Face hub that is in the local cache.
        download: fetch from the hub what is not there.
        architecture: without ``model``: ``hubert``, ``wav2vec2``, ``wavlm``, ``data2vec-audio`` or ``whisper``, with
            random weights.
        config: what differs from the architecture's configuration in transformers, which is the base size.
        layers: what ``frames`` are: the ``last`` layer, or the ``weighted`` sum of all and of what goes into the first,
            with softmax weights that are learned and equal at first (Yang et al. 2021, SUPERB).
        layer_learning_rate: of these weights, where they do not learn at the rate of the encoder.
        freeze: ``none``; the convolutional ``extractor``; a number, which is the extractor and so many of the lowest
            layers; or ``all``.
        normalize: zero mean and unit variance of each utterance; by default as the model was pretrained.
        dropout: share of activations dropped in training, wherever the model has dropout.
        layerdrop: share of layers left out in training.
        mask_time_prob: share of frames masked in training, in spans of the model's own length.
        checkpointing: compute activations again on the way back, which takes less memory and more time.

    Raises:
        InputError: transformers is not installed, or there is no such model.
    """

    layouts = ("waveform",)
    elsewhere = ("model",)

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        model: str | None = None,
        download: bool = False,
        architecture: str | None = None,
        config: dict[str, Any] | None = None,
        layers: Literal["last", "weighted"] = "last",
        layer_learning_rate: PositiveFloat | None = None,
        freeze: Literal["none", "extractor", "all"] | NonNegativeInt = "none",
        normalize: bool | None = None,
        dropout: Share = 0.0,
        layerdrop: Share = 0.0,
        mask_time_prob: Share = 0.0,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        if layers == "weighted" and layerdrop:
            raise InputError("layerdrop: a weighted sum of all layers needs all of them; leave it at 0, or layers=last")
        self.encoder = speech_encoder(
            model,
            architecture,
            config,
            download=download,
            normalize=normalize,
            dropped=Dropped(dropout, layerdrop, mask_time_prob),
            checkpointing=checkpointing and freeze != "all",
        )
        width = self.encoder.width
        self.taps = {"local": self.encoder.channels, "frames": width, "embedding": width}
        self.sum = LayerSum(self.encoder.depth + 1, layer_learning_rate) if layers == "weighted" else None
        self.frozen = list(self._parts(freeze))
        for part in self.frozen:
            part.requires_grad_(False)
        if self.frozen and hasattr(self.encoder.model, "feature_extractor"):
            # transformers remembers everything for a pass back through the convolutions unless it is told not to.
            self.encoder.model.feature_extractor._freeze_parameters()
        self.frozen_whole = freeze == "all"
        self.saved_settings = {
            "model": None,
            "download": False,
            "architecture": self.encoder.architecture,
            "config": self.encoder.config,
        }

    def _parts(self, freeze: Literal["none", "extractor", "all"] | int) -> Iterator[nn.Module]:
        """The parts that stay as they are."""
        model = self.encoder.model
        whisper = self.encoder.windows is not None
        if freeze == "all":
            yield model
        elif freeze != "none":
            yield from (model.conv1, model.conv2) if whisper else (model.feature_extractor,)
        if isinstance(freeze, int):
            if freeze > self.encoder.depth:
                raise InputError(f"freeze: the encoder has {self.encoder.depth} layers, and {freeze} cannot be frozen")
            if not whisper:
                yield from (model.feature_projection, model.encoder.pos_conv_embed)
                if not getattr(model.config, "do_stable_layer_norm", False):
                    yield model.encoder.layer_norm  # stands before the layers
            yield from (model if whisper else model.encoder).layers[:freeze]

    def train(self, mode: bool = True) -> SslEncoder:
        """What is frozen stays in evaluation mode."""
        super().train(mode)
        for part in self.frozen:
            part.eval()
        return self

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tap]:
        """[batch, samples] → the taps."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen_whole):
            local, layers, lengths = self.encoder(features, lengths, every_layer=self.sum is not None)
        frames = layers[-1] if self.sum is None else self.sum(layers)
        return {
            "local": Tap(local, lengths),
            "frames": Tap(frames, lengths),
            "embedding": Tap(mean_over_time(frames, valid_frames(lengths, frames.shape[1]))),
        }


class LayerSum(nn.Module):
    """Σ softmax(w) · layer, with w = 0 at first.

    Args:
        layers: how many there are.
        learning_rate: of w, where it is not that of the network.
    """

    def __init__(self, layers: int, learning_rate: float | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(layers))
        self.optimizer_options = {"lr": learning_rate} if learning_rate else {}

    def forward(self, layers: list[Tensor]) -> Tensor:
        """So many tensors of one shape → one."""
        shares = self.weight.softmax(0)
        total = shares[0] * layers[0]
        for share, layer in zip(shares[1:], layers[1:], strict=True):
            total = total + share * layer
        return total
