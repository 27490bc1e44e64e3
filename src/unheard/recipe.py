"""A recipe: front end + network + method + terms + optimiser, or front end + classifier, in one YAML file."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_serializer, model_validator

from unheard.errors import InputError, did_you_mean
from unheard.frontends import FRONT_ENDS
from unheard.methods import CLASSIFIERS, METHODS, TERMS
from unheard.methods.optimizer import OptimizerSettings
from unheard.networks import NETWORKS
from unheard.registry import Registry
from unheard.settings import checked, inside, parse_yaml, put, settings_of

#: Names become folders, and names of terms parts of other names.
Name = Annotated[str, Field(pattern=r"^\w[\w.+-]*$")]
TermName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


#: Keys that mean nothing to a classical recipe.
OF_NETWORKS = frozenset({"network", "method", "terms", "optimizer", "training", "auxiliary", "stages"})

#: The training part of a fold, the auxiliary data, or both.
Data = Literal["train", "auxiliary", "both"]


class Part(BaseModel):
    """A part by its registered name, with its settings beside the name."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that were written."""
        return dict(self.__pydantic_extra__ or {})

    @model_serializer
    def _with_nothing_left_out(self) -> dict[str, Any]:
        return dict(self)


class TermPart(BaseModel):
    """A term: what kind it is, whose labels it learns, whether it may be missing, and its settings beside these.

    Where its column is missing or has fewer than two classes in ``data``, an ``optional`` term is dropped, and any
    other is an error. The labels of utterances outside ``data`` are missing to it.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str = "classification"
    data: Data = "both"
    optional: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that were written."""
        return dict(self.__pydantic_extra__ or {})

    @model_serializer
    def _with_nothing_left_out(self) -> dict[str, Any]:
        return dict(self)


class Training(BaseModel):
    """How long, in what batches, and what the dev speakers are for.

    They ``choose`` the epoch by ``select``, or show how it goes where the ``last`` one is taken. Once they have chosen
    the settings, a study may ``learn`` from them too, as a classical model does; a search never does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: PositiveInt = 100
    batch_size: int = Field(32, ge=2)
    select: Literal["ua", "wa", "last"] = "ua"
    dev: Literal["choose", "learn"] = "choose"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"


class Auxiliary(BaseModel):
    """How auxiliary data, which has no emotion labels, takes part in training.

    ``join``: a batch of it is put together with every emotion batch, of the same size. ``alternate``: a batch of it is
    learned after every emotion batch. A method that needs a second batch takes it from there by itself. ``speakers``
    are drawn by the seed of the run; all where no number is given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: Literal["join", "alternate"] | None = None
    speakers: NonNegativeInt | None = None


