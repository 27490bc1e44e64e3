"""Speech encoders of transformers: waveform → frames, with each model's own normalisation and padding."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from unheard.errors import InputError, did_you_mean
from unheard.frontends.by_length import by_length
from unheard.frontends.pretrained import ARCHITECTURES, NEEDED, Pretrained, read_pretrained
from unheard.frontends.statistics import valid_frames
from unheard.frontends.waveform import standardized
from unheard.frontends.whisper import Windows


class Encoded(NamedTuple):
    """What an encoder makes of a batch; frames behind ``lengths`` carry no meaning.

    ``local`` [batch, time, channels] is what the convolutions give. ``layers`` are [batch, time, width] each: from the
    input of the first transformer layer to the output of the encoder, or the last of these alone.
    """

    local: Tensor
    layers: list[Tensor]
    lengths: Tensor


class Dropped(NamedTuple):
    """What an encoder leaves out in training.

    ``dropout`` is the share of activations, wherever the architecture has dropout, ``layerdrop`` that of layers, and
    ``masked`` that of frames before the first layer, in spans of the model's own length.
    """

    dropout: float = 0.0
    layerdrop: float = 0.0
    masked: float = 0.0


NOTHING = Dropped()


class SpeechEncoder(nn.Module):
    """One interface to the speech encoders of transformers. Needs the extra ``unheard[ssl]``.

    Normalisation: encoders with a group norm (the base sizes of HuBERT, wav2vec 2.0 and WavLM) were pretrained on
    samples in ±1, those with layer norms (the large sizes, data2vec) on utterances of zero mean and unit variance.

    Padding never changes a frame. With layer norms an attention mask does it. The group norm averages over time, and
    the stacked positional convolutions of data2vec see padding: there each length goes in by itself. Whisper hears
    windows of one length, 30 s, the last filled up with silence.

    transformers' dropout, layerdrop and masking are off unless asked for. Masks are drawn here, by torch: transformers
    would take numpy's global generator.

    Args:
        architecture: one of :data:`~unheard.frontends.pretrained.ARCHITECTURES`.
        config: what differs from the architecture's default configuration in transformers.
        normalize: zero mean and unit variance of each utterance; None is as described above.
        dropped: what is left out in training.
        checkpointing: compute activations again on the way back instead of keeping them.

    Raises:
        InputError: transformers is not installed, or does not take the configuration.
    """

    def __init__(
        self,
        architecture: str,
        config: dict[str, Any],
        *,
        normalize: bool | None = None,
        dropped: Dropped = NOTHING,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.architecture, self.config, self.masked = architecture, config, dropped.masked
        self.model = _build(architecture, config, dropped)
        actual = self.model.config
        self.windows = Windows(actual) if architecture == "whisper" else None
        whisper = self.windows is not None
        self.width = int(actual.d_model if whisper else actual.hidden_size)
        self.channels = self.width if whisper else int(actual.conv_dim[-1])
        self.depth = int(actual.encoder_layers if whisper else actual.num_hidden_layers)
        #: Kernel and stride of the convolutions.
        self.strides = [] if whisper else list(zip(actual.conv_kernel, actual.conv_stride, strict=True))
        layer_norm = not whisper and getattr(actual, "feat_extract_norm", "layer") == "layer"
        self.normalize = layer_norm if normalize is None else normalize
        # Masked frames are zero before the positional convolution, which is enough for a single one without a norm.
        one_convolution = architecture != "data2vec-audio" and not getattr(actual, "conv_pos_batch_norm", False)
        self.takes_mask = layer_norm and one_convolution
        if not whisper:
            actual.apply_spec_augment, actual.mask_feature_prob = self.masked > 0, 0.0
        if self.masked and not hasattr(self.model, "masked_spec_embed"):
            raise InputError("mask_time_prob: this encoder has no embedding for masked frames; leave it at 0")
        if checkpointing:
            self.model.activation_checkpointing_enable({"use_reentrant": False})

    def forward(self, waveforms: Tensor, lengths: Tensor, *, every_layer: bool = False) -> Encoded:
        """[batch, samples] in ±1 and their lengths → frames of every layer or of the last."""
        with torch.autocast(waveforms.device.type, enabled=False):
            waveforms = torch.where(valid_frames(lengths, waveforms.shape[1]), waveforms, 0)
            if self.normalize:
                waveforms = standardized(waveforms, lengths)
        if self.windows is not None:
            spectra, owners = self.windows.cut(waveforms, lengths)
            local, *layers = self._run(spectra, every_layer)
            joined = self.windows.joined((local, layers), owners, len(lengths))
            return Encoded(*joined, self.windows.frames(lengths))
        # What is shorter than one frame is filled up with silence.
        lengths = lengths.clamp(min=receptive_field(self.strides))
        longest = int(lengths.max())
        waveforms = functional.pad(waveforms, (0, max(0, longest - waveforms.shape[1])))[:, :longest]
        if bool((lengths == longest).all()):
            local, *layers = self._run(waveforms, every_layer)
        elif self.takes_mask:
            local, *layers = self._run(waveforms, every_layer, attention_mask=valid_frames(lengths, longest).long())
        else:
            local, *layers = by_length(lambda some: self._run(some, every_layer), waveforms, lengths)
        return Encoded(local, layers, frame_counts(lengths, self.strides))

    def _run(self, inputs: Tensor, every_layer: bool, **masks: Tensor) -> list[Tensor]:
        """transformers' own pass over a batch without padding, or with an attention mask: local, then the layers."""
        if self.training and self.masked:
            frames = int(frame_counts(torch.tensor(inputs.shape[1]), self.strides))
            masks["mask_time_indices"] = self._spans(len(inputs), frames, inputs.device)
        convolutions = self.model.conv2 if self.windows is not None else self.model.feature_extractor
        found: list[Tensor] = []
        hook = convolutions.register_forward_hook(lambda module, arguments, output: found.append(output.mT))
        try:
            output = self.model(inputs, output_hidden_states=every_layer, return_dict=True, **masks)
        finally:
            hook.remove()
        # The last hidden state lacks the encoder's final norm in some versions; the output never does.
        before = output.hidden_states[:-1] if every_layer else ()
        local = functional.gelu(found[0]) if self.windows is not None else found[0]
        return [local, *before, output.last_hidden_state]

    def _spans(self, items: int, frames: int, device: torch.device) -> Tensor:
        """True where a frame is masked, [items, frames]: each begins a span with probability masked / length."""
        length = int(self.model.config.mask_time_length)
        begins = (torch.rand(items, 1, frames, device=device) < self.masked / length).float()
        covered: Tensor = functional.max_pool1d(functional.pad(begins, (length - 1, 0)), length, stride=1)[:, 0] > 0
        return covered

    def take(self, weights: dict[str, Tensor], where: str) -> None:
        """Take over the tensors of a checkpoint, every one of them.

        Raises:
            InputError: one is missing, left over, or of another shape.
        """
        expected = self.model.state_dict()
        for name in (*expected, *weights):
            problem = None
            if name not in weights:
                problem = "is missing"
            elif name not in expected:
                problem = f"belongs to no part of this {self.architecture} encoder"
            elif weights[name].shape != expected[name].shape:
                shapes = (tuple(tensors[name].shape) for tensors in (expected, weights))
                problem = "should have the shape {}, and it has {}".format(*shapes)
            if problem is not None:
                raise InputError(f'{where}: the tensor "{name}" {problem}')
        self.model.load_state_dict(
            {name: value.to(torch.float32, copy=True) for name, value in weights.items()}, assign=True
        )

    def digest(self) -> str:
        """Changes with architecture, configuration and weights."""
        found = hashlib.sha256(repr((self.architecture, sorted(self.config.items()))).encode())
        for name, value in self.model.state_dict().items():
            found.update(name.encode())
            found.update(value.detach().cpu().contiguous().numpy().tobytes())
        return found.hexdigest()


