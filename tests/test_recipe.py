"""Recipes: every built-in one, what overrides do, and what is said where something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from trees.encoders import random_encoder
from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.recipe import Recipe, recipe_names
from unheard.training.fitted import build_front_end, build_model

WORDS = Vocabulary("any", ("a", "b"))


def sentence(name: str | Path, *overrides: str) -> str:
    with pytest.raises(InputError) as problem:
        Recipe.load(name, overrides)
    return str(problem.value)


def test_there_are_recipes():
    assert {"tdnn", "tdnn-dat", "tdnn-mtl", "egemaps-svm", "compare-svm"} <= set(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
def test_a_built_in_recipe_is_called_like_its_file_and_says_what_it_is(name: str):
    recipe = Recipe.load(name)
    assert recipe.name == name
    assert recipe.about.endswith(".")
    assert "\n" not in recipe.about


@pytest.mark.parametrize("name", recipe_names())
def test_a_built_in_recipe_can_be_built(name: str):
    recipe = Recipe.load(name, random_encoder(name))
    front_end = build_front_end(recipe)
    if recipe.network is not None:
        model = build_model(recipe, front_end, dict.fromkeys(recipe.terms, WORDS))
        assert list(model.terms) == list(recipe.terms)


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_is_the_same_after_writing_and_reading(name: str, tmp_path: Path):
    recipe = Recipe.load(name)
    file = tmp_path / "recipe.yaml"
    file.write_text(recipe.to_yaml(), encoding="utf-8")
    assert Recipe.load(file) == recipe
    assert Recipe.load(str(file)).to_dict() == recipe.to_dict()


def test_every_setting_is_written_out():
    written = yaml.safe_load(Recipe.load("tdnn-dat").to_yaml())
    assert written["front_end"]["bands"] == 23
    assert written["network"] == {
        "name": "tdnn_lstm", "channels": [128, 64], "lstm": 64, "width": 256, "dropout": 0.5,
    }  # fmt: skip
    assert written["terms"]["speaker"]["reverse"] == {"schedule": "dann", "strength": 1.0}
    assert "reverse" not in written["terms"]["emotion"]


def test_nothing_is_written_where_something_is_the_default(tmp_path: Path):
    recipe = Recipe.load("tdnn-cgt", ["method.clip=null"])
    file = tmp_path / "recipe.yaml"
    file.write_text(recipe.to_yaml(), encoding="utf-8")
    assert yaml.safe_load(file.read_text(encoding="utf-8"))["method"]["clip"] is None
    assert Recipe.load(file) == recipe


def test_a_classical_recipe_has_nothing_of_a_network():
    assert set(Recipe.load("egemaps-svm", ["training.epochs=2"]).to_dict()) == {
        "name", "about", "source", "front_end", "classifier",
    }  # fmt: skip


def test_an_override_reaches_any_key():
    recipe = Recipe.load(
        "tdnn-dat",
        ["training.epochs=2", "terms.speaker.reverse.schedule=constant", "network.channels=[8, 4]", "name=mine",
         "terms.gender.column=gender", "optimizer.learning_rate=1e-2", "front_end.normalize=global"],
    )  # fmt: skip
    assert (recipe.name, recipe.training.epochs, recipe.optimizer.learning_rate) == ("mine", 2, 0.01)
    assert recipe.terms["speaker"].settings["reverse"] == {"schedule": "constant", "strength": 1.0}
    assert recipe.terms["gender"].settings["hidden"] == [64, 64]
    assert recipe.network.settings["channels"] == [8, 4]
    assert recipe.front_end.settings["normalize"] == "global"
    assert Recipe.load("tdnn-dat").training.epochs == 100


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("training.epochs", "is not an override; write it as key=value"),
        ("training.epochs=[2", 'the override "training.epochs=[2": this is not YAML'),
        ("training.epochs=x", '"training.epochs" is \'x\'; it should be a valid integer'),
        ("training.epochs=0", '"training.epochs" is 0; it should be greater than 0'),
        ("training.epoch=2", 'there is no key "training.epoch"; did you mean "epochs"?'),
        ("training.batch_size=1", '"training.batch_size" is 1; it should be greater than or equal to 2'),
        ("epochs=2", 'there is no key "epochs"; it is one of name'),
        ("name.x=2", 'goes into "name", which holds no keys'),
        ("name=../x", '"name" is \'../x\'; it should match pattern'),
        ("name=a/b", '"name" is \'a/b\'; it should match pattern'),
        ("name=", '"name" is None; it should be a valid string'),
        ("front_end=mfcc", '"front_end" is \'mfcc\'; it should be a valid dictionary'),
        ("front_end.name=mffc", 'recipe tdnn, front_end: there is no front end "mffc"; did you mean "mfcc"?'),
        ("front_end.name=os:system", 'there is no front end "os:system"'),
        ("front_end.name=opensmile", '"tdnn_lstm" takes sequence features, but the front end "opensmile" gives vector'),
        ("front_end.band=2", 'recipe tdnn, front_end: there is no key "band"; did you mean "bands"?'),
        ("network.lstm=0", 'recipe tdnn, network: "lstm" is 0; it should be greater than 0'),
        ("network.dropout=1", '"dropout" is 1; it should be less than 1'),
        ("network.channels=[8]", 'the key "channels.1" is missing'),
        ("training.dev=learn", "dev speakers that are learned from choose no epoch: write training.select=last"),
        ("network=null", "a recipe has either a network or a classifier, and this one has neither"),
        ("classifier.name=linear_svm", "a recipe has either a network or a classifier, and this one has both"),
        ("terms=null", '"terms" is None; it should be a valid dictionary'),
        ("terms={}", 'one of the terms must be "emotion", with "column: emotion"'),
        ("terms.emotion.tap=speaker.hidden", 'the term "emotion" reads a tap of the network'),
        ("terms.emotion.column=speaker", 'one of the terms must be "emotion", with "column: emotion"'),
        ("terms.emotion.weight=-1", 'recipe tdnn, terms.emotion: "weight" is -1; it should be greater than or equal'),
        ("terms.emotion.hidden=[-1]", '"hidden.0" is -1; it should be greater than 0'),
        ("terms.emotion.reverse.schedule=x", "\"reverse.schedule\" is 'x'; it should be 'constant' or 'dann'"),
        ("terms.x.kind=clasification", 'recipe tdnn, terms.x: there is no term "clasification"; did you mean'),
        ("terms.x={}", 'recipe tdnn, terms.x: the key "column" is missing'),
        ("terms.a/b.column=speaker", "is 'a/b'; it should match pattern"),
        ("optimizer.name=lion", "\"optimizer.name\" is 'lion'; it should be 'sgd', 'adam' or 'adamw'"),
        ("optimizer.learning_rate=.inf", '"optimizer.learning_rate" is inf; it should be a finite number'),
        ("method.name=ascent", 'recipe tdnn, method: there is no method "ascent"'),
    ],
)  # fmt: skip
def test_a_wrong_override_gets_one_sentence(override: str, said: str):
    assert said in sentence("tdnn", override)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a recipe is a mapping of keys to values"),
        (b"- tdnn\n", "a recipe is a mapping of keys to values"),
        (b"name: a\n\tabout: b\n", "this is not YAML"),
        (b"\xff\xfe\x00", "this is not text in UTF-8"),
        (b"[" * 2_000, "this is not YAML"),
        (b"1: 2\n", 'the key "name" is missing'),
        (b"name: a\nabout: b\n", 'the key "front_end" is missing'),
        (b"name: a\nabout: b\nfront_end: {bands: 3}\n", 'the key "front_end.name" is missing'),
        (b"name: a\nabout: b\nfront_end: {name: mfcc}\n", "this one has neither"),
        (b"name: a\nabout: b\nfront_end: {name: mfcc}\nclassifier: {name: linear_svm}\n", "takes vector features"),
        (b"name: a\nabout: b\nfront_end: {name: opensmile}\nclassifier: {name: linear_svm, costs: []}\n",
         '"costs" is []; it should have at least 1 item'),
    ],
)  # fmt: skip
def test_a_wrong_file_gets_one_sentence_with_its_name(tmp_path: Path, content: bytes, said: str):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    assert sentence(file).startswith(str(file))
    assert said in sentence(file)


def test_a_recipe_executes_nothing(tmp_path: Path):
    file, trace = tmp_path / "mine.yaml", tmp_path / "trace"
    file.write_text(
        f"name: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{trace}']]\n"
    )
    assert "this is not YAML" in sentence(file)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tdn", 'there is no recipe "tdn"; did you mean "tdnn"?'),
        ("/etc/passwd", 'there is no recipe "/etc/passwd"; it is one of'),
        ("../recipes/tdnn", 'there is no recipe "../recipes/tdnn"'),
        ("mine.yaml", "mine.yaml: there is no such recipe file"),
    ],
)
def test_a_recipe_that_is_not_there_gets_one_sentence(name: str, said: str):
    assert sentence(name).startswith(said)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["auxiliary.speakers=60"], "how the auxiliary data is used is missing; write auxiliary.use=join"),
        (["auxiliary.use=mix"], "\"auxiliary.use\" is 'mix'; it should be 'join' or 'alternate'"),
        (["auxiliary.speakers=-1"], '"auxiliary.speakers" is -1'),
        (["method.name=speaker_normalization", "terms.speaker.column=speaker", "auxiliary.use=join"],
         'the method "speaker_normalization" takes its second batch from the auxiliary data; leave auxiliary.use out'),
        (["stages=[{name: a}]"], 'the key "stages.a.data" is missing'),
        (["stages=[{name: a, data: train, epochs: 3}]"], 'there is no key "stages.a.epochs"; it is one of name, data'),
        (["stages=[{name: a, data: train}, {name: a, data: both}]"], "two stages have the same name (a, a)"),
        (["stages=[{name: a, data: train, terms: {x: {column: y, tapp: z}}}]"],
         'recipe tdnn, stage a, terms.x: there is no key "tapp"; did you mean "tap"?'),
        (["stages=[{name: a, data: both, terms: {x: {column: y, data: train}}}]"],
         'the data of the stage "a" are those of its term "x" too'),
        (["stages=[{name: a, data: train}]", "stages.b.training.epochs=3"], 'names "b", and there is none of that'),
        (["stages.b.training.epochs=3"], 'there is no "stages.b"'),
        (["stages=[{name: a, data: train}]", "stages.a=3"], "ends at one of a list; name a key of it"),
        (["optimizer.schedule=plateau", "training.select=last"], "the schedule plateau follows a score"),
        (["stages=[{name: a, data: train, training: {select: last}, optimizer: {schedule: plateau}}]"],
         "the schedule plateau follows a score"),
        (["terms.x={column: gender, data: train}", "terms.y={column: gender}"],
         'all terms on the column "gender" learn from the same "data"'),
        (["terms.emotion.optional=true"], 'the term "emotion" is not optional'),
        (["terms.emotion.data=auxiliary"], 'the term "emotion" is not optional'),
    ],
)  # fmt: skip
def test_auxiliary_data_and_stages_that_cannot_be(overrides: list[str], said: str):
    assert said in sentence("tdnn", *overrides)


def test_a_stage_has_what_it_does_not_say_from_the_recipe():
    recipe = Recipe.load(
        "tdnn",
        ["stages=[{name: a, data: train}, {name: b, data: both, terms: {x: {column: y, optional: true}}}]",
         "stages.b.training.epochs=3", "training.epochs=7", "auxiliary.use=join"],
    )  # fmt: skip
    first, second = map(recipe.of_stage, recipe.stages)
    assert (first.training.epochs, second.training.epochs) == (7, 3)
    assert list(first.terms) == ["emotion"]
    assert second.terms["x"].settings["hidden"] == [64, 64]
    assert first.auxiliary is None
    assert not second.stages
    assert recipe.value("stages.b.training.epochs") == 3
    assert recipe.takes_auxiliary
    assert not Recipe.load("tdnn").takes_auxiliary


def test_a_tap_that_is_not_there_gets_one_sentence():
    recipe = Recipe.load("tdnn", ["terms.emotion.tap=embeding"])
    with pytest.raises(InputError, match='there is no tap "embeding" to read "emotion" from; did you mean "embedding"'):
        build_model(recipe, build_front_end(recipe), {"emotion": WORDS})


def test_a_networks_overrides_leave_a_classical_recipe_alone():
    plain = Recipe.load("egemaps-svm")
    changed = Recipe.load("egemaps-svm", ["network.lstm=8", "training.epochs=2", "terms.emotion.dropout=0"])
    assert changed.to_dict() == plain.to_dict()
    assert Recipe.load("egemaps-svm", ["classifier.inner_folds=3"]).to_dict() != plain.to_dict()
