"""A recognizer with a pretrained encoder needs nothing from elsewhere, and another run can begin with its encoder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from trees.encoders import save_checkpoint
from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.networks.ssl_encoder import SslEncoder
from unheard.recipe import Recipe
from unheard.seeds import generator
from unheard.training.fitted import FittedNetwork, build_front_end, build_model, load_fitted

pytest.importorskip("transformers")

WORDS = {"emotion": Vocabulary("emotion", ("angry", "sad")), "speaker": Vocabulary("speaker", ("a", "b"))}
FACTS = {
    "corpus": "tiny", "corpus_hash": "0", "synthetic": False, "protocol": "speaker-folds:3",
    "speaker_independent": True, "fold": 1, "seed": 0, "test": {"n": 4, "wa": 0.5, "ua": 0.5},
}  # fmt: skip
PARTS = {"hubert-frozen": "front_end"}


def made(name: str, model: Path, *overrides: str) -> FittedNetwork:
    recipe = Recipe.load(name, [f"{PARTS.get(name, 'network')}.model={model}", *overrides])
    front_end = build_front_end(recipe)
    return FittedNetwork(recipe, front_end, WORDS, build_model(recipe, front_end, WORDS, seed=3).eval())


def features(fitted: FittedNetwork) -> list[np.ndarray]:
    draw = generator(0, "sounds")
    sounds = [torch.from_numpy(0.3 * draw.standard_normal((1, size), dtype=np.float32)) for size in (900, 400, 700)]
    found = [fitted.front_end.fixed(sound, torch.tensor([sound.shape[1]]))[0][0] for sound in sounds]
    return [values.numpy() for values in found]


@pytest.mark.parametrize(
    ("name", "kind", "overrides"),
    [
        ("hubert", "hubert large", []),
        ("hubert-snp", "hubert", []),
        ("hubert-tap-weighted", "wavlm large", []),
        ("speaker-probe", "whisper", []),
        ("hubert-frozen", "hubert", ["network.rows=4"]),
    ],
)
def test_a_recognizer_is_whole(tmp_path: Path, name: str, kind: str, overrides: list[str]):
    save_checkpoint(kind, tmp_path / "model")
    before = made(name, tmp_path / "model", *overrides)
    before.save(tmp_path / "recognizer", FACTS)
    shutil.rmtree(tmp_path / "model")
    assert str(tmp_path) not in (tmp_path / "recognizer" / "config.json").read_text()
    after, _ = load_fitted(tmp_path / "recognizer")
    np.testing.assert_array_equal(after.posteriors(features(after)), before.posteriors(features(before)))
    np.testing.assert_array_equal(after.embeddings(features(after)), before.embeddings(features(before)))
    after.save(tmp_path / "again", FACTS)
    assert (tmp_path / "again" / "config.json").read_text() == (tmp_path / "recognizer" / "config.json").read_text()


@pytest.mark.parametrize("name", ["hubert", "hubert-snp", "hubert-frozen"])
def test_an_encoder_is_read_from_a_recognizer_or_from_its_run(tmp_path: Path, name: str):
    save_checkpoint("hubert", tmp_path / "model")
    before = made(name, tmp_path / "model", *(["network.rows=4"] if name == "hubert-frozen" else []))
    source = before.front_end if name == "hubert-frozen" else before.model.network
    encoder = source.network.encoder if name == "hubert-snp" else source.encoder
    with torch.no_grad():
        encoder.model.encoder.layers[0].final_layer_norm.bias.add_(1)  # what training might do
    before.save(tmp_path / "run" / "recognizer", FACTS)
    for folder in (tmp_path / "run", tmp_path / "run" / "recognizer"):
        probe = SslEncoder((), model=str(folder), freeze="all")
        assert probe.encoder.digest() == encoder.digest()


def test_a_recognizer_without_an_encoder_gets_one_sentence(small_run: Path):
    with pytest.raises(InputError, match="this recognizer has no self-supervised encoder"):
        SslEncoder((), model=str(small_run))


@pytest.mark.parametrize(("name", "part"), [("hubert", "network"), ("hubert-frozen", "front_end")])
def test_a_recognizer_that_asks_for_something_else_is_refused(tmp_path: Path, name: str, part: str):
    save_checkpoint("hubert", tmp_path / "model")
    made(name, tmp_path / "model").save(tmp_path / "run", FACTS)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    settings = config["recipe"][part]
    config["recipe"][part] = {key: value for key, value in settings.items() if key not in ("architecture", "config")}
    config["recipe"][part] |= {"model": "somebody/else", "download": True}
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=f'"model" of {settings["name"]} names something outside of this folder'):
        load_fitted(tmp_path / "run")


def test_a_changed_recognizer_gets_one_sentence(tmp_path: Path):
    save_checkpoint("hubert", tmp_path / "model")
    made("hubert", tmp_path / "model").save(tmp_path / "run", FACTS)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    config["recipe"]["network"]["config"]["num_hidden_layers"] = 2
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"the numbers in model\.safetensors do not fit config\.json"):
        load_fitted(tmp_path / "run")
    with pytest.raises(InputError, match=r"encoder\.layers\.2\..* belongs to no part of this hubert encoder"):
        SslEncoder((), model=str(tmp_path / "run"))