def speech_encoder(
    model: str | None,
    architecture: str | None,
    config: dict[str, Any] | None,
    *,
    download: bool = False,
    normalize: bool | None = None,
    dropped: Dropped = NOTHING,
    checkpointing: bool = False,
) -> SpeechEncoder:
    """A pretrained encoder (see :func:`~unheard.frontends.pretrained.read_pretrained`), or one that begins at random.

    Raises:
        InputError: both are asked for or none, the model is not there, or something in it is wrong.
    """
    options: dict[str, Any] = {"normalize": normalize, "dropped": dropped, "checkpointing": checkpointing}
    if model is None:
        if architecture is None:
            raise InputError('which encoder? give model, such as "facebook/hubert-base-ls960", or architecture')
        unknown = sorted(set(config or {}) - keys_of(architecture))
        if unknown:
            hint = did_you_mean(unknown[0], sorted(keys_of(architecture)))
            raise InputError(f'config: {architecture} has no key "{unknown[0]}"; {hint}')
        return SpeechEncoder(architecture, config or {}, **options)
    if architecture is not None or config is not None:
        raise InputError(f"architecture and config come from {model}; leave them out, or leave out model")
    found = read_pretrained(model, download)
    with torch.device("meta"):  # first weights would only be thrown away
        encoder = SpeechEncoder(found.architecture, _known(found), **options)
    encoder.take(found.weights, found.where)
    return encoder


