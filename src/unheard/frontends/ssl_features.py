"""What a frozen self-supervised encoder makes of an utterance, computed once: heads on it train in minutes."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from unheard.frontends.front_end import FrontEnd, Layout
from unheard.frontends.speech_encoder import speech_encoder
from unheard.frontends.statistics import valid_frames
from unheard.seeds import seeded


class SslFeatures(FrontEnd):
    """Frames of a speech encoder of transformers, or the mean over time of each of its layers.

    Needs the extra ``unheard[ssl]``. A recognizer that has it carries the encoder's weights.

    For heads that are linear up to the mean, such as that of SUPERB (Yang et al. 2021), the means of the layers are
    enough: sum, layer and mean change places. They are 40 KB an utterance for a base size; frames are 150 KB a second.

    Args:
        model, download, architecture, config: the encoder, see :class:`~unheard.networks.ssl_encoder.SslEncoder`.
        keep: ``means`` [layers + 1, width]: of every layer and of what goes into the first; ``frames`` [time, width]
            of the last layer, one every 20 ms.
        normalize: zero mean and unit variance of each utterance; by default as the model was pretrained.
    """

    layout: ClassVar[Layout] = "sequence"
    fixed_settings: ClassVar[tuple[str, ...]] = ("keep", "normalize")
    elsewhere: ClassVar[tuple[str, ...]] = ("model",)

    def __init__(
        self,
        *,
        model: str | None = None,
        download: bool = False,
        architecture: str | None = None,
        config: dict[str, Any] | None = None,
        keep: Literal["means", "frames"] = "means",
        normalize: bool | None = None,
    ) -> None:
        super().__init__()
        with seeded(0, "ssl_features"):  # an encoder with random weights is the same in every process
            self.encoder = speech_encoder(model, architecture, config, download=download, normalize=normalize)
        self.encoder.requires_grad_(False).eval()
        self.keep = keep
        self.shape = (self.encoder.width,)
        self.saved_settings = {
            "model": None,
            "download": False,
            "architecture": self.encoder.architecture,
            "config": self.encoder.config,
        }

    @property
    def content(self) -> str:
        """The encoder's digest."""
        return self.encoder.digest()

    def train(self, mode: bool = True) -> SslFeatures:
        """The encoder stays in evaluation mode."""
        super().train(mode)
        self.encoder.eval()
        return self

    @torch.no_grad()
    def fixed(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] in ±1 → [batch, rows, width] and how many rows are valid."""
        encoded = self.encoder(waveforms, lengths, every_layer=self.keep == "means")
        if self.keep == "frames":
            valid = valid_frames(encoded.lengths, encoded.layers[0].shape[1])
            return encoded.layers[0] * valid[..., None], encoded.lengths
        weight = valid_frames(encoded.lengths, encoded.layers[0].shape[1])[..., None].float()
        means = [(layer * weight).sum(1) / weight.sum(1) for layer in encoded.layers]
        return torch.stack(means, dim=1), torch.full_like(lengths, len(means))
