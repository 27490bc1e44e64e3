"""What is saved can be used elsewhere, and nothing that is loaded is executed."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.svm import LinearSvm
from unheard.recipe import Part, Recipe
from unheard.seeds import generator
from unheard.training.fitted import FittedClassifier, FittedNetwork, build_front_end, build_model, load_fitted

FACTS = {
    "corpus": "tiny", "corpus_hash": "0", "synthetic": False, "protocol": "speaker-folds:3",
    "speaker_independent": True, "fold": 1, "seed": 0, "test": {"n": 4, "wa": 0.5, "ua": 0.5},
}  # fmt: skip
EMOTIONS = Vocabulary("emotion", ("angry", "happy", "sad"))


def sequences(count: int = 5, bands: int = 39) -> list[np.ndarray]:
    draw = generator(0, "sequences")
    return [draw.standard_normal((20 + 7 * i, bands), dtype=np.float32) for i in range(count)]


def vectors(count: int = 12) -> list[np.ndarray]:
    draw = generator(0, "vectors")
    return [draw.standard_normal((1, 88), dtype=np.float32) + i % 3 for i in range(count)]


def network(recipe: Recipe) -> FittedNetwork:
    front_end = build_front_end(recipe)
    speakers = Vocabulary("speaker", ("a", "b"))
    vocabularies = {"emotion": EMOTIONS} | ({"speaker": speakers} if "speaker" in recipe.terms else {})
    model = build_model(recipe, front_end, vocabularies, seed=3)
    return FittedNetwork(recipe, front_end, vocabularies, model.eval())


def svm() -> FittedClassifier:
    recipe = Recipe.load("egemaps-svm")
    classifier = LinearSvm(costs=(0.1,))
    labels = np.arange(12) % 3
    classifier.fit(np.concatenate(vectors()), labels, np.arange(12) // 3)
    return FittedClassifier(recipe, build_front_end(recipe), {"emotion": EMOTIONS}, classifier)


@pytest.fixture
def folder(tmp_path: Path, small_recipe: Recipe) -> Path:
    network(small_recipe).save(tmp_path / "network", FACTS)
    return tmp_path / "network"


@pytest.fixture
def svm_folder(tmp_path: Path) -> Path:
    svm().save(tmp_path / "svm", FACTS)
    return tmp_path / "svm"


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def change_recipe(folder: Path, part: str, **changes: object) -> None:
    recipe = json.loads((folder / "config.json").read_text())["recipe"]
    inner = recipe
    for key in filter(None, part.split(".")):
        inner = inner[key]
    inner |= changes
    change_config(folder, recipe=recipe)


def change_tensors(folder: Path, changes: dict[str, np.ndarray | None]) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path) | changes
    save_file({name: value for name, value in tensors.items() if value is not None}, path)


def sentence(folder: Path) -> str:
    with pytest.raises(InputError) as problem:
        load_fitted(folder)
    assert "\n" not in str(problem.value)
    assert str(problem.value).startswith(str(folder))
    return str(problem.value)


@pytest.mark.parametrize("normalize", ["none", "global", "utterance"])
@pytest.mark.parametrize("name", ["tdnn", "tdnn-dat"])
def test_a_network_is_the_same_after_saving_and_loading(tmp_path: Path, small_overrides, name: str, normalize: str):
    recipe = Recipe.load(name, [*small_overrides, f"front_end.normalize={normalize}"])
    made, features = network(recipe), sequences()
    made.front_end.fit(map(np_to_tensor, features))
    made.save(tmp_path, FACTS)
    loaded, facts = load_fitted(tmp_path)
    assert loaded.emotions == EMOTIONS.classes
    assert loaded.recipe == recipe
    assert facts == FACTS
    np.testing.assert_array_equal(loaded.posteriors(features), made.posteriors(features))
    np.testing.assert_array_equal(loaded.embeddings(features), made.embeddings(features))


def np_to_tensor(values: np.ndarray):
    import torch

    return torch.from_numpy(values)


def test_only_what_inference_needs_is_saved(tmp_path: Path, small_overrides):
    network(Recipe.load("tdnn-dat", small_overrides)).save(tmp_path, FACTS)
    assert not [name for name in load_file(tmp_path / "model.safetensors") if "speaker" in name]
    assert list(json.loads((tmp_path / "config.json").read_text())["vocabularies"]) == ["emotion"]


def test_an_svm_is_the_same_after_saving_and_loading(svm_folder: Path):
    loaded, _ = load_fitted(svm_folder)
    np.testing.assert_array_equal(loaded.posteriors(vectors()), svm().posteriors(vectors()))
    np.testing.assert_array_equal(loaded.embeddings(vectors()), np.concatenate(vectors()))


def test_posteriors_do_not_depend_on_the_batch(small_overrides):
    features = sequences(7)
    small, large = (network(Recipe.load("tdnn", [*small_overrides, f"training.batch_size={n}"])) for n in (2, 32))
    assert small.posteriors(features).shape == (7, 3)
    np.testing.assert_allclose(small.posteriors(features).sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(small.posteriors(features), large.posteriors(features), atol=1e-5)
    singly = np.concatenate([large.posteriors([values]) for values in features])
    np.testing.assert_allclose(singly, large.posteriors(features), atol=1e-5)


def test_the_deep_feature_is_what_the_last_layer_reads(small_overrides):
    made, features = network(Recipe.load("tdnn-dat", small_overrides)), sequences()
    inside = made.inside(features)
    layer = made.model.term("emotion").head.output
    logits = inside.deep @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(made.posteriors(features), expected, atol=1e-5)
    assert inside.attention is None
    assert inside.told["speaker"].shape == (5, 2)
    np.testing.assert_allclose(inside.told["speaker"].sum(axis=1), 1, atol=1e-6)


def test_without_a_hidden_layer_the_deep_feature_is_the_embedding(small_overrides):
    made = network(Recipe.load("tdnn", [*small_overrides, "terms.emotion.hidden=[]"]))
    np.testing.assert_allclose(made.inside(sequences()).deep, made.embeddings(sequences()), atol=1e-6)
    assert svm().inside(vectors()) is None


def test_attention_is_averaged_over_pieces():
    overrides = ["network.attention=true", "front_end.piece=null", "front_end.frames=48", "network.frames=48"]
    recipe = Recipe.load("adarl-backbone", overrides)
    made = network(recipe.model_copy(update={"terms": {"emotion": recipe.terms["emotion"]}}))
    power = generator(0, "power").random((96, 400), dtype=np.float32)
    first, second = (made.inside([power[start : start + 48]]).attention for start in (0, 48))
    assert first.shape == (1, 8)
    np.testing.assert_allclose(made.inside([power]).attention, (first + second) / 2, atol=1e-6)


@pytest.mark.parametrize("front_end", ["mfcc", "filterbank", "spectrogram"])
def test_inputs_are_what_the_network_takes(small_recipe: Recipe, front_end: str):
    recipe = small_recipe.model_copy(update={"front_end": Part(name=front_end)})
    network = build_front_end(recipe)
    waveform = torch.from_numpy(generator(0, "noise").standard_normal(16000, dtype=np.float32))[None]
    stored, _ = network.fixed(waveform, torch.tensor([16000]))
    network.fit(stored)
    fitted = FittedNetwork(recipe, network, {"emotion": EMOTIONS}, None)  # type: ignore[arg-type]
    (values,) = fitted.inputs([stored[0].numpy()])
    taken = network(waveform, torch.tensor([16000]))[0][0]
    assert len(values) == len(stored[0])
    time_first = taken.movedim(-1, 0) if network.layout == "image" else taken
    np.testing.assert_allclose(values, time_first[: len(values)].numpy())


def test_the_inputs_of_an_svm_are_its_vectors(svm_folder: Path):
    fitted, _ = load_fitted(svm_folder)
    assert [values.tolist() for values in fitted.inputs(vectors(2))] == [values.tolist() for values in vectors(2)]


def test_an_utterance_is_the_mean_of_its_pieces(small_recipe: Recipe):
    made = network(small_recipe)
    (values,) = sequences(1, bands=39)
    values = np.concatenate([values] * 5)
    cuts = [(0, 40), (40, 100)]
    expected = made.posteriors([values[start:end] for start, end in cuts]).mean(axis=0)
    made.front_end.pieces = lambda length, training: cuts  # type: ignore[method-assign]
    np.testing.assert_allclose(made.posteriors([values])[0], expected, atol=1e-6)


def test_a_network_of_another_shape_than_its_recipe_is_refused(folder: Path):
    change_recipe(folder, "network", lstm=9)
    assert "do not fit config.json" in sentence(folder)


@pytest.mark.parametrize("kept", [0, 7, 100, 0.5, 0.99])
def test_a_truncated_model_is_refused(folder: Path, kept: float):
    path = folder / "model.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if kept < 1 else int(kept)])
    assert "model.safetensors: this is not a complete model" in sentence(folder)


def test_a_model_without_its_parts_is_refused(folder: Path):
    for name in ("model.safetensors", "config.json"):
        (folder / name).unlink()
        assert name in sentence(folder)
    shutil.rmtree(folder)
    assert "there is no recognizer here" in sentence(folder)


class Touch:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_nothing_pickled_is_loaded(folder: Path, tmp_path: Path, file: str):
    trace = tmp_path / "trace"
    (folder / file).write_bytes(pickle.dumps(Touch(trace)))
    sentence(folder)
    assert not trace.exists()


@pytest.mark.parametrize("key", ["front_end", "network", "method"])
@pytest.mark.parametrize("name", ["os:system", "../../secret", "/bin/sh", "mfcc\nx", "__import__('os')", ""])
def test_a_part_is_only_what_is_registered(folder: Path, key: str, name: str):
    change_recipe(folder, key, name=name)
    assert "config.json, recipe" in sentence(folder)


def test_a_term_or_a_classifier_is_only_what_is_registered(folder: Path, svm_folder: Path):
    change_recipe(folder, "terms.emotion", kind="subprocess:call")
    assert 'there is no term "subprocess:call"' in sentence(folder)
    change_recipe(svm_folder, "classifier", name="builtins:eval")
    assert 'there is no classifier "builtins:eval"' in sentence(svm_folder)


@pytest.mark.parametrize(
    "changes", [{"code": "1"}, {"front_end": None}, {"network": None}, {"training": {"epochs": 0}}, {"name": "../x"}]
)
def test_a_wrong_recipe_is_refused(folder: Path, changes: dict):
    change_recipe(folder, "", **changes)
    assert "config.json, recipe: " in sentence(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2}, {"format": None}, {"recipe": None}, {"recipe": []}, {"vocabularies": None},
        {"vocabularies": ["emotion"]}, {"vocabularies": {}}, {"vocabularies": {"emotion": "angry"}},
        {"vocabularies": {"emotion": 3}}, {"vocabularies": {"emotion": [1, 2, 3]}},
        {"vocabularies": {"emotion": ["sad"]}},
        {"vocabularies": {"emotion": ["angry", "sad"]}}, {"trained_on": None}, {"trained_on": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_config_is_refused(folder: Path, svm_folder: Path, changes: dict):
    for wrong in (folder, svm_folder):
        change_config(wrong, **changes)
        assert "config.json" in sentence(wrong)


@pytest.mark.parametrize("text", ["", "[]", "3", "null", "{", "\ud800", "[" * 100_000], ids=lambda text: repr(text[:5]))
def test_a_config_that_is_no_mapping_is_refused(folder: Path, text: str):
    (folder / "config.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert "config.json: this is not" in sentence(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"network.tdnn1.bias": None},
        {"network.tdnn1.bias": np.zeros(9, np.float32)},
        {"network.tdnn1.bias": np.zeros((), np.float32)},
        {"another": np.zeros(1, np.float32)},
        {"front_end.mean": None},
        {"front_end.mean": np.zeros(3, np.float32)},
        {"front_end.another": np.zeros(3, np.float32)},
    ],
    ids=lambda changes: str(list(changes)),
)
def test_numbers_that_do_not_fit_the_network_are_refused(folder: Path, changes: dict):
    change_tensors(folder, changes)
    assert "do not fit config.json" in sentence(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"classifier.mean": None},
        {"classifier.mean": np.zeros(3)},
        {"classifier.weights": np.zeros(88)},
        {"classifier.weights": np.zeros((2, 88))},
        {"classifier.weights": np.zeros((2, 88)), "classifier.intercepts": np.zeros(2)},
        {"classifier.weights": np.zeros((3, 5)), "classifier.mean": np.zeros(5), "classifier.scale": np.zeros(5)},
        {"classifier.intercepts": np.zeros(())},
        {"classifier.cost": np.zeros(0)},
        {"classifier.cost": None},
    ],
    ids=lambda changes: str(list(changes)),
)
def test_numbers_that_do_not_fit_the_svm_are_refused(svm_folder: Path, changes: dict):
    change_tensors(svm_folder, changes)
    assert "do not fit config.json" in sentence(svm_folder)


def test_a_type_of_number_that_numpy_lacks_is_refused(folder: Path):
    header = json.dumps({"x": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    assert "model.safetensors" in sentence(folder)
