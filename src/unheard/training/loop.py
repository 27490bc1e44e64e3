"""The training loop: one network, epoch by epoch, and what a checkpoint must hold of it."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from unheard.errors import InputError
from unheard.files import write_atomically
from unheard.methods import METHODS
from unheard.methods.averaging import mean_statistics
from unheard.methods.method import Method
from unheard.methods.model import Model
from unheard.metrics.classification import unweighted_accuracy, weighted_accuracy
from unheard.recipe import Recipe
from unheard.seeds import seeded
from unheard.settings import make
from unheard.training.auxiliary import Use, updates
from unheard.training.batches import Items, Share
from unheard.training.checkpoint import load_checkpoint, save_checkpoint
from unheard.training.devices import Devices, gathered
from unheard.training.fitted import Fitted, FittedNetwork, build_front_end, build_model
from unheard.training.labels import Labels
from unheard.training.plateau import Plateau
from unheard.training.split import Split

Scores = dict[str, float]
AnyRun = TypeVar("AnyRun", bound="NetworkRun")

#: What a run needs to go on where it was: where it is, and the weights of its best epoch, written when they change.
CHECKPOINT, BEST = "checkpoint.pt", "best.pt"


class DivergedError(InputError):
    """Training diverged before one epoch was done, so there is no model."""


class NetworkRun:
    """One network under training.

    Args:
        recipe: complete; its optional terms without labels are dropped.
        train: utterances to learn from, and those whose statistics the front end takes.
        dev: utterances that choose the epoch; without any the last epoch is taken.
        seed: of everything random.
        folder: of the run.
        device: ``cpu``, ``cuda`` or ``auto``, or several of a kind such as ``4xcuda``, see :func:`completed`.
        auxiliary: further utterances to learn from, without emotions.
        start: weights of another training, taken where name and shape are those of this model.
        fabric: the one of several devices that this is; the only device where it is left out.

    Raises:
        InputError: there is no such device, a term has no labels, or none of the weights to start from fits.
    """

    def __init__(
        self,
        recipe: Recipe,
        train: Split,
        dev: Split,
        seed: int,
        folder: Path,
        device: str,
        auxiliary: Split | None = None,
        start: Mapping[str, Tensor] | None = None,
        fabric: Fabric | None = None,
    ) -> None:
        self.devices = Devices.parse(device)
        self.fabric = fabric or self.devices.one(recipe.training.precision)
        self.share = Share(self.fabric.global_rank, self.fabric.world_size)
        self.labels = Labels.of(recipe, train, auxiliary)
        self.recipe = recipe.with_terms(name for name in recipe.terms if name not in self.labels.dropped)
        for name, reason in self.labels.dropped.items():
            self._say(f'{folder}: the optional term "{name}" is dropped: {reason}')
        self.vocabularies = self.labels.vocabularies
        self.seed, self.folder, self.dev = seed, folder, dev
        self.front_end = build_front_end(recipe)
        self.front_end.fit(torch.from_numpy(values.copy()) for values in train.features)
        features = [*train.features, *(auxiliary.features if auxiliary else [])]
        self.items = Items.cut(self.front_end, features, self.labels.numbers, training=True)
        self.own = int((self.items.owner < len(train)).sum())
        self.use: Use | None = None
        if recipe.second_batch:
            self.use = "beside"
        elif auxiliary and recipe.auxiliary:
            self.use = recipe.auxiliary.use
        self.method = self._method(start)
        self.plateau = Plateau(recipe.optimizer)
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None
        self.best_score = -math.inf

    def train(self) -> None:
        """All epochs that are not done yet.

        Raises:
            InputError: the schedule needs dev utterances, or a batch is too small for so many devices.
        """
        if self.plateau.settings.schedule == "plateau" and not self.judged:
            raise InputError(
                f"recipe {self.recipe.name}: the schedule plateau follows the score of utterances that are not learned "
                "from, and here are none; choose a protocol with dev speakers, or another schedule"
            )
        epochs, items = self.recipe.training.epochs, min(self.recipe.training.batch_size, self.own)
        if items < 2 * self.share.devices and self.share.devices > 1:
            raise InputError(
                f"recipe {self.recipe.name}: batches of {items} are too small for {self.share.devices} devices, which "
                "need two items each"
            )
        self.resume()
        start, first = len(self.history), self.fabric.is_global_zero
        writer = SummaryWriter(str(self.folder / "tensorboard"), purge_step=start) if first else None
        hidden = None if first else True
        with tqdm(total=epochs, initial=start, desc=self.recipe.name, unit="epoch", delay=2, disable=hidden) as bar:
            for epoch in range(start, epochs):
                if self.plateau.over:
                    break
                try:
                    scores = self._epoch(epoch)
                except FloatingPointError as problem:
                    self._say(f"{self.folder}: {problem}; the best epoch before is kept")
                    break
                if writer:
                    for name, value in scores.items():
                        writer.add_scalar(name, value, epoch)
                shown = ("dev_ua", "held_out_ua", "held_out_loss")
                bar.set_postfix({name: f"{scores[name]:.3f}" for name in shown if name in scores})
                bar.update()
        if writer:
            writer.close()
        if not self.history:
            raise DivergedError(f"recipe {self.recipe.name}: training diverged at once; lower optimizer.learning_rate")

    def take_chosen(self) -> None:
        """Give the model the weights of the best epoch, or of the last if none is judged."""
        self.module.load_state_dict(self.best or self._last())

    def fitted(self) -> FittedNetwork:
        """What comes out, with the weights that the model has now."""
        return FittedNetwork(self.recipe, self.front_end, self.vocabularies, self.module, self.fabric.device)

    @property
    def module(self) -> Model:
        """The network and its terms."""
        return self.method.module

    @property
    def judged(self) -> bool:
        """Whether there is something to judge an epoch by."""
        return len(self.dev) > 0

    def scores(self) -> Scores:
        """What is measured after an epoch."""
        if not self.judged:
            return {}
        predicted = predict_emotions(self.fitted(), self.dev)
        reference = self.dev.table["emotion"].tolist()
        return {
            "dev_wa": weighted_accuracy(reference, predicted),
            "dev_ua": unweighted_accuracy(reference, predicted),
        }

    def score(self, scores: Scores) -> float | None:
        """What chooses the epoch, higher is better; None where the last is taken."""
        return scores.get(f"dev_{self.recipe.training.select}")

    def _method(self, start: Mapping[str, Tensor] | None) -> Method:
        model = build_model(self.recipe, self.front_end, self.vocabularies, self.seed)
        if start is not None:
            self._start_from(start, model)
        for name, words in self.vocabularies.items():
            model.term(name).fit(words, torch.from_numpy(self.labels.numbers[words.column]))
        part = METHODS[self.recipe.method.name]
        method: Method = make(part, self.recipe.method.settings, model, self.recipe.optimizer, self.fabric)
        return method

    def _start_from(self, start: Mapping[str, Tensor], model: Model) -> None:
        own = model.state_dict()
        taken = {name: value for name, value in start.items() if name in own and own[name].shape == value.shape}
        if not any(name.startswith("network.") for name in taken):
            raise InputError(
                f"recipe {self.recipe.name}: none of the {len(start)} tensors of the stage before has the name and the "
                "shape of one of the network here, so there is nothing to start from; leave the stage out"
            )
        self._say(f"{self.folder}: starts from {len(taken)} of the stage's {len(start)} tensors, of {len(own)} here")
        model.load_state_dict(own | taken)

    def _say(self, sentence: str) -> None:
        """Once, however many devices there are: by the first of those that train."""
        if self.fabric.is_global_zero and self.share.devices == self.devices.count:
            tqdm.write(sentence)

    def _epoch(self, epoch: int) -> Scores:
        started = time.perf_counter()
        losses = self.train_epoch(epoch)
        measures = self.method.measures
        scores: Scores = {name if name in measures else f"loss.{name}": value for name, value in losses.items()}
        mean_statistics(self.fabric, self.module)
        scores |= gathered(self.fabric, self.scores())[0]  # one decides for all
        if self.plateau.settings.schedule == "plateau":
            scores["learning_rate"] = self.plateau.rate
        scores["seconds"] = time.perf_counter() - started
        self.history.append({"epoch": epoch} | scores)
        if self.plateau.falls(self._keep_best(self.score(scores))) and self.best is not None:
            self.method.go_back(self.best)
            self.method.rate_left = self.plateau.left
        self.save()
        return scores

    def train_epoch(self, epoch: int) -> Scores:
        """One pass over the training items; the mean of what the method returns.

        Raises:
            FloatingPointError: a mean is not finite, so the weights are worthless.
        """
        training = self.recipe.training
        sums: dict[str, list[float]] = {}
        self.method.start_epoch(epoch, training.epochs)
        steps = max(1, self.own // training.batch_size) * (2 if self.use == "alternate" else 1)
        with seeded(self.seed, *self.share.names("epoch", epoch)):
            batches = updates(
                self.items, self.own, self.use, self.front_end, training.batch_size, self.seed, epoch, self.share
            )
            for step, (batch, beside) in enumerate(batches):
                progress = min(1.0, (epoch + step / steps) / training.epochs)
                second = beside.to(self.fabric.device) if beside else None
                for name, loss in self.method.update(batch.to(self.fabric.device), second, progress).items():
                    sums.setdefault(name, []).append(loss)
        parts = gathered(self.fabric, sums)
        everything = {name: [value for part in parts for value in part.get(name, [])] for name in chain(*parts)}
        means = {name: sum(values) / len(values) for name, values in everything.items()}
        for name, mean in means.items():
            if not math.isfinite(mean):
                what = name if name in self.method.measures else f'the loss of the term "{name}"'
                raise FloatingPointError(f"{what} is {mean} in epoch {epoch}")
        return means

    def _keep_best(self, score: float | None) -> bool:
        """Keep the first epoch with the highest score; whether it is this one."""
        if score is None or score <= self.best_score:
            return False
        self.best, self.best_score = copy.deepcopy(self.module.state_dict()), score
        if self.fabric.is_global_zero:
            save_checkpoint(self.folder / BEST, self.best)
        return True

    def save(self) -> None:
        """Keep where the run is."""
        if not self.fabric.is_global_zero:
            return
        state = {
            "method": self.method.state_dict(),
            "best_score": self.best_score,
            "plateau": [self.plateau.left, self.plateau.waited],
            "history": self.history,
        }
        save_checkpoint(self.folder / CHECKPOINT, state)
        self._write_history()

    def resume(self) -> None:
        """Go on where the folder says that the run was."""
        state = load_checkpoint(self.folder / CHECKPOINT)
        if state is not None:
            self.method.load_state_dict(state["method"])
            self.best_score, self.history = state["best_score"], state["history"]
            self.plateau.left, self.plateau.waited = state["plateau"]
            self.method.rate_left = self.plateau.left
            self.best = load_checkpoint(self.folder / BEST)
            if self.fabric.is_global_zero:
                self._write_history()

    def _last(self) -> dict[str, Tensor]:
        """The model's state after the last epoch that is done: what came after it may have diverged."""
        state = load_checkpoint(self.folder / CHECKPOINT)
        assert state is not None
        weights: dict[str, Tensor] = state["method"]["model"]
        return weights

    def _write_history(self) -> None:
        lines: Iterable[str] = (json.dumps(row) for row in self.history)
        write_atomically(self.folder / "metrics.jsonl", "".join(f"{line}\n" for line in lines))


def completed(begin: Callable[..., AnyRun], device: str, precision: str) -> AnyRun:
    """A run with all of its epochs done and the weights of the chosen one.

    Several devices train in processes of their own, and leave what an interrupted run would leave after its last epoch;
    from there the run here goes on.

    Args:
        begin: makes the run; it can be pickled, and takes a ``fabric``.
        device: what the run was given.
        precision: of the recipe.
    """
    devices = Devices.parse(device)
    if devices.count > 1:
        devices.launch(precision, partial(_train_on_one, begin))
        run = begin()
        run.resume()
    else:
        run = begin()
        run.train()
    run.take_chosen()
    return run


def _train_on_one(begin: Callable[..., NetworkRun], fabric: Fabric) -> None:
    begin(fabric=fabric).train()


def predict_emotions(fitted: Fitted, split: Split) -> list[str]:
    """The most probable emotion of every utterance."""
    return [fitted.emotions[index] for index in fitted.posteriors(split.features).argmax(axis=1)]
