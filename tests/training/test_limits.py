"""A model from anywhere cannot exhaust the machine that loads it, and gets one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.numpy import load_file, save_file

from unheard.errors import InputError
from unheard.recipe import Recipe
from unheard.training.fitted import build_front_end, build_model, load_fitted
from unheard.training.limits import LARGEST_CONFIG, SPARE_VALUES, Bounded

#: This is said before the memory is taken; a tensor that is there has another size than in the file.
MUCH_LARGER = "do not fit config.json (the config asks for a model much larger than that)"


@pytest.fixture
def folder(small_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_run / "recognizer", tmp_path / "recognizer"))


def config_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))


def sentence(folder: Path) -> str:
    with pytest.raises(InputError) as problem:
        load_fitted(folder)
    assert str(problem.value).startswith(str(folder))
    assert "\n" not in str(problem.value)
    return str(problem.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"width": 100_000, "lstm": 100_000},
        {"channels": [100_000, 100_000]},
        {"lstm": 30_000},
        {"channels": [9_000, 9_000]},
    ],
    ids=str,
)
def test_a_network_much_larger_than_its_file_is_refused_before_it_is_made(folder: Path, settings: dict[str, Any]):
    config = config_of(folder)
    config["recipe"]["network"] |= settings
    (folder / "config.json").write_text(json.dumps(config))
    assert MUCH_LARGER in sentence(folder)


def test_so_is_one_of_endless_layers(folder: Path):
    config = config_of(folder)
    config["recipe"]["network"] = {"name": "wav2vec", "lstm": 512, "lstm_layers": 99_999}
    config["recipe"]["front_end"] = {"name": "waveform"}
    (folder / "config.json").write_text(json.dumps(config))
    assert MUCH_LARGER in sentence(folder)


@pytest.mark.parametrize(
    ("part", "settings"),
    [
        ({"name": "filterbank"}, {"bands": 99_999}),
        ({"name": "filterbank"}, {"average": 99_999}),
        ({"name": "filterbank"}, {"hop": float("nan")}),
        ({"name": "filterbank"}, {"crop": 1e300}),
        ({"name": "filterbank"}, {"bands": 10**400}),
        ({"name": "mfcc"}, {"bands": 99_999, "coefficients": 99_999}),
        ({"name": "mfcc"}, {"bands": -1}),
        ({"name": "mfcc"}, {"bands": [[[[23]]]]}),
        ({"name": "mfcc"}, {"normalize": "/etc/passwd"}),
        ({"name": "spectrogram"}, {"transform": 10**9}),
        ({"name": "../../../etc/passwd"}, {}),
        ({"name": "unheard.frontends.mfcc:Mfcc"}, {}),
        ({"name": "Mfcc"}, {}),
        ({"name": ["mfcc"]}, {}),
        ({"name": {"name": "mfcc"}}, {}),
    ],
    ids=str,
)
def test_a_hostile_front_end_is_refused(folder: Path, part: dict[str, Any], settings: dict[str, Any]):
    config = config_of(folder)
    config["recipe"]["front_end"] = part | settings
    (folder / "config.json").write_text(json.dumps(config))
    assert "config.json, recipe" in sentence(folder)


@pytest.mark.parametrize("depth", [30, 400, 900, 100_000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_a_deep_config_is_refused(folder: Path, depth: int, brackets: str):
    config = config_of(folder)
    config["recipe"]["network"]["channels"] = "DEEP"
    first, last = ("[", "]") if brackets == "[]" else ('{"a":', "}")
    text = json.dumps(config).replace('"DEEP"', first * depth + "1" + last * depth)
    (folder / "config.json").write_text(text)
    assert "config.json" in sentence(folder)


def test_a_config_of_endless_text_is_refused(folder: Path):
    config = config_of(folder)
    config["recipe"]["about"] = "a" * LARGEST_CONFIG
    (folder / "config.json").write_text(json.dumps(config))
    assert "it has more than 1,048,576 bytes" in sentence(folder)


@pytest.mark.parametrize("name", ["", "a" * 65, "an\x1b[31mgry", "an\ngry", "sad"])
def test_emotions_have_names(folder: Path, name: str):
    config = config_of(folder)
    config["vocabularies"]["emotion"] = [name, "sad"]
    (folder / "config.json").write_text(json.dumps(config))
    assert "vocabularies.emotion: " in sentence(folder)


def test_a_header_that_promises_more_than_the_file_holds_is_refused(folder: Path):
    path = folder / "model.safetensors"
    header = json.dumps({"x": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 64)
    assert "model.safetensors: this is not a complete model" in sentence(folder)
    path.write_bytes((2**62).to_bytes(8, "little") + header)
    assert "model.safetensors: this is not a complete model" in sentence(folder)


def test_the_same_numbers_in_another_shape_are_refused(folder: Path):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    name = next(name for name, value in tensors.items() if value.ndim == 2 and value.shape[0] != value.shape[1])
    save_file(tensors | {name: tensors[name].reshape(tensors[name].shape[::-1])}, path)
    assert f"do not fit config.json (Error(s) in loading state_dict for Model: size mismatch for {name}" in sentence(
        folder
    )


def test_what_is_made_within_the_bound_is_the_same():
    recipe = Recipe.load("tdnn", ["terms.emotion.hidden=[]"])
    front_end = build_front_end(recipe)
    with Bounded(SPARE_VALUES):
        bounded = build_model(recipe, front_end, {}, terms=[])
    free = build_model(recipe, front_end, {}, terms=[])
    for name, value in free.state_dict().items():
        assert torch.equal(bounded.state_dict()[name], value)
    with pytest.raises(InputError), Bounded(1000):
        build_model(recipe, front_end, {}, terms=[])
