"""What training yields: a fitted object with posteriors, saved as config.json and model.safetensors."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

import unheard
from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.frontends import FRONT_ENDS
from unheard.frontends.front_end import FrontEnd
from unheard.methods import CLASSIFIERS, METHODS, TERMS
from unheard.methods.classification import Classification
from unheard.methods.model import Model
from unheard.methods.segments import Segments
from unheard.networks import NETWORKS
from unheard.networks.network import Tap
from unheard.recipe import Recipe
from unheard.seeds import seeded
from unheard.settings import make
from unheard.training.batches import Items, evaluation_batches
from unheard.training.calibration import Calibration
from unheard.training.card import model_card
from unheard.training.limits import SPARE_VALUES, Bounded, check_names, check_size, check_values

if TYPE_CHECKING:
    from unheard.methods.svm import LinearSvm

Array = NDArray[np.float32]
FORMAT = 1


@dataclass(frozen=True)
class Inside:
    """What a network makes of utterances on the way to the emotion; frames and pieces are averaged.

    Attributes:
        deep: the deep feature, from which one last layer tells the emotion, [utterances, width]: the tap
            ``emotion.hidden``, the last hidden layer of the emotion's term, or what that term reads if it has none.
        attention: the tap ``attention``, [utterances, rows]; None where the network has no such tap.
        told: the posteriors of every further classification term, [utterances, its classes].
    """

    deep: Array
    attention: Array | None
    told: Mapping[str, Array]


class Fitted(ABC):
    """A recipe after training on one fold: from fixed features to posteriors over ``emotions``.

    What training yields is not calibrated; ``calibration`` is set by who has measured it on further speakers.
    """

    calibration = Calibration()

    def __init__(self, recipe: Recipe, front_end: FrontEnd, vocabularies: dict[str, Vocabulary]) -> None:
        self.recipe = recipe
        self.front_end = front_end
        self.vocabularies = vocabularies

    @property
    def emotions(self) -> tuple[str, ...]:
        """The classes, in the order of the posteriors."""
        return self.vocabularies["emotion"].classes

    def posteriors(self, features: Sequence[Array]) -> Array:
        """Fixed features of utterances [time, ...] → [utterances, emotions], calibrated."""
        return self.calibration.applied(self.raw_posteriors(features))

    @abstractmethod
    def raw_posteriors(self, features: Sequence[Array]) -> Array:
        """The same as the model gives them."""

    @abstractmethod
    def embeddings(self, features: Sequence[Array]) -> Array:
        """What the emotion is read from: [utterances, width]."""

    def inside(self, features: Sequence[Array]) -> Inside | None:
        """What a network makes of utterances [time, ...] besides these; None for a classical model."""
        return None

    def receptive_fields(self) -> Array | None:
        """What a network's first layer looks for, [kernels, time, frequency], where there is something to see."""
        return None

    def inputs(self, features: Sequence[Array]) -> list[Array]:
        """Fixed features of utterances → what the model takes of each, [time, ...], nothing drawn at random."""
        return [self._input(torch.from_numpy(np.array(values))[None]) for values in features]

    @torch.inference_mode()
    def _input(self, features: torch.Tensor) -> Array:
        drawn, lengths = self.front_end.draw(features, torch.tensor([features.shape[1]]))
        match self.front_end.layout:
            case "vector":
                item = drawn
            case "image":
                item = drawn[0].movedim(-1, 0)[: lengths[0]]
            case _:
                item = drawn[0, : lengths[0]]
        return np.asarray(item.numpy(), dtype=np.float32)

    @abstractmethod
    def tensors(self) -> dict[str, NDArray[Any]]:
        """Every number that inference needs, by name."""

    def saved_recipe(self) -> Recipe:
        """The recipe as it is saved: it names no file elsewhere, since the model holds what was in it."""
        values = {f"front_end.{key}": value for key, value in self.front_end.saved_settings.items()}
        return self.recipe.changed(values, "the saved recipe") if values else self.recipe

    def save(self, folder: Path, facts: dict[str, Any], card: str | None = None) -> None:
        """Write ``config.json`` (with ``facts`` about the training), ``model.safetensors`` and the card.

        Without ``card`` the card is made of the facts, which must then be those of a run.
        """
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.tensors(), folder / "model.safetensors")
        config = {
            "format": FORMAT,
            "unheard": unheard.__version__,
            "recipe": self.saved_recipe().to_dict(),
            "vocabularies": {
                name: list(words.classes) for name, words in self.vocabularies.items() if name == "emotion"
            },
            **({} if self.calibration == Calibration() else {"calibration": self.calibration.to_dict()}),
            "trained_on": facts,
        }
        (folder / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        card = model_card(self.recipe, self.emotions, facts) if card is None else card
        (folder / "README.md").write_text(card, encoding="utf-8")


class FittedNetwork(Fitted):
    """A network with its emotion term."""

    def __init__(
        self,
        recipe: Recipe,
        front_end: FrontEnd,
        vocabularies: dict[str, Vocabulary],
        model: Model,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(recipe, front_end, vocabularies)
        self.model = model
        self.device = device

    def saved_recipe(self) -> Recipe:
        """The recipe as it is saved, see :class:`Fitted`."""
        values = {f"network.{key}": value for key, value in self.model.network.saved_settings.items()}
        recipe = super().saved_recipe()
        return recipe.changed(values, "the saved recipe") if values else recipe

    def raw_posteriors(self, features: Sequence[Array]) -> Array:
        """Fixed features of utterances → [utterances, emotions]; pieces of an utterance are averaged."""
        return self._read(features, lambda taps: {"posteriors": _posteriors(taps, "emotion")})["posteriors"]

    def embeddings(self, features: Sequence[Array]) -> Array:
        """The tap that the emotion term reads, averaged over time and pieces: [utterances, width]."""
        name = self.model.term("emotion").tap
        return self._read(features, lambda taps: {"embeddings": taps[name].per_utterance()})["embeddings"]

    def hidden(self, features: Sequence[Array], term: str) -> Array:
        """The last hidden layer of a classification term, averaged over pieces: [utterances, width]."""
        terms = list(self.model.terms)
        return self._read(features, lambda taps: {"hidden": taps[f"{term}.hidden"].per_utterance()}, terms)["hidden"]

    def inside(self, features: Sequence[Array]) -> Inside:
        """The deep feature, the attention where there is one, and what further terms tell, in one pass."""
        terms = list(self.model.terms)
        further = [name for name in terms if name != "emotion" and isinstance(self.model.term(name), Classification)]

        def found(taps: dict[str, Tap]) -> dict[str, torch.Tensor]:
            deep = taps.get("emotion.hidden", taps[self.model.term("emotion").tap])
            attention = {"attention": taps["attention"].per_utterance()} if "attention" in taps else {}
            told = {f"{name}.posteriors": _posteriors(taps, name) for name in further}
            return {"deep": deep.per_utterance(), **attention, **told}

        read = self._read(features, found, terms)
        told = {name: read[f"{name}.posteriors"] for name in further}
        return Inside(read["deep"], read.get("attention"), told)

    @torch.inference_mode()
    def receptive_fields(self) -> Array | None:
        """The network's, see :class:`Fitted`."""
        kernels = self.model.network.receptive_fields()
        return None if kernels is None else np.asarray(kernels.float().cpu().numpy(), dtype=np.float32)

    @torch.inference_mode()
    def _read(
        self,
        features: Sequence[Array],
        what: Callable[[dict[str, Tap]], dict[str, torch.Tensor]],
        terms: Sequence[str] = ("emotion",),
    ) -> dict[str, Array]:
        """Each thing that is made of the taps of a batch [batch, width], as means over pieces [utterances, width]."""
        self.model.eval()
        items = Items.cut(self.front_end, features)
        rows: dict[str, list[torch.Tensor]] = {}
        for pieces, batch in evaluation_batches(items, self.front_end, self.recipe.training.batch_size):
            taps, _ = self.model(batch.to(self.device), terms=terms, losses=False)
            for name, values in what(taps).items():
                kept = rows.setdefault(name, [torch.empty(0)] * len(items))
                for piece, row in zip(pieces, values.float().cpu(), strict=True):
                    kept[piece] = row
        owners = torch.from_numpy(items.owner)
        counts = torch.bincount(owners, minlength=len(features))[:, None]
        found = {}
        for name, kept in rows.items():
            stacked = torch.stack(kept).double()
            sums = torch.zeros(len(features), stacked.shape[1], dtype=torch.double).index_add_(0, owners, stacked)
            found[name] = np.asarray((sums / counts).numpy(), dtype=np.float32)
        return found

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The front end's statistics, the network and the terms that tell the emotion."""
        kept = {f"front_end.{name}": value for name, value in self.front_end.state_dict().items()}
        parts = ("network.", *(f"terms.{name}." for name in kept_terms(self.recipe)))
        for name, value in self.model.state_dict().items():
            if name.startswith(parts):
                kept[name] = value
        return {name: np.ascontiguousarray(value.detach().cpu().numpy()) for name, value in kept.items()}


def _posteriors(taps: dict[str, Tap], term: str) -> torch.Tensor:
    return taps[f"{term}.logits"].values.softmax(dim=1)


class FittedClassifier(Fitted):
    """A classical model on one vector per utterance."""

    def __init__(
        self, recipe: Recipe, front_end: FrontEnd, vocabularies: dict[str, Vocabulary], classifier: LinearSvm
    ) -> None:
        super().__init__(recipe, front_end, vocabularies)
        self.classifier = classifier

    def raw_posteriors(self, features: Sequence[Array]) -> Array:
        """Fixed features of utterances → [utterances, emotions]."""
        return np.asarray(self.classifier.posteriors(self.embeddings(features)), dtype=np.float32)

    def embeddings(self, features: Sequence[Array]) -> Array:
        """The vector of each utterance."""
        return np.stack([values[0] for values in features])

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The classifier's numbers."""
        return {f"classifier.{name}": value for name, value in self.classifier.state().items()}


def build_front_end(recipe: Recipe) -> FrontEnd:
    """The recipe's front end, before any fit."""
    front_end: FrontEnd = make(FRONT_ENDS[recipe.front_end.name], recipe.front_end.settings)
    return front_end


def build_model(
    recipe: Recipe,
    front_end: FrontEnd,
    vocabularies: dict[str, Vocabulary],
    seed: int = 0,
    terms: Iterable[str] | None = None,
) -> Model:
    """The recipe's network with its terms (all, or those named), freshly initialised.

    ``vocabularies`` holds that of each term that has a column. Every part draws its first weights under its own name,
    so that adding a term leaves the others as they were.
    """
    assert recipe.network is not None
    with seeded(seed, "network"):
        network = make(NETWORKS[recipe.network.name], recipe.network.settings, front_end.shape)
    with seeded(seed, "method"):
        of_terms = {name: term.settings for name, term in recipe.terms.items()}
        network = METHODS[recipe.method.name].adapted(network, of_terms, recipe.method.settings)
    built = {}
    taps = dict(network.taps)
    for name in recipe.terms if terms is None else terms:
        term = recipe.terms[name]
        with seeded(seed, "term", name):
            built[name] = make(TERMS[term.kind], term.settings, taps, vocabularies.get(name))
        taps |= {f"{name}.{tap}": width for tap, width in built[name].taps.items()}
    return Model(network, built)


def kept_terms(recipe: Recipe) -> list[str]:
    """The terms that a recognizer keeps: that of the emotion, and those that tell it of every frame."""
    segments = [name for name, term in recipe.terms.items() if issubclass(TERMS[term.kind], Segments)]
    return ["emotion", *(name for name in segments if recipe.terms[name].settings["column"] == "emotion")]


def load_fitted(folder: str | Path) -> tuple[Fitted, dict[str, Any]]:
    """A saved model and the facts of its training, loaded without executing anything from the folder.

    Raises:
        InputError: a file is missing or is not what it must be.
    """
    folder = Path(folder)
    config = _config(folder)
    check_values(config["recipe"], f"{folder / 'config.json'}, recipe")
    recipe = Recipe.check(config["recipe"], f"{folder / 'config.json'}, recipe")
    _check_that_it_is_whole(folder, recipe)
    calibration = Calibration.check(config.get("calibration", {}), f"{folder / 'config.json'}, calibration")
    vocabularies = {"emotion": Vocabulary("emotion", tuple(config["vocabularies"]["emotion"]))}
    try:
        tensors = load_file(folder / "model.safetensors")
    except (OSError, SafetensorError, TypeError) as error:  # the last for numbers of a type that numpy lacks
        raise InputError(f"{folder / 'model.safetensors'}: this is not a complete model ({error})") from error
    restore = _restored_classifier if recipe.classifier is not None else _restored_network
    try:
        with Bounded(sum(value.size for value in tensors.values()) + SPARE_VALUES):
            fitted = restore(recipe, vocabularies, tensors)
    except Exception as error:  # whatever it is that a config from anywhere makes fail
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{folder}: the numbers in model.safetensors do not fit config.json ({reason})") from error
    fitted.calibration = calibration
    return fitted, config["trained_on"]


def _check_that_it_is_whole(folder: Path, recipe: Recipe) -> None:
    """A folder from anywhere does not make us read files, or fetch some."""
    for part, parts in ((recipe.front_end, FRONT_ENDS), (recipe.network, NETWORKS)):
        for key in () if part is None else parts[part.name].elsewhere:
            if part is not None and part.settings.get(key):
                raise InputError(
                    f'{folder / "config.json"}: "{key}" of {part.name} names something outside of this folder, '
                    "and a recognizer needs nothing else; train it again"
                )


def _restored_classifier(
    recipe: Recipe, vocabularies: dict[str, Vocabulary], tensors: dict[str, NDArray[Any]]
) -> FittedClassifier:
    assert recipe.classifier is not None
    front_end = build_front_end(recipe)
    classifier = CLASSIFIERS[recipe.classifier.name].from_state(
        {name.removeprefix("classifier."): value for name, value in tensors.items()}
    )
    emotions = len(vocabularies["emotion"])
    if classifier.shape != (emotions, *front_end.shape):
        raise InputError(f"it takes {classifier.shape[1]} values and tells {classifier.shape[0]} classes apart")
    return FittedClassifier(recipe, front_end, vocabularies, classifier)


def _restored_network(
    recipe: Recipe, vocabularies: dict[str, Vocabulary], tensors: dict[str, NDArray[Any]]
) -> FittedNetwork:
    front_end = build_front_end(recipe)
    kept = kept_terms(recipe)
    model = build_model(recipe, front_end, dict.fromkeys(kept, vocabularies["emotion"]), terms=kept)
    state = {name: torch.from_numpy(value) for name, value in tensors.items()}
    statistics = {name: state.pop(name) for name in list(state) if name.startswith("front_end.")}
    front_end.load_state_dict({name.removeprefix("front_end."): value for name, value in statistics.items()})
    model.load_state_dict(state)
    return FittedNetwork(recipe, front_end, vocabularies, model.eval())


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise InputError(f"{folder}: there is no recognizer here (no config.json); `unheard train` makes one")
    check_size(path)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: this is not JSON ({error})") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise InputError(f"{path}: this is not a recognizer of format {FORMAT}; train it again with this version")
    for key in ("recipe", "vocabularies", "trained_on"):
        if not isinstance(config.get(key), dict):
            raise InputError(f'{path}: "{key}" is missing or holds no keys; train the recognizer again')
    emotions = config["vocabularies"].get("emotion")
    if not isinstance(emotions, list) or len(emotions) < 2 or not all(isinstance(name, str) for name in emotions):
        raise InputError(f'{path}: "vocabularies.emotion" is not a list of emotions; train the recognizer again')
    check_names(emotions, f"{path}, vocabularies.emotion")
    return config
