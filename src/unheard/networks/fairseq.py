"""Checkpoints of wav2vec 1.0 as fairseq leaves them, read without running anything that is in them."""

from __future__ import annotations

import argparse
import ast
import pickle
import re
from pathlib import Path
from typing import Any

import torch
from pydantic import PositiveInt, TypeAdapter, ValidationError
from torch import Tensor

from unheard.errors import InputError

#: Channels, kernel and stride of convolutions.
Layers = tuple[tuple[int, int, int], ...]

#: Settings of fairseq's ``Wav2VecModel`` that change what encoder and aggregator compute, as the released models have
#: them; a setting that is younger than a file is not in it. Dropout is not among them: it matters in training only.
EXPECTED = {
    "activation": "relu",
    "agg_zero_pad": False,
    "aggregator": "cnn",
    "log_compression": True,
    "no_conv_bias": False,
    "non_affine_group_norm": False,
    "residual_scale": 0.5,
    "skip_connections_agg": True,
    "skip_connections_feat": False,
    "vq_type": "none",
}
#: Our names, and where in fairseq's model and in one of its layers the same thing stands.
PARTS = {
    "encoder.layers": ("feature_extractor.conv_layers", {"convolution": 0, "norm": 2}),
    "aggregator": ("feature_aggregator.conv_layers", {"convolution": 1, "norm": 3}),
}
#: The prediction head, of which only pretraining has a use.
HEAD = "wav2vec_predictions."


class Meter:
    """Stands for fairseq's records of its own training, which are not looked at."""


METERS = [(Meter, f"fairseq.meters.{name}") for name in ("AverageMeter", "StopwatchMeter", "TimeMeter")]


def read_wav2vec(path: Path) -> tuple[Layers, tuple[int, ...], dict[str, Tensor]]:
    """Layers of the encoder, kernels of the aggregator, and the weights of both under the names that ours have.

    Takes fairseq's file (``args`` and ``model``) or s3prl's conversion of it (``model_cfg`` and ``model_weight``).

    Raises:
        InputError: the file is neither, holds anything but numbers and settings, or is another model.
    """
    content = _load(path)
    for settings, weights in (("args", "model"), ("model_cfg", "model_weight")):
        if settings in content and weights in content:
            break
    else:
        raise InputError(f'{path}: this is no checkpoint of wav2vec, which has "args" and "model" (or s3prl\'s keys)')
    values, model = content[settings], content[weights]
    values = vars(values) if isinstance(values, argparse.Namespace) else values
    if not isinstance(values, dict) or not isinstance(model, dict):
        raise InputError(f'{path}: "{settings}" and "{weights}" must hold settings and tensors by name')
    for name, expected in EXPECTED.items():
        if (value := values.get(name, expected)) != expected and (name, value) != ("vq_type", None):
            raise InputError(f"{path}: this model has {name}={value!r}, and only {expected!r} is known here")
    encoder = _layers(path, values, "conv_feature_layers")
    aggregator = _layers(path, values, "conv_aggregator_layers")
    if any(channels != encoder[-1][0] or stride != 1 for channels, _, stride in aggregator):
        raise InputError(
            f"{path}: conv_aggregator_layers must have stride 1 and the {encoder[-1][0]} channels of the encoder"
        )
    kernels = tuple(kernel for _, kernel, _ in aggregator)
    return encoder, kernels, _weights(path, model, _shapes(encoder, kernels))


def _load(path: Path) -> dict[Any, Any]:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; give a checkpoint of wav2vec, such as wav2vec_large.pt")
    try:
        with torch.serialization.safe_globals([argparse.Namespace, *METERS]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if (found := re.search(r"GLOBAL (\S+)", str(error))) is not None:
            raise InputError(
                f"{path}: this file wants to run {found[1]}, where a checkpoint holds numbers and settings only; "
                "it was not run"
            ) from error
        raise InputError(f"{path}: this is not a checkpoint that PyTorch can read without running it") from error
    except Exception as error:  # a broken file may break anything in the reader
        raise InputError(f"{path}: this is not a whole checkpoint of PyTorch ({type(error).__name__})") from error
    return content if isinstance(content, dict) else {}


def _layers(path: Path, values: dict[str, Any], name: str) -> Layers:
    """A list of layers, which fairseq keeps as the text of a Python expression: only a plain list is taken."""
    written = values.get(name)
    try:
        plain = ast.literal_eval(written) if isinstance(written, str) else written
        layers = TypeAdapter(tuple[tuple[PositiveInt, PositiveInt, PositiveInt], ...]).validate_python(plain)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, ValidationError):
        layers = ()
    if not layers:
        raise InputError(
            f"{path}: {name} must be a list of (channels, kernel, stride), and it is {str(written)[:80]!r}"
        )
    return layers


def _shapes(encoder: Layers, kernels: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor by our name."""
    shapes: dict[str, tuple[int, ...]] = {}
    inputs = 1
    for index, (channels, kernel, _) in enumerate(encoder):
        shapes[f"encoder.layers.{index}.convolution.weight"] = (channels, inputs, kernel)
        shapes |= {f"encoder.layers.{index}.norm.{kind}": (channels,) for kind in ("weight", "bias")}
        inputs = channels
    for index, kernel in enumerate(kernels):
        shapes[f"aggregator.{index}.convolution.weight"] = (inputs, inputs, kernel)
        names = ("convolution.bias", "norm.weight", "norm.bias")
        shapes |= {f"aggregator.{index}.{name}": (inputs,) for name in names}
    return shapes


def _weights(path: Path, model: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """The tensors by our names, every one of them there, of its shape, and no other but the prediction head's."""
    weights = {}
    for name, shape in shapes.items():
        theirs = _fairseq_name(name)
        tensor = model.get(theirs)
        if not isinstance(tensor, Tensor) or tensor.shape != shape:
            found = f"of shape {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else "missing"
            raise InputError(f'{path}: the tensor "{theirs}" should have the shape {shape}, and it is {found}')
        weights[name] = tensor
    known = {_fairseq_name(name) for name in shapes}
    for theirs in model:
        if theirs not in known and not str(theirs).startswith(HEAD):
            raise InputError(f'{path}: the tensor "{theirs}" belongs to no layer of wav2vec; is this another model?')
    return weights


def _fairseq_name(name: str) -> str:
    """What fairseq calls a tensor.

    >>> _fairseq_name("aggregator.3.norm.bias")
    'feature_aggregator.conv_layers.3.3.bias'
    """
    part, layer, module, kind = name.rsplit(".", 3)
    theirs, places = PARTS[part]
    return f"{theirs}.{layer}.{places[module]}.{kind}"
