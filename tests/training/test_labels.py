"""Which labels a term learns: of whom, and what becomes of one that has none."""

from __future__ import annotations

import pandas as pd
import pytest

from unheard.errors import InputError
from unheard.recipe import Recipe
from unheard.training.labels import Labels
from unheard.training.split import Split

TRAIN = Split(
    pd.DataFrame({"emotion": ["sad", "angry", "sad"], "speaker": ["a", "b", None], "style": ["x", "x", None]}), []
)
FURTHER = Split(pd.DataFrame({"speaker": ["b", "c"], "gender": ["female", "male"]}), [])


def recipe(**terms: dict) -> Recipe:
    return Recipe.load("tdnn", [f"terms.{name}={values}" for name, values in terms.items()])


def test_classes_are_those_of_train_and_auxiliary_together():
    labels = Labels.of(recipe(speaker={"column": "speaker"}), TRAIN, FURTHER)
    assert labels.vocabularies["speaker"].classes == ("a", "b", "c")
    assert labels.numbers["speaker"].tolist() == [0, 1, -1, 1, 2]
    assert labels.numbers["emotion"].tolist() == [1, 0, 1, -1, -1]
    assert labels.dropped == {}


@pytest.mark.parametrize(
    ("data", "classes", "numbers"),
    [("train", ("a", "b"), [0, 1, -1, -1, -1]), ("auxiliary", ("b", "c"), [-1, -1, -1, 0, 1])],
)
def test_a_term_may_learn_from_one_of_them(data, classes, numbers):
    labels = Labels.of(recipe(speaker={"column": "speaker", "data": data}), TRAIN, FURTHER)
    assert labels.vocabularies["speaker"].classes == classes
    assert labels.numbers["speaker"].tolist() == numbers


@pytest.mark.parametrize(
    ("term", "why"),
    [
        ({"column": "language"}, 'recipe tdnn: the term "x" needs the column "language"'),
        ({"column": "style"}, 'has only "x" in the column "style"'),
        ({"column": "gender", "data": "train"}, 'no value in the column "gender" of the training data'),
    ],
)
def test_a_term_without_labels_is_an_error_unless_it_is_optional(term, why):
    with pytest.raises(InputError, match=why):
        Labels.of(recipe(x=term), TRAIN, FURTHER)
    labels = Labels.of(recipe(x=term | {"optional": True}, speaker={"column": "speaker"}), TRAIN, FURTHER)
    assert list(labels.dropped) == ["x"]
    assert why in labels.dropped["x"]
    assert list(labels.vocabularies) == list(labels.numbers) == ["emotion", "speaker"]


def test_labels_of_auxiliary_data_that_is_not_there():
    term = {"column": "speaker", "data": "auxiliary"}
    with pytest.raises(InputError, match='no value in the column "speaker" of the auxiliary data'):
        Labels.of(recipe(speaker=term), TRAIN)
    assert list(Labels.of(recipe(speaker=term | {"optional": True}), TRAIN).dropped) == ["speaker"]