class Stage(BaseModel):
    """A training before the recipe's own, which starts from its weights.

    Front end and network are the recipe's, and so is what is not given here. ``network`` holds settings that are others
    in this stage, such as which parts are trained; tensors that change their shape by it are not taken over.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    data: Data
    network: dict[str, Any] = Field(default_factory=dict)
    method: Part | None = None
    terms: dict[TermName, TermPart] | None = None
    optimizer: OptimizerSettings | None = None
    training: Training | None = None


class Recipe(BaseModel):
    """Everything that makes one recognizer out of a fold.

    Either a network (``network``, ``method``, ``terms``, ``optimizer``, ``training``) or a classical model
    (``classifier``). The term called ``emotion`` is the one whose posteriors are reported. ``stages`` are done first,
    in their order.
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
    auxiliary: Auxiliary | None = None
    stages: tuple[Stage, ...] = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> Recipe:
        if (self.network is None) == (self.classifier is None):
            found = "neither" if self.network is None else "both"
            raise ValueError(f"a recipe has either a network or a classifier, and this one has {found}")
        if self.network is not None:
            emotion = self.terms.get("emotion")
            if emotion is None or emotion.settings.get("column", "emotion") != "emotion":
                raise ValueError('one of the terms must be "emotion", with "column: emotion"')
            if self.training.dev == "learn" and self.training.select != "last":
                raise ValueError("dev speakers that are learned from choose no epoch: write training.select=last")
            if "." in emotion.settings.get("tap", ""):
                raise ValueError('the term "emotion" reads a tap of the network: in use there is no other term')
            if emotion.optional or emotion.data == "auxiliary":
                raise ValueError('the term "emotion" is not optional, and its labels are those of the training part')
        return self

    @model_validator(mode="after")
    def _stages_fit(self) -> Recipe:
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError(f"two stages have the same name ({', '.join(names)})")
        for part in (self, *map(self.of_stage, self.stages)):
            if part.optimizer.schedule == "plateau" and part.training.select == "last":
                raise ValueError("the schedule plateau follows a score; write training.select=ua, or wa")
            data: dict[str, Data] = {}
            for term in part.terms.values():
                column = term.settings.get("column")
                if column is not None and data.setdefault(column, term.data) != term.data:
                    raise ValueError(f'all terms on the column "{column}" learn from the same "data"')
        for stage in self.stages:
            for name, term in (stage.terms or {}).items():
                if term.data != "both":
                    raise ValueError(f'the data of the stage "{stage.name}" are those of its term "{name}" too')
        return self

    @property
    def learns_dev(self) -> bool:
        """Whether the dev speakers of a fold, once they have chosen the settings, are learned from like the others."""
        return self.classifier is not None or self.training.dev == "learn"

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
            parts["terms"] = _completed_terms(recipe.terms, where)
            parts["stages"] = tuple(_completed_stage(stage, recipe.network, where) for stage in recipe.stages)
            _check_auxiliary(recipe, where)
        if layout not in takes:
            model = recipe.classifier or recipe.network
            assert model is not None
            raise InputError(
                f'{where}: "{model.name}" takes {" or ".join(takes)} features, but the front end '
                f'"{recipe.front_end.name}" gives {layout} features'
            )
        return recipe.model_copy(update=parts)

    @property
    def uses_auxiliary(self) -> bool:
        """Whether auxiliary data takes part in the recipe's own training, its stages aside."""
        return (self.auxiliary is not None and self.auxiliary.use is not None) or self.second_batch

    @property
    def takes_auxiliary(self) -> bool:
        """Whether auxiliary data takes part at all."""
        return self.uses_auxiliary or any(stage.data != "train" for stage in self.stages)

    @property
    def second_batch(self) -> bool:
        """Whether the method needs a second batch."""
        return self.network is not None and bool(METHODS[self.method.name].second_batch)

    def of_stage(self, stage: Stage) -> Recipe:
        """What is trained in a stage, as a recipe: it need not have a term for the emotion."""
        terms = self.terms if stage.terms is None else stage.terms
        return self.model_copy(
            update={
                "name": stage.name,
                "network": self.network and self.network.model_copy(update=stage.network),
                "method": stage.method or self.method,
                "terms": {name: term.model_copy(update={"data": "both"}) for name, term in terms.items()},
                "optimizer": stage.optimizer or self.optimizer,
                "training": stage.training or self.training,
                "auxiliary": None,
                "stages": (),
            }
        )

    def with_terms(self, names: Iterable[str]) -> Recipe:
        """The recipe with these of its terms only."""
        return self.model_copy(update={"terms": {name: self.terms[name] for name in names}})

    def changed(self, values: Mapping[str, Any], where: str) -> Recipe:
        """This recipe with other values, by their dotted keys.

        Raises:
            InputError: a key or value is wrong; the sentence starts with ``where``.
        """
        changed = self.to_dict()
        for key, value in values.items():
            put(changed, key, copy.deepcopy(value), where)
        return Recipe.check(changed, where)

    def value(self, key: str) -> Any:
        """What stands under a dotted key, or None.

        >>> Recipe.load("tdnn").value("optimizer.momentum")
        0.9
        """
        found: Any = self.to_dict()
        for part in key.split("."):
            found = inside(found, part)
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


def _override(values: dict[str, Any], override: str, where: str) -> None:
    path, equals, value = override.partition("=")
    if not equals:
        raise InputError(f'"{override}" is not an override; write it as key=value, for example training.epochs=2')
    put(values, path, parse_yaml(value, f'the override "{override}"'), where)


def _completed(registry: Registry, part: Part, where: str, key: str) -> Part:
    return Part(name=part.name, **_settings(registry, part.name, part.settings, f"{where}, {key}"))


def _completed_terms(terms: Mapping[str, TermPart], where: str) -> dict[str, TermPart]:
    completed = {}
    for name, term in terms.items():
        settings = _settings(TERMS, term.kind, term.settings, f"{where}, terms.{name}")
        completed[name] = TermPart(kind=term.kind, data=term.data, optional=term.optional, **settings)
    return completed


def _completed_stage(stage: Stage, network: Part, where: str) -> Stage:
    where = f"{where}, stage {stage.name}"
    settings = _settings(NETWORKS, network.name, network.settings | stage.network, f"{where}, network")
    method = _completed(METHODS, stage.method, where, "method") if stage.method else None
    terms = None if stage.terms is None else _completed_terms(stage.terms, where)
    changed = {key: settings[key] for key in stage.network}
    return stage.model_copy(update={"network": changed, "method": method, "terms": terms})


def _check_auxiliary(recipe: Recipe, where: str) -> None:
    """A recipe says how it uses auxiliary data if, and only if, its method does not."""
    use = recipe.auxiliary.use if recipe.auxiliary else None
    if use and recipe.second_batch:
        raise InputError(
            f'{where}: the method "{recipe.method.name}" takes its second batch from the auxiliary data; '
            "leave auxiliary.use out"
        )
    if recipe.auxiliary and not recipe.takes_auxiliary:
        raise InputError(
            f"{where}: how the auxiliary data is used is missing; write auxiliary.use=join, or auxiliary.use=alternate"
        )


def _settings(registry: Registry, name: str, values: dict[str, Any], where: str) -> dict[str, Any]:
    try:
        part = registry[name]
    except InputError as problem:
        raise InputError(f"{where}: {problem}") from None
    model = settings_of(part)
    completed = checked(model, values, where).model_dump(mode="json")
    # "None" is written where it is not what is taken when nothing is.
    return {
        key: value
        for key, value in completed.items()
        if value is not None or model.model_fields[key].default is not None
    }
