"""Where a self-supervised encoder comes from: a folder, the local cache of the Hugging Face hub, a recognizer."""

from __future__ import annotations

import json
import logging
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from unheard.errors import InputError, did_you_mean


class Architecture(NamedTuple):
    """Where transformers keeps it, and what its tensors' names begin with in a checkpoint of more than the encoder."""

    folder: str
    file: str
    configuration: str
    encoder: str
    prefixes: tuple[str, ...]


ARCHITECTURES = {
    "hubert": Architecture("hubert", "hubert", "HubertConfig", "HubertModel", ("hubert.",)),
    "wav2vec2": Architecture("wav2vec2", "wav2vec2", "Wav2Vec2Config", "Wav2Vec2Model", ("wav2vec2.",)),
    "wavlm": Architecture("wavlm", "wavlm", "WavLMConfig", "WavLMModel", ("wavlm.",)),
    "data2vec-audio": Architecture(
        "data2vec", "data2vec_audio", "Data2VecAudioConfig", "Data2VecAudioModel", ("data2vec_audio.",)
    ),
    "whisper": Architecture("whisper", "whisper", "WhisperConfig", "WhisperEncoder", ("model.encoder.", "encoder.")),
}
#: Names of a checkpoint's weights, the better one first.
FILES = ("model.safetensors", "pytorch_model.bin")
#: What only pretraining or recognizing words has a use for: tensors whose names begin so may be left out.
HEADS = (
    "decoder.", "final_proj.", "label_embs_concat", "lm_head.", "model.decoder.", "proj_out.", "project_hid.",
    "project_q.", "quantizer.",
)  # fmt: skip
#: Where a recognizer keeps the tensors of an encoder: behind a network, a projected network, a front end.
IN_A_RECOGNIZER = ("network.encoder.model.", "network.network.encoder.model.", "front_end.encoder.model.")

NEEDED = "self-supervised encoders need transformers: pip install 'unheard[ssl]'"

log = logging.getLogger(__name__)


class Pretrained(NamedTuple):
    """An encoder as it was found: its architecture, its configuration, its tensors under transformers' names."""

    architecture: str
    config: dict[str, Any]
    weights: dict[str, Tensor]
    where: str


def read_pretrained(model: str, download: bool = False) -> Pretrained:
    """The encoder called ``model``; nothing in it is executed.

    Args:
        model: the folder of a checkpoint that transformers saved, of a recognizer, or of the run that made one;
            otherwise a name on the Hugging Face hub, whose files are taken from the local cache.
        download: fetch from the hub what is not in the cache.

    Raises:
        InputError: it is not there, or its files are not what they must be.
    """
    folder = Path(model)
    if not folder.is_dir():
        return _checkpoint(model, *_cached(model, download))
    inner = folder / "recognizer"
    folder = inner if inner.is_dir() else folder
    config = folder / "config.json"
    if not config.is_file():
        raise InputError(f"{folder}: there is no config.json, so this is neither a checkpoint nor a recognizer")
    values = _json(config)
    weights = next((file for name in FILES if (file := folder / name).is_file()), None)
    if weights is None:
        raise InputError(f"{folder}: there are no weights; one of {' and '.join(FILES)} must lie beside config.json")
    if "recipe" in values:
        return _of_recognizer(folder, values, _tensors(weights))
    return _checkpoint(model, values, weights)


def _cached(model: str, download: bool) -> tuple[dict[str, Any], Path]:
    """Configuration and weights of a name on the hub."""
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as problem:
        raise InputError(NEEDED) from problem
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    def find(name: str) -> Path:
        return Path(hf_hub_download(model, name, local_files_only=not download))

    try:
        config = _json(find("config.json"))
        try:
            return config, find(FILES[0])
        except EntryNotFoundError:  # what is absent locally is one of these too
            return config, find(FILES[1])
    except (HFValidationError, LocalEntryNotFoundError, HfHubHTTPError, EntryNotFoundError, OSError) as problem:
        fetched = "it could not be fetched" if download else "nothing is fetched unasked"
        raise InputError(
            f'there is no model "{model}" here, neither a folder nor in the cache of the Hugging Face hub, and '
            f"{fetched}: `hf download {model}` gets it once, download=true when it is needed, or give a folder"
        ) from problem


def _checkpoint(where: str, config: dict[str, Any], file: Path) -> Pretrained:
    architecture = config.get("model_type")
    if architecture not in ARCHITECTURES:
        raise InputError(
            f'{where}: the model_type "{architecture}" is no speech encoder that is known here; '
            f"{did_you_mean(str(architecture), ARCHITECTURES)}"
        )
    prefixes = ARCHITECTURES[architecture].prefixes
    tensors = _tensors(file)
    prefix = next((each for each in prefixes if any(name.startswith(each) for name in tensors)), "")
    inside = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    outside = {name: value for name, value in tensors.items() if not name.startswith(prefix)}
    heads = sorted({name for name in (outside | inside) if name.startswith(HEADS)})
    strange = sorted(set(outside) - set(heads))
    if strange:
        raise InputError(f'{where}: the tensor "{strange[0]}" belongs to no part of a {architecture} encoder')
    if heads:
        log.warning("%s: left out %d tensors of its head, such as %s", where, len(heads), heads[0])
    kept = {name: value for name, value in inside.items() if not name.startswith(HEADS)}
    return Pretrained(architecture, config, {_renamed(name): value for name, value in kept.items()}, where)


def _renamed(name: str) -> str:
    """Weight normalisation as PyTorch has kept it since 2.0."""
    for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
        if name.endswith(f"pos_conv_embed.conv.{old}"):
            return f"{name.removesuffix(old)}parametrizations.weight.{new}"
    return name


def _of_recognizer(folder: Path, config: dict[str, Any], tensors: dict[str, Tensor]) -> Pretrained:
    for part in ("network", "front_end"):
        settings = config["recipe"].get(part) or {}
        if "architecture" in settings and "config" in settings:
            break
    else:
        raise InputError(f"{folder}: this recognizer has no self-supervised encoder")
    prefix = next((each for each in IN_A_RECOGNIZER if any(name.startswith(each) for name in tensors)), None)
    if prefix is None:
        raise InputError(f"{folder}: the encoder's tensors are not in model.safetensors")
    weights = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    return Pretrained(settings["architecture"], settings["config"], weights, str(folder))


def _json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: this is not JSON ({error})") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: this holds no keys")
    return values


def _tensors(file: Path) -> dict[str, Tensor]:
    """All tensors of a file by name; nothing in it is executed."""
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        content = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:150]
        raise InputError(f"{file}: this is not a whole file of tensors and nothing else ({reason})") from error
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError(f"{file}: this holds other things than tensors by name")
    return content
