"""A checkpoint of wav2vec is read with nothing run, every tensor in its place, and what is not one is refused."""

from __future__ import annotations

import argparse
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from unheard.errors import InputError
from unheard.networks.fairseq import read_wav2vec
from unheard.networks.wav2vec import Wav2vec

LAYERS = {"conv_feature_layers": "[(3, 10, 5), (4, 8, 4)]", "conv_aggregator_layers": "[(4, 2, 1), (4, 3, 1)]"}
BODY = {"convolutions": ((4, 3, 1),), "lstm": 2, "lstm_layers": 1}


def weights() -> dict[str, torch.Tensor]:
    """Tensors as fairseq names them, each of numbers of its own."""
    shapes: dict[str, tuple[int, ...]] = {
        "wav2vec_predictions.project_to_steps.weight": (4, 4, 1, 12),
        "wav2vec_predictions.project_to_steps.bias": (4,),
    }
    for layer, shape in enumerate([(3, 1, 10), (4, 3, 8)]):
        shapes[f"feature_extractor.conv_layers.{layer}.0.weight"] = shape
        shapes |= {f"feature_extractor.conv_layers.{layer}.2.{kind}": shape[:1] for kind in ("weight", "bias")}
    for layer, kernel in enumerate([2, 3]):
        shapes[f"feature_aggregator.conv_layers.{layer}.1.weight"] = (4, 4, kernel)
        shapes |= {f"feature_aggregator.conv_layers.{layer}.{name}": (4,) for name in ("1.bias", "3.weight", "3.bias")}
    draw = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=draw) for name, shape in shapes.items()}


def fairseq(**changes: Any) -> dict[str, Any]:
    return {
        "args": argparse.Namespace(arch="wav2vec", **LAYERS | changes),
        "model": weights(),
        "extra_state": {"epoch": 3},
    }


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Writes a checkpoint and tells where."""

    def save(content: object, **options: object) -> Path:
        torch.save(content, tmp_path / "wav2vec.pt", **options)
        return tmp_path / "wav2vec.pt"

    return save


def sentence(path: Path) -> str:
    with pytest.raises(InputError) as problem:
        read_wav2vec(path)
    said = str(problem.value)
    assert said.startswith(f"{path}: ")
    return said


@pytest.mark.parametrize(
    "content",
    [
        fairseq(),
        {"task_cfg": {"data": ""}, "model_cfg": vars(fairseq()["args"]), "model_weight": weights()},
        fairseq(conv_feature_layers=[[3, 10, 5], [4, 8, 4]], vq_type=None, activation="relu"),
    ],
    ids=["fairseq", "s3prl", "plain lists"],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_layers_and_weights_come_from_the_file(content: dict[str, Any], zipped: bool, saved: Callable[..., Path]):
    path = saved(content, _use_new_zipfile_serialization=zipped)
    encoder, aggregator, tensors = read_wav2vec(path)
    assert (encoder, aggregator) == (((3, 10, 5), (4, 8, 4)), (2, 3))
    network = Wav2vec((), checkpoint=path, **BODY)
    own = {name: value for name, value in network.state_dict().items() if name.startswith(("encoder.", "aggregator."))}
    assert own.keys() == tensors.keys()
    theirs = weights()
    assert torch.equal(network.encoder.layers[1].convolution.weight, theirs["feature_extractor.conv_layers.1.0.weight"])
    assert torch.equal(network.encoder.layers[0].norm.bias, theirs["feature_extractor.conv_layers.0.2.bias"])
    assert torch.equal(network.aggregator[1].convolution.bias, theirs["feature_aggregator.conv_layers.1.1.bias"])
    assert torch.equal(network.aggregator[0].norm.weight, theirs["feature_aggregator.conv_layers.0.3.weight"])


def test_fairseqs_records_of_its_training_are_passed_over(saved: Callable[..., Path], monkeypatch: pytest.MonkeyPatch):
    package, module = ModuleType("fairseq"), ModuleType("fairseq.meters")
    meter = type("AverageMeter", (), {"__module__": "fairseq.meters"})
    module.AverageMeter = meter  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "fairseq", package)
        patch.setitem(sys.modules, "fairseq.meters", module)
        record = meter()
        record.sum = 3.0
        path = saved(fairseq() | {"extra_state": {"train_meters": {"loss": record}}})
    assert len(read_wav2vec(path)[2]) == 14


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_wants_to_run_something_is_refused(zipped: bool, saved: Callable[..., Path], tmp_path: Path):
    path = saved(fairseq() | {"extra_state": Trap(tmp_path / "sprung")}, _use_new_zipfile_serialization=zipped)
    assert f"this file wants to run {os.name}.mkdir" in sentence(path)
    path.write_bytes(pickle.dumps(fairseq() | {"extra_state": Trap(tmp_path / "sprung")}, protocol=2))
    sentence(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"conv_feature_layers": "__import__('os').getcwd()"}, "conv_feature_layers must be a list of"),
        ({"conv_feature_layers": "[(3, 10)]"}, "conv_feature_layers must be a list of (channels, kernel, stride)"),
        ({"conv_feature_layers": "[(3, 10, 0)]"}, "conv_feature_layers must be a list of"),
        ({"conv_aggregator_layers": None}, "conv_aggregator_layers must be a list of"),
        ({"conv_aggregator_layers": "[]"}, "conv_aggregator_layers must be a list of"),
        ({"conv_aggregator_layers": "[(5, 2, 1)]"}, "must have stride 1 and the 4 channels of the encoder"),
        ({"conv_aggregator_layers": "[(4, 2, 2)]"}, "must have stride 1 and the 4 channels of the encoder"),
        ({"aggregator": "gru"}, "this model has aggregator='gru', and only 'cnn' is known here"),
        ({"skip_connections_agg": False}, "skip_connections_agg=False"),
        ({"vq_type": "gumbel"}, "vq_type='gumbel'"),
    ],
)
def test_another_model_gets_one_sentence(changes: dict[str, Any], said: str, saved: Callable[..., Path]):
    assert said in sentence(saved(fairseq(**changes)))


def test_a_missing_or_further_or_misshapen_tensor_gets_one_sentence(saved: Callable[..., Path]):
    name = "feature_aggregator.conv_layers.1.1.bias"
    content = fairseq()
    tensor = content["model"].pop(name)
    assert f'the tensor "{name}" should have the shape (4,), and it is missing' in sentence(saved(content))
    content["model"][name] = tensor[:3]
    assert "and it is of shape (3,)" in sentence(saved(content))
    content["model"] |= {name: tensor, "vector_quantizer.embedding": tensor}
    assert 'the tensor "vector_quantizer.embedding" belongs to no layer' in sentence(saved(content))


def test_what_is_no_checkpoint_gets_one_sentence(saved: Callable[..., Path], tmp_path: Path):
    assert "there is no such file" in sentence(tmp_path / "none.pt")
    assert "there is no such file" in sentence(tmp_path)
    assert 'this is no checkpoint of wav2vec, which has "args" and "model"' in sentence(saved([1, 2]))
    assert "this is no checkpoint of wav2vec" in sentence(saved({"model": weights()}))
    assert "must hold settings and tensors by name" in sentence(saved({"args": 3, "model": weights()}))
    path = saved(fairseq())
    for content in (b"", b"RIFF1234WAVE", path.read_bytes()[:-300], path.read_bytes()[:200]):
        path.write_bytes(content)
        assert "checkpoint" in sentence(path)
