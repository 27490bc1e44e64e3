"""The training loop: from a recipe and the train and dev parts of a fold to a fitted object."""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.files import write_atomically
from unheard.frontends.front_end import FrontEnd
from unheard.methods import CLASSIFIERS, METHODS
from unheard.methods.method import Method
from unheard.metrics.classification import unweighted_accuracy, weighted_accuracy
from unheard.recipe import Recipe
from unheard.seeds import seeded
from unheard.settings import make
from unheard.training.batches import Items, training_batches
from unheard.training.checkpoint import load_checkpoint, save_checkpoint
from unheard.training.fitted import Fitted, FittedClassifier, FittedNetwork, build_front_end, build_model
from unheard.training.split import Split

Scores = dict[str, float]


class DivergedError(InputError):
    """Training diverged before one epoch was done, so there is no model."""


def fit(recipe: Recipe, train: Split, dev: Split, seed: int, folder: Path, device: str = "auto") -> Fitted:
    """Train a recipe on ``train``, choosing the epoch on ``dev``; picks up where ``folder`` says it was.

    Leaves ``metrics.jsonl``, ``tensorboard/`` and ``checkpoint.pt`` in ``folder``. An interrupted call, made again,
    gives the numbers of one that was never interrupted (on the same device and thread count).

    Args:
        recipe: complete.
        train: utterances to learn from; every statistic comes from them.
        dev: utterances that choose the epoch; without any the last epoch is taken. A classical model has no epochs:
            it learns from them too, and chooses its settings by inner speaker folds over both.
        seed: of everything random.
        folder: of the run.
        device: ``cpu``, ``cuda``, or ``auto``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if recipe.classifier is not None:
        return _fit_classifier(recipe, train.joined(dev))
    return NetworkRun(recipe, train, dev, seed, folder, device).run()


def _fit_classifier(recipe: Recipe, train: Split) -> FittedClassifier:
    assert recipe.classifier is not None
    vocabulary = Vocabulary.fit(train.table["emotion"], "emotion")
    classifier = make(CLASSIFIERS[recipe.classifier.name], recipe.classifier.settings)
    fitted = FittedClassifier(recipe, build_front_end(recipe), {"emotion": vocabulary}, classifier)
    classifier.fit(fitted.embeddings(train.features), vocabulary.encode(train.table["emotion"]), train.table["speaker"])
    return fitted


def term_vocabularies(recipe: Recipe, train: Split) -> dict[str, Vocabulary]:
    """The classes of every term's column in the training part."""
    vocabularies = {}
    for name, term in recipe.terms.items():
        column = term.settings.get("column")
        if column is not None:
            if column not in train.table:
                raise InputError(f'recipe {recipe.name}: the term "{name}" needs the column "{column}"')
            vocabularies[name] = Vocabulary.fit(train.table[column], column)
    return vocabularies


