"""A recipe: front end + network + method + terms + optimiser, or front end + classifier, in one YAML file."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from unheard.errors import InputError, did_you_mean
from unheard.frontends import FRONT_ENDS
from unheard.methods import CLASSIFIERS, METHODS, TERMS
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks import NETWORKS
from unheard.registry import Registry
from unheard.settings import checked, settings_of

#: Names become folders, and names of terms parts of other names.
Name = Annotated[str, Field(pattern=r"^\w[\w.+-]*$")]
TermName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


#: Keys that mean nothing to a classical recipe.
OF_NETWORKS = frozenset({"network", "method", "terms", "optimizer", "training"})


class Part(BaseModel):
    """A part by its registered name, with its settings beside the name."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that were written."""
        return dict(self.__pydantic_extra__ or {})


class TermPart(BaseModel):
    """A term: what kind it is, and its settings beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str = "classification"

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that were written."""
        return dict(self.__pydantic_extra__ or {})


class Training(BaseModel):
    """How long, in what batches, and by what the best epoch is chosen on the dev speakers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: PositiveInt = 100
    batch_size: int = Field(32, ge=2)
    select: Literal["ua", "wa", "last"] = "ua"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"


class Recipe(BaseModel):
    """Everything that makes one recognizer out of a fold.

    Either a network (``network``, ``method``, ``terms``, ``optimizer``, ``training``) or a classical model
    (``classifier``). The term called ``emotion`` is the one whose posteriors are reported.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    about: str
    source: str = ""
    front_end: Part
    classifier: Part | None = None
    network: Part | None = None
    method: Part = Part(name="descent")
    terms: dict[TermName, TermPart] = Field(default_factory=dict)
    optimizer: OptimizerSettings = OptimizerSettings()
    training: Training = Training()

    @model_validator(mode="after")
    def _one_of_both(self) -> Recipe:
        if (self.network is None) == (self.classifier is None):
            found = "neither" if self.network is None else "both"
            raise ValueError(f"a recipe has either a network or a classifier, and this one has {found}")
        if self.network is not None:
            emotion = self.terms.get("emotion")
            if emotion is None or emotion.settings.get("column", "emotion") != "emotion":
                raise ValueError('one of the terms must be "emotion", with "column: emotion"')
            if "." in emotion.settings.get("tap", ""):
                raise ValueError('the term "emotion" reads a tap of the network: in use there is no other term')
        return self

    @classmethod
    def load(cls, name_or_file: str | Path, overrides: Iterable[str] = ()) -> Recipe:
        """A built-in recipe by name, or any YAML file; ``overrides`` are ``dotted.key=value``.

        Those of a network's keys leave a classical recipe as it is, so that both can be studied together. What a file
        says under ``search`` is no part of the recipe, see :func:`search_of`.

        Raises:
            InputError: there is none, or a key or value in it is wrong.
        """
        values, where = _written(name_or_file)
        values.pop("search", None)
        for override in overrides:
            if "classifier" not in values or override.partition("=")[0].split(".")[0] not in OF_NETWORKS:
                _override(values, override, where)
        return cls.check(values, where)

    @classmethod
    def check(cls, values: dict[str, Any], where: str) -> Recipe:
        """A recipe from its values, every part's settings checked and completed with their defaults."""
        recipe = checked(cls, values, where)
        assert isinstance(recipe, Recipe)
        parts: dict[str, Any] = {"front_end": _completed(FRONT_ENDS, recipe.front_end, where, "front_end")}
        layout, takes = FRONT_ENDS[recipe.front_end.name].layout, ("vector",)
        if recipe.classifier is not None:
            parts["classifier"] = _completed(CLASSIFIERS, recipe.classifier, where, "classifier")
        if recipe.network is not None:
            parts["network"] = _completed(NETWORKS, recipe.network, where, "network")
            takes = NETWORKS[recipe.network.name].layouts
            parts["method"] = _completed(METHODS, recipe.method, where, "method")
            parts["terms"] = {
                name: TermPart(kind=term.kind, **_settings(TERMS, term.kind, term.settings, f"{where}, terms.{name}"))
                for name, term in recipe.terms.items()
            }
        if layout not in takes:
            model = recipe.classifier or recipe.network
            assert model is not None
            raise InputError(
                f'{where}: "{model.name}" takes {" or ".join(takes)} features, but the front end '
                f'"{recipe.front_end.name}" gives {layout} features'
            )
        return recipe.model_copy(update=parts)

    def changed(self, values: Mapping[str, Any], where: str) -> Recipe:
        """This recipe with other values, by their dotted keys.

        Raises:
            InputError: a key or value is wrong; the sentence starts with ``where``.
        """
        changed = self.to_dict()
        for key, value in values.items():
            _put(changed, key, copy.deepcopy(value), where)
        return Recipe.check(changed, where)

    def value(self, key: str) -> Any:
        """What stands under a dotted key, or None.

        >>> Recipe.load("tdnn").value("optimizer.momentum")
        0.9
        """
        found: Any = self.to_dict()
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values, complete: what :meth:`check` reads back. A classical model has nothing of a network's."""
        unused = set() if self.classifier is None else set(OF_NETWORKS)
        return self.model_dump(mode="json", exclude_none=True, exclude=unused)

    def to_yaml(self) -> str:
        """The recipe as a file, every setting written out."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)


def search_of(name_or_file: str | Path) -> dict[str, Any]:
    """What a recipe's file says under ``search``: the keys that ``unheard tune`` varies, and over what.

    It is no part of the recipe: two files that differ in nothing else are the same recipe. See
    :class:`unheard.studies.tuning.search.Search`.
    """
    values, where = _written(name_or_file)
    search = values.get("search") or {}
    if not isinstance(search, dict):
        raise InputError(f'{where}: "search" is a mapping of keys to lists or ranges of values')
    return search


def recipe_names() -> list[str]:
    """The built-in recipes."""
    folder = resources.files("unheard") / "recipes"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def _written(name_or_file: str | Path) -> tuple[dict[str, Any], str]:
    text, where = _text(name_or_file)
    values = parse_yaml(text, where)
    if not isinstance(values, dict):
        raise InputError(f"{where}: a recipe is a mapping of keys to values")
    return values, where


def _text(name_or_file: str | Path) -> tuple[str, str]:
    path = Path(name_or_file)
    if path.suffix in {".yaml", ".yml"}:
        if not path.is_file():
            raise InputError(f"{path}: there is no such recipe file; `unheard recipes` lists the built-in ones")
        try:
            return path.read_text(encoding="utf-8"), str(path)
        except UnicodeDecodeError:
            raise InputError(f"{path}: this is not text in UTF-8; a recipe is a YAML file") from None
    names = recipe_names()
    if str(name_or_file) not in names:
        raise InputError(f'there is no recipe "{name_or_file}"; {did_you_mean(str(name_or_file), names)}')
    file = resources.files("unheard") / "recipes" / f"{name_or_file}.yaml"
    return file.read_text(encoding="utf-8"), f"recipe {name_or_file}"


def parse_yaml(text: str, where: str) -> Any:
    """What a text in YAML holds; ``where`` it is from starts the sentence when it is none."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{where}: this is not YAML ({' '.join(str(error).split())})") from error


def _override(values: dict[str, Any], override: str, where: str) -> None:
    path, equals, value = override.partition("=")
    if not equals:
        raise InputError(f'"{override}" is not an override; write it as key=value, for example training.epochs=2')
    _put(values, path, parse_yaml(value, f'the override "{override}"'), where)


def _put(values: dict[str, Any], path: str, value: Any, where: str) -> None:
    *parents, last = path.split(".")
    for key in parents:
        inner = values.setdefault(key, {})
        if not isinstance(inner, dict):
            raise InputError(f'{where}: "{path}" goes into "{key}", which holds no keys')
        values = inner
    values[last] = value


def _completed(registry: Registry, part: Part, where: str, key: str) -> Part:
    return Part(name=part.name, **_settings(registry, part.name, part.settings, f"{where}, {key}"))


def _settings(registry: Registry, name: str, values: dict[str, Any], where: str) -> dict[str, Any]:
    try:
        part = registry[name]
    except InputError as problem:
        raise InputError(f"{where}: {problem}") from None
    return checked(settings_of(part), values, where).model_dump(mode="json")
