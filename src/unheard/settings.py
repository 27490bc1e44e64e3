"""Settings of a part are the keyword arguments of its class: one place to write them, checked before anything runs."""

from __future__ import annotations

import inspect
import reprlib
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from unheard.errors import InputError, did_you_mean


@cache
def settings_of(part: type) -> type[BaseModel]:
    """A pydantic model of the keyword-only arguments of a class.

    >>> class Part:
    ...     def __init__(self, shape: int, *, width: int = 64): ...
    >>> settings_of(Part)().model_dump()
    {'width': 64}
    """
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(part, eval_str=True).parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[name] = (parameter.annotation, default)
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)
    return create_model(part.__name__, __config__=config, **fields)


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
        path = ".".join(map(str, problem["loc"]))
        if problem["type"] == "extra_forbidden":
            known = _fields_at(model, problem["loc"][:-1])
            raise InputError(
                f'{where}: there is no key "{path}"; {did_you_mean(str(problem["loc"][-1]), known)}'
            ) from None
        if problem["type"] == "missing":
            raise InputError(f'{where}: the key "{path}" is missing') from None
        if problem["type"] == "value_error":
            raise InputError(f"{where}: {problem['ctx']['error']}") from None
        expected = problem["msg"].partition(" should ")[2] or problem["msg"]
        raise InputError(f'{where}: "{path}" is {reprlib.repr(problem["input"])}; it should {expected}') from None


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    for key in location:
        annotation = model.model_fields[str(key)].annotation if str(key) in model.model_fields else None
        inner = [kind for kind in (annotation, *getattr(annotation, "__args__", ())) if isinstance(kind, type)]
        model = next((kind for kind in inner if issubclass(kind, BaseModel)), model)
    return list(model.model_fields)
