"""What ``unheard tune`` searches: lists and ranges of values for a recipe's keys, and which to try next.

A search is data, in a recipe's file under ``search`` or on the command line::

    search:
      method.epsilon: [0.1, 0.5, 1, 2, 5, 10]
      terms.speaker.reverse.strength: {low: 0.03, high: 1, log: true}
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, model_validator

from unheard.errors import InputError
from unheard.recipe import Recipe
from unheard.seeds import derive
from unheard.settings import checked

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

#: A value for each key that is searched.
Values = dict[str, Any]

#: So many trials are drawn at random before the sampler learns from them.
STARTUP = 10
#: So often a new draw is made where one was tried already; then no other values are thought to be left.
DRAWS = 100
#: So many combinations of values are checked before anything runs.
COMBINATIONS = 2_000
#: A value in this share of a range, from either end, lies at its edge.
EDGE = 0.05
#: Keys that say nothing of learning, or by what trials are judged.
NOT_SEARCHED = ("name", "about", "source", "training.select")


class Range(BaseModel):
    """Numbers from ``low`` to ``high``, drawn uniformly, or uniformly in their logarithm.

    Whole numbers where the recipe has one under that key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _goes_up(self) -> Range:
        if self.low >= self.high:
            raise ValueError(f"a range goes up, and this one goes from {self.low:g} to {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range lies above 0, and this one starts at {self.low:g}")
        return self

    def share(self, value: float) -> float:
        """Where a value lies between the ends, 0 to 1.

        >>> round(Range(low=0.01, high=100, log=True).share(1), 6)
        0.5
        """
        low, high, here = ((math.log(x) if self.log else x) for x in (self.low, self.high, value))
        return (here - low) / (high - low)


@dataclass(frozen=True)
class Search:
    """A list or a range of values for each of some keys of a recipe.

    Attributes:
        parts: what is searched, by dotted key.
        integers: the keys whose numbers are whole.
    """

    parts: dict[str, tuple[Any, ...] | Range]
    integers: frozenset[str] = frozenset()

    @classmethod
    def check(cls, values: Mapping[str, Any], recipe: Recipe, where: str) -> Search:
        """A search from plain values.

        Raises:
            InputError: there is nothing to search, or a key, a value or two values together do not fit the recipe.
        """
        if recipe.classifier is not None:
            raise InputError(
                f"recipe {recipe.name}: a classical model learns from the dev speakers too and chooses its settings by "
                "itself, so there is no dev score to tune it by"
            )
        if not values:
            raise InputError(
                f"{where}: nothing is to be searched; write for example --search 'training.epochs=[20, 50]'"
            )
        parts = {str(key): _part(str(key), value, where) for key, value in values.items()}
        ends = {key: (part.low, part.high) if isinstance(part, Range) else part for key, part in parts.items()}
        for combination in _combinations(ends):
            recipe.changed(combination, where)
        first = recipe.changed({key: choices[0] for key, choices in ends.items()}, where)
        kinds = {key: type(first.value(key)) for key in parts}
        for key, part in parts.items():
            if isinstance(part, Range) and kinds[key] not in (int, float):
                raise InputError(f'{where}: "{key}" is no number, so it has no range; give a list of values')
        return cls(parts, frozenset(key for key, kind in kinds.items() if kind is int))

    def to_dict(self) -> dict[str, Any]:
        """Plain values: what :meth:`check` reads back."""
        return {key: part.model_dump() if isinstance(part, Range) else list(part) for key, part in self.parts.items()}

    def is_grid(self, trials: int) -> bool:
        """Whether the search has lists only, with no more combinations than trials: then all are tried in turn."""
        lists = [part for part in self.parts.values() if not isinstance(part, Range)]
        return len(lists) == len(self.parts) and math.prod(map(len, lists)) <= trials

    def propose(self, tried: Sequence[Values], scores: Sequence[float], trials: int) -> Values | None:
        """Values that were not tried yet, or None where there are no others.

        A grid goes on with its next combination. Otherwise Optuna's tree-structured Parzen estimator (Bergstra et al.
        2011, NeurIPS) learns from the trials so far, after :data:`STARTUP` at random. The answer depends on the
        arguments alone, so that a search that was interrupted proposes what it would have proposed.

        Args:
            tried: the values of all trials so far.
            scores: theirs, in the same order; nobody looks at them before :data:`STARTUP` trials.
            trials: how many there will be.
        """
        seen = {_text(values) for values in tried}
        drawn: Iterator[Values]
        if self.is_grid(trials):
            lists = [part for part in self.parts.values() if not isinstance(part, Range)]
            drawn = (dict(zip(self.parts, point, strict=True)) for point in product(*lists))
        else:
            known = list(zip(tried, scores, strict=True)) if len(tried) >= STARTUP else []
            drawn = (self._draw(known, (len(tried), attempt)) for attempt in range(DRAWS))
        return next((values for values in drawn if _text(values) not in seen), None)

    def _draw(self, known: Sequence[tuple[Values, float]], names: tuple[int, ...]) -> Values:
        optuna = require_optuna()
        seed = derive(0, "search", *names) % 2**32
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, multivariate=True)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        distributions = {key: self._distribution(key) for key in self.parts}
        for values, score in known:
            inner = {key: self._inner(key, value) for key, value in values.items()}
            study.add_trial(optuna.trial.create_trial(params=inner, distributions=distributions, value=score))
        return {key: self._outer(key, value) for key, value in study.ask(distributions).params.items()}

    def _distribution(self, key: str) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        part = self.parts[key]
        if not isinstance(part, Range):
            return CategoricalDistribution(range(len(part)))  # values may be lists, which Optuna has not
        if key in self.integers:
            return IntDistribution(int(part.low), int(part.high), log=part.log)
        return FloatDistribution(part.low, part.high, log=part.log)

    def _inner(self, key: str, value: Any) -> Any:
        part = self.parts[key]
        return value if isinstance(part, Range) else [_text(choice) for choice in part].index(_text(value))

    def _outer(self, key: str, value: Any) -> Any:
        part = self.parts[key]
        if not isinstance(part, Range):
            return part[value]
        return value if key in self.integers else min(max(float(f"{value:.3g}"), part.low), part.high)

    def edges(self, best: Values, recipe: Recipe) -> list[str]:
        """A sentence for each key whose best value lies at an end of what was searched, if the recipe allows more."""
        sentences = []
        for key, value in best.items():
            found = _end(self.parts[key], value)
            if found is None:
                continue
            side, low, high = found
            end, sign = (low, -1) if side == "lower" else (high, 1)
            beyond = end + sign * (1 if key in self.integers else 1e-3 * (abs(end) or 1))
            try:
                recipe.changed(best | {key: beyond}, "")
            except InputError:
                continue  # there is nothing beyond: a dropout below 0
            sentences.append(
                f"the best {key}, {value:g}, lies at the {side} end of what was searched ({low:g} to {high:g}): "
                "values beyond it may be better"
            )
        return sentences