class NetworkRun:
    """One network under training, and what a checkpoint must hold of it."""

    def __init__(self, recipe: Recipe, train: Split, dev: Split, seed: int, folder: Path, device: str) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise InputError("there is no GPU here that PyTorch can use; take the device cpu or auto instead of cuda")
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
        self.recipe, self.seed, self.folder = recipe, seed, folder
        self.dev = dev
        self.vocabularies = term_vocabularies(recipe, train)
        self.front_end = build_front_end(recipe)
        self.front_end.fit(torch.from_numpy(values.copy()) for values in train.features)
        self.items = self._items(self.front_end, train)
        self.fabric = Fabric(accelerator=device, devices=1, precision=recipe.training.precision)
        self.method = self._method()
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None
        self.best_score = -1.0

    def run(self) -> FittedNetwork:
        """All epochs that are not done yet, then the best of all."""
        epochs = self.recipe.training.epochs
        self._resume()
        start = len(self.history)
        writer = SummaryWriter(str(self.folder / "tensorboard"), purge_step=start)
        with tqdm(total=epochs, initial=start, desc=self.recipe.name, unit="epoch", delay=2, disable=None) as bar:
            for epoch in range(start, epochs):
                try:
                    scores = self._epoch(epoch)
                except FloatingPointError as problem:
                    tqdm.write(f"{self.folder}: {problem}; the best epoch before is kept")
                    break
                for name, value in scores.items():
                    writer.add_scalar(name, value, epoch)
                bar.set_postfix({"dev UA": f"{scores.get('dev_ua', float('nan')):.3f}"})
                bar.update()
        writer.close()
        if self.best is None:
            raise DivergedError(f"recipe {self.recipe.name}: training diverged at once; lower optimizer.learning_rate")
        self.method.module.load_state_dict(self.best)
        return self._fitted()

    def _items(self, front_end: FrontEnd, train: Split) -> Items:
        labels = {words.column: words.encode(train.table[words.column]) for words in self.vocabularies.values()}
        return Items.cut(front_end, train.features, labels, training=True)

    def _method(self) -> Method:
        model = build_model(self.recipe, self.front_end, self.vocabularies, self.seed)
        for name, words in self.vocabularies.items():
            model.term(name).fit(words, torch.from_numpy(self.items.labels[words.column]))
        part = METHODS[self.recipe.method.name]
        method: Method = make(part, self.recipe.method.settings, model, self.recipe.optimizer, self.fabric)
        return method

    def _fitted(self) -> FittedNetwork:
        model = self.method.module
        return FittedNetwork(self.recipe, self.front_end, self.vocabularies, model, self.fabric.device)

    def _epoch(self, epoch: int) -> Scores:
        started = time.perf_counter()
        losses = self.train_epoch(epoch)
        scores: Scores = {f"loss.{name}": value for name, value in losses.items()}
        scores |= self._dev_scores()
        scores["seconds"] = time.perf_counter() - started
        self.history.append({"epoch": epoch} | scores)
        self._keep_best(scores)
        self.save()
        return scores

    def train_epoch(self, epoch: int) -> Scores:
        """One pass over the training items; the mean of each term's loss.

        Raises:
            FloatingPointError: a mean is not finite, so the weights are worthless.
        """
        training = self.recipe.training
        sums: dict[str, list[float]] = {}
        self.method.start_epoch(epoch, training.epochs)
        steps = max(1, len(self.items) // training.batch_size)
        with seeded(self.seed, "epoch", epoch):
            batches = training_batches(self.items, self.front_end, training.batch_size, self.seed, epoch)
            for step, batch in enumerate(batches):
                progress = min(1.0, (epoch + step / steps) / training.epochs)
                for name, loss in self.method.update(batch.to(self.fabric.device), progress=progress).items():
                    sums.setdefault(name, []).append(loss)
        means = {name: sum(values) / len(values) for name, values in sums.items()}
        for name, mean in means.items():
            if not math.isfinite(mean):
                raise FloatingPointError(f'the loss of the term "{name}" is {mean} in epoch {epoch}')
        return means

    def _dev_scores(self) -> Scores:
        if not len(self.dev):
            return {}
        fitted = self._fitted()
        predicted = predict_emotions(fitted, self.dev)
        reference = self.dev.table["emotion"].tolist()
        return {
            "dev_wa": weighted_accuracy(reference, predicted),
            "dev_ua": unweighted_accuracy(reference, predicted),
        }

    def _keep_best(self, scores: Scores) -> None:
        """Keep the first epoch with the highest dev score, or the last epoch."""
        score = scores.get(f"dev_{self.recipe.training.select}")
        if score is None or score > self.best_score:
            self.best = copy.deepcopy(self.method.module.state_dict())
            self.best_score = self.best_score if score is None else score

    def save(self) -> None:
        """Keep where the run is."""
        state = {
            "method": self.method.state_dict(),
            "best": self.best,
            "best_score": self.best_score,
            "history": self.history,
        }
        save_checkpoint(self.folder / "checkpoint.pt", state)
        self._write_history()

    def _resume(self) -> None:
        state = load_checkpoint(self.folder / "checkpoint.pt")
        if state is not None:
            self.method.load_state_dict(state["method"])
            self.best, self.best_score, self.history = state["best"], state["best_score"], state["history"]
            self._write_history()

    def _write_history(self) -> None:
        lines: Iterable[str] = (json.dumps(row) for row in self.history)
        write_atomically(self.folder / "metrics.jsonl", "".join(f"{line}\n" for line in lines))


def predict_emotions(fitted: Fitted, split: Split) -> list[str]:
    """The most probable emotion of every utterance."""
    return [fitted.emotions[index] for index in fitted.posteriors(split.features).argmax(axis=1)]
