"""Settings of a part are the keyword arguments of its class: one place to write them, checked before anything runs."""

from __future__ import annotations

import inspect
import reprlib
from functools import cache
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from unheard.errors import InputError, did_you_mean


@cache
def settings_of(part: type) -> type[BaseModel]:
    """A pydantic model of the keyword-only arguments of a class, and of its base where it passes ``**others`` on.

    >>> class Part:
    ...     def __init__(self, shape: int, *, width: int = 64): ...
    >>> class Wider(Part):
    ...     def __init__(self, shape: int, *, height: int = 8, **others): ...
    >>> settings_of(Part)().model_dump(), settings_of(Wider)().model_dump()
    ({'width': 64}, {'height': 8, 'width': 64})
    """
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)
    return create_model(part.__name__, __config__=config, **_fields(part))


def _fields(part: type) -> dict[str, Any]:
    parameters = inspect.signature(part, eval_str=True).parameters.values()
    fields: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[parameter.name] = (parameter.annotation, default)
    passes_on = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    others = _fields(part.__mro__[1]) if passes_on else {}
    return fields | {name: field for name, field in others.items() if name not in fields}


def make(part: type, settings: dict[str, Any], *arguments: Any) -> Any:
    """An instance of a class from plain settings, as they stand in a recipe or a saved model."""
    return part(*arguments, **dict(settings_of(part).model_validate(settings)))


def checked(model: type[BaseModel], values: dict[str, Any], where: str) -> BaseModel:
    """``values`` as an instance of ``model``.

    Raises:
        InputError: the first thing that is wrong, with its key, what was expected and the nearest right name.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        path = _dotted(values, problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = _fields_at(model, problem["loc"][:-1])
            raise InputError(
                f'{where}: there is no key "{path}"; {did_you_mean(str(problem["loc"][-1]), known)}'
            ) from None
        if problem["type"] == "missing":
            raise InputError(f'{where}: the key "{path}" is missing') from None
        if problem["type"] == "value_error":
            raise InputError(f"{where}: {problem['ctx']['error']}") from None
        if problem["type"] in ("tuple_type", "list_type") and isinstance(problem["input"], dict):
            # What a dotted key makes where there is no list.
            raise InputError(f'{where}: there is no "{path}.{next(iter(problem["input"]), "")}"') from None
        expected = problem["msg"].partition(" should ")[2] or problem["msg"]
        raise InputError(f'{where}: "{path}" is {reprlib.repr(problem["input"])}; it should {expected}') from None


def _dotted(values: Any, location: tuple[int | str, ...]) -> str:
    """The dotted key of a place; one of a list goes by its name."""
    words = []
    for key in location:
        try:
            values = values[key]
        except (KeyError, IndexError, TypeError):  # a key that is missing, or of a model inside
            values = None
        named = isinstance(key, int) and isinstance(values, dict) and "name" in values
        words.append(str(values["name"] if named else key))
    return ".".join(words)


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    for key in location:
        annotation = model.model_fields[str(key)].annotation if str(key) in model.model_fields else None
        inner = [kind for kind in (annotation, *getattr(annotation, "__args__", ())) if isinstance(kind, type)]
        model = next((kind for kind in inner if issubclass(kind, BaseModel)), model)
    return list(model.model_fields)


def put(values: Any, path: str, value: Any, where: str) -> None:
    """Set what stands under a dotted key of nested values; one of a list goes by its name.

    >>> values = {"stages": [{"name": "voices"}]}
    >>> put(values, "stages.voices.training.epochs", 3, "here")
    >>> values
    {'stages': [{'name': 'voices', 'training': {'epochs': 3}}]}
    """
    *parents, last = path.split(".")
    for key in parents:
        inner = values.setdefault(key, {}) if isinstance(values, dict) else inside(values, key)
        if inner is None and isinstance(values, list):
            raise InputError(f'{where}: "{path}" names "{key}", and there is none of that name')
        if not isinstance(inner, dict | list):
            raise InputError(f'{where}: "{path}" goes into "{key}", which holds no keys')
        values = inner
    if isinstance(values, list):
        raise InputError(f'{where}: "{path}" ends at one of a list; name a key of it, as in {path}.training.epochs')
    values[last] = value


def inside(values: Any, key: str) -> Any:
    """What stands under a key, or that of a list which has this name; None where there is none."""
    if isinstance(values, list):
        return next((one for one in values if isinstance(one, dict) and one.get("name") == key), None)
    return values.get(key) if isinstance(values, dict) else None


def parse_yaml(text: str, where: str) -> Any:
    """What a text in YAML holds; ``where`` it is from starts the sentence when it is none."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{where}: this is not YAML ({' '.join(str(error).split())})") from error
