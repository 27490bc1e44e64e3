"""Searches: what may be searched, what is tried next, and what is said about the edges."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest

from unheard.errors import InputError
from unheard.recipe import Recipe
from unheard.studies.tuning.search import STARTUP, Range, Search

CGT = Recipe.load("tdnn-cgt")
MIXED = {
    "method.epsilon": {"low": 0.1, "high": 10, "log": True},
    "network.lstm": {"low": 8, "high": 64},
    "optimizer.name": ["sgd", "adam"],
    "network.channels": [[8, 8], [16, 8]],
}


def check(values: dict[Any, Any], recipe: Recipe = CGT) -> Search:
    return Search.check(values, recipe, "here")


def sentence(values: dict[Any, Any], recipe: Recipe = CGT) -> str:
    with pytest.raises(InputError) as problem:
        check(values, recipe)
    return str(problem.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "here: nothing is to be searched"),
        ({"method.epsilom": [1]}, 'here, method: there is no key "epsilom"; did you mean "epsilon"?'),
        ({"metod.epsilon": [1]}, 'here: there is no key "metod"; did you mean "method"?'),
        ({1: [1]}, 'here: there is no key "1"'),
        ({"method.epsilon": [1, -1]}, '"epsilon" is -1; it should be greater than'),
        ({"method.epsilon": 1}, "it should be a list of values, as [0.1, 1, 10], or a range"),
        ({"method.epsilon": []}, "it should be a list of values"),
        ({"method.epsilon": [1, 2, 1]}, "has the value 1 twice"),
        ({"method.epsilon": {"low": 1}}, 'here, method.epsilon: the key "high" is missing'),
        ({"method.epsilon": {"low": 1, "hihg": 2}}, 'the key "high" is missing'),
        ({"method.epsilon": {"low": 1, "high": 2, "lgo": True}}, 'there is no key "lgo"; did you mean "low"?'),
        ({"method.epsilon": {"low": 2, "high": 1}}, "a range goes up, and this one goes from 2 to 1"),
        ({"method.epsilon": {"low": 0, "high": 1, "log": True}}, "a logarithmic range lies above 0"),
        ({"method.epsilon": {"low": 0.1, "high": math.inf}}, '"high" is inf; it should be a finite number'),
        ({"network.lstm": {"low": 1.5, "high": 4}}, '"lstm" is 1.5; it should be a valid integer'),
        ({"network.dropout": {"low": 0.5, "high": 2}}, '"dropout" is 2.0; it should be less than 1'),
        ({"optimizer.nesterov": {"low": 0, "high": 1}}, '"optimizer.nesterov" is no number'),
        ({"name": ["a", "b"]}, '"name" cannot be searched'),
        ({"training.select": ["ua", "wa"]}, '"training.select" cannot be searched'),
        ({"name.x": [1]}, '"name.x" goes into "name", which holds no keys'),
        ({"optimizer.momentum": [0.9, 0], "optimizer.nesterov": [False, True]}, "nesterov needs a momentum above 0"),
    ],
)
def test_what_cannot_be_searched_gets_one_sentence(values: dict[Any, Any], said: str):
    assert said in sentence(values)


def test_a_classical_recipe_has_no_dev_score():
    assert "a classical model learns from the dev speakers too" in sentence({}, Recipe.load("egemaps-svm"))


def test_a_search_is_the_same_after_writing_and_reading():
    assert check(check(MIXED).to_dict()) == check(MIXED)


def test_a_grid_tries_every_combination_once_and_ends():
    search = check({"method.epsilon": [0.5, 1], "optimizer.momentum": [0, 0.9], "optimizer.nesterov": [False]})
    assert search.is_grid(4)
    tried: list[dict[str, Any]] = []
    while (values := search.propose(tried, [0.0] * len(tried), 4)) is not None:
        tried.append(values)
    assert [tuple(values.values()) for values in tried] == [
        (0.5, 0, False), (0.5, 0.9, False), (1, 0, False), (1, 0.9, False),
    ]  # fmt: skip


def test_true_and_one_are_two_values_of_a_grid():
    search = Search({"a": (1, True)})
    assert search.propose([{"a": 1}], [0.0], 2) == {"a": True}


def run(search: Search, trials: int, score: Any) -> list[dict[str, Any]]:
    tried: list[dict[str, Any]] = []
    for _ in range(trials):
        values = search.propose(tried, [score(each) for each in tried], trials)
        assert values is not None
        tried.append(values)
    return tried


def test_what_is_drawn_lies_in_the_lists_and_ranges_and_comes_once():
    tried = run(check(MIXED), 15, lambda values: values["method.epsilon"])
    for values in tried:
        assert list(values) == list(MIXED)
        assert 0.1 <= values["method.epsilon"] <= 10
        assert isinstance(values["network.lstm"], int)
        assert 8 <= values["network.lstm"] <= 64
        assert values["optimizer.name"] in MIXED["optimizer.name"]
        assert values["network.channels"] in MIXED["network.channels"]
        CGT.changed(values, "drawn")
    assert len({str(values) for values in tried}) == 15


def test_the_sampler_learns_from_the_scores():
    search = check({"method.epsilon": {"low": 0.01, "high": 100, "log": True}})

    def far(values: dict[str, Any]) -> float:
        return abs(math.log10(values["method.epsilon"] / 2))

    tried = run(search, 30, lambda values: -far(values))
    random, learned = tried[:STARTUP], tried[20:]
    assert sum(map(far, learned)) / len(learned) < 0.5 * sum(map(far, random)) / len(random)


def test_what_comes_next_depends_on_the_trials_alone():
    search = check(MIXED)
    tried = run(search, 12, lambda values: values["network.lstm"])
    scores = [values["network.lstm"] for values in tried]
    for number in (3, 11):
        again = check(MIXED).propose(tried[:number], scores[:number], 12)
        assert again == tried[number]
    other = search.propose(tried[:5], [0.0] * 5, 12)
    assert other == tried[5]  # at random still, so that trials need not wait for each other


def test_a_search_ends_where_there_are_no_other_values():
    search = check({"network.lstm": {"low": 8, "high": 9}})
    assert search.propose([{"network.lstm": 8}, {"network.lstm": 9}], [0.0, 0.0], 20) is None


def test_a_list_longer_than_the_trials_is_no_grid():
    search = check({"method.epsilon": [1, 2, 3]})
    assert search.is_grid(3)
    assert not search.is_grid(2)
    assert not check(MIXED).is_grid(1000)


@pytest.mark.parametrize(
    ("part", "value", "side"),
    [
        ([0.5, 1, 2], 0.5, "lower"),
        ([2, 0.5, 1], 2, "upper"),
        ([0.5, 1, 2], 1, None),
        ([0.5], 0.5, None),
        ({"low": 0.1, "high": 10, "log": True}, 0.12, "lower"),
        ({"low": 0.1, "high": 10, "log": True}, 9.9, "upper"),
        ({"low": 0.1, "high": 10, "log": True}, 1, None),
        ({"low": 0.1, "high": 10}, 0.3, "lower"),
    ],
)
def test_a_best_value_at_an_end_is_said(part: Any, value: float, side: str | None):
    said = check({"method.epsilon": part}).edges({"method.epsilon": value}, CGT)
    if side is None:
        assert said == []
    else:
        assert said == [
            f"the best method.epsilon, {value:g}, lies at the {side} end of what was searched "
            f"({'0.5 to 2' if isinstance(part, list) else '0.1 to 10'}): values beyond it may be better"
        ]


@pytest.mark.parametrize(
    ("key", "part", "value"),
    [
        ("network.dropout", [0, 0.5], 0),
        ("network.lstm", {"low": 1, "high": 64}, 1),
        ("optimizer.nesterov", [False, True], True),
        ("optimizer.name", ["adam", "sgd"], "adam"),
    ],
)
def test_nothing_is_said_where_nothing_lies_beyond(key: str, part: Any, value: Any):
    assert check({key: part}).edges({key: value}, CGT) == []


def test_without_optuna_a_grid_works_and_the_rest_gets_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert check({"method.epsilon": [1, 2]}).propose([], [], 2) == {"method.epsilon": 1}
    with pytest.raises(InputError, match=r"pip install 'unheard\[tune\]'"):
        check(MIXED).propose([], [], 2)


def test_a_range_knows_where_a_value_lies():
    assert Range(low=2, high=4).share(3) == 0.5