def require_optuna() -> ModuleType:
    """The library, silenced.

    Raises:
        InputError: it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise InputError(
            "a search other than a grid of at most --trials combinations needs the library Optuna: "
            "pip install 'unheard[tune]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _part(key: str, value: Any, where: str) -> tuple[Any, ...] | Range:
    if key in NOT_SEARCHED:
        raise InputError(f'{where}: "{key}" cannot be searched; give it one value, as key=value')
    if isinstance(value, dict):
        made = checked(Range, value, f"{where}, {key}")
        assert isinstance(made, Range)
        return made
    if not isinstance(value, list) or not value:
        raise InputError(
            f'{where}: "{key}" is {value!r}; it should be a list of values, as [0.1, 1, 10], or a range, as '
            "{low: 0.1, high: 10, log: true}"
        )
    for index, choice in enumerate(value):
        if _text(choice) in map(_text, value[:index]):
            raise InputError(f'{where}: "{key}" has the value {choice!r} twice')
    return tuple(value)


def _combinations(choices: Mapping[str, Sequence[Any]]) -> Iterator[Values]:
    """Each value of each key with the first ones of the others, and then as many combinations as time allows."""
    first = {key: values[0] for key, values in choices.items()}
    each = (first | {key: value} for key, values in choices.items() for value in values)
    every = (dict(zip(choices, values, strict=True)) for values in product(*choices.values()))
    return chain(each, islice(every, COMBINATIONS))


def _end(part: tuple[Any, ...] | Range, value: Any) -> tuple[str, float, float] | None:
    """``lower`` or ``upper`` and both ends, where a value lies at one of them."""
    if isinstance(part, Range):
        share = part.share(value)
        side = "lower" if share <= EDGE else "upper" if share >= 1 - EDGE else None
        return (side, part.low, part.high) if side else None
    if len(part) < 2 or not all(isinstance(choice, int | float) and not isinstance(choice, bool) for choice in part):
        return None
    low, high = min(part), max(part)
    return ("lower", low, high) if value == low else ("upper", low, high) if value == high else None


def _text(value: Any) -> str:
    """A value in writing: what is written alike is the same, and 1 is not true."""
    return json.dumps(value, sort_keys=True, default=str)