def keys_of(architecture: str) -> set[str]:
    """The keys of an architecture's configuration that are its own."""
    configuration, general = (dataclasses.fields(kind) for kind in _classes(architecture)[::2])
    return {field.name for field in configuration} - {field.name for field in general}


def _known(found: Pretrained) -> dict[str, Any]:
    """The configuration without what says nothing about the encoder, such as code that transformers would load."""
    known = keys_of(found.architecture)
    return {key: value for key, value in found.config.items() if key in known}


def _classes(architecture: str) -> tuple[Any, Any, Any]:
    """The configuration and the encoder in transformers, and what all configurations have in common."""
    if architecture not in ARCHITECTURES:
        raise InputError(f'there is no architecture "{architecture}"; {did_you_mean(architecture, ARCHITECTURES)}')
    known = ARCHITECTURES[architecture]
    try:
        import transformers
    except ImportError as problem:
        raise InputError(NEEDED) from problem
    place = f"transformers.models.{known.folder}"
    configuration = getattr(importlib.import_module(f"{place}.configuration_{known.file}"), known.configuration)
    encoder = getattr(importlib.import_module(f"{place}.modeling_{known.file}"), known.encoder)
    return configuration, encoder, transformers.PreTrainedConfig


def _build(architecture: str, config: dict[str, Any], dropped: Dropped) -> Any:
    configuration, encoder, _ = _classes(architecture)
    names: tuple[str, ...] = ("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout")
    layers = "layerdrop"
    if architecture == "whisper":
        names, layers = ("dropout", "attention_dropout", "activation_dropout"), "encoder_layerdrop"
    own = {**dict.fromkeys(names, dropped.dropout), layers: dropped.layerdrop}
    try:
        made = encoder(configuration(**config | own))
    except Exception as error:  # transformers' checks raise errors of many kinds
        raise InputError(f"transformers makes no {architecture} of this configuration ({error})") from error
    if getattr(made.config, "add_adapter", False):
        raise InputError("config: encoders with an adapter behind them (add_adapter) are not known here")
    return made


def frame_counts(lengths: Tensor, strides: list[tuple[int, int]]) -> Tensor:
    """How many frames convolutions without padding make of so many samples.

    >>> kernels, hops = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)
    >>> frame_counts(torch.tensor([48000]), list(zip(kernels, hops)))
    tensor([149])
    """
    for kernel, stride in strides:
        lengths = torch.div(lengths - kernel, stride, rounding_mode="floor") + 1
    return lengths


def receptive_field(strides: list[tuple[int, int]]) -> int:
    """How many samples one frame sees.

    >>> receptive_field(list(zip((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))))
    400
    """
    field, hop = 1, 1
    for kernel, stride in strides:
        field, hop = field + (kernel - 1) * hop, hop * stride
    return field
