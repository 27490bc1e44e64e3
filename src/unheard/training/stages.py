"""Stages: trainings before the recipe's own, each kept under a hash of all that it hangs on, and shared by runs."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from lightning_fabric import Fabric
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from unheard.files import write_atomically
from unheard.methods.batch import Batch
from unheard.methods.classification import Classification
from unheard.metrics.classification import unweighted_accuracy, weighted_accuracy
from unheard.recipe import Data, Recipe, Stage
from unheard.seeds import derive, generator, seeded
from unheard.training.batches import Items, evaluation_batches
from unheard.training.loop import BEST, CHECKPOINT, NetworkRun, Scores, completed
from unheard.training.split import Split

Weights = dict[str, Tensor]

#: The share of pieces kept apart to judge a stage by where that is a matter of chance.
SHARE = 0.05
WEIGHTS = "weights.safetensors"
#: The scores of what is kept apart, by what they are.
HELD_OUT = {"wa": "held_out_wa", "ua": "held_out_ua"}


def pretrained(
    recipe: Recipe, train: Split, auxiliary: Split | None, seed: int, store: Path, device: str = "auto"
) -> Weights | None:
    """The weights that the recipe's own training starts from: those of its last stage; None if it has none.

    A stage of the auxiliary data is left out where there is none. One that is done is read from ``store``; where
    another process is at work on the same, this one waits for it. An interrupted one goes on where it was.

    Args:
        recipe: complete.
        train: the training part of a fold.
        auxiliary: further utterances, without emotions.
        seed: of the run.
        store: the folder of all stages; each has one of its own, ``<hash>/weights.safetensors``.
        device: ``cpu``, ``cuda`` or ``auto``, or several of a kind for one training, such as ``4xcuda``.
    """
    weights: Weights | None = None
    for stage, part, data, key in _planned(recipe, train, auxiliary, seed):
        if data is None:
            tqdm.write(f"{store}: there is no auxiliary data, so the stage {stage.name} is left out")
        else:
            weights = _done(part, data, derive(seed, "stage", stage.name), store / key, device, weights)
    return weights


def stage_scores(recipe: Recipe, train: Split, auxiliary: Split | None, seed: int, store: Path) -> Scores:
    """How well each finished stage told the classes of its first classification term, after the epoch that was kept.

    ``stage_NAME_wa`` and ``stage_NAME_ua``, on the pieces that it did not learn from. Arguments: see
    :func:`pretrained`.
    """
    found: Scores = {}
    for stage, part, data, key in _planned(recipe, train, auxiliary, seed):
        path = store / key / "metrics.jsonl"
        if data is None or not path.is_file():
            continue
        epochs = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        chosen = f"held_out_{part.training.select}"
        kept = max(epochs, key=lambda epoch: epoch[chosen]) if chosen in epochs[0] else epochs[-1]
        found |= {f"stage_{stage.name}_{score}": kept[name] for score, name in HELD_OUT.items() if name in kept}
    return found


def _planned(
    recipe: Recipe, train: Split, auxiliary: Split | None, seed: int
) -> Iterator[tuple[Stage, Recipe, Split | None, str]]:
    """Each stage, as a recipe, the utterances it learns from, and its key; without any data it is left out."""
    key = ""
    for stage in recipe.stages:
        part, data = recipe.of_stage(stage), _chosen(stage.data, train, auxiliary)
        if data is not None:
            key = stage_key(part, data, seed, key)
        yield stage, part, data, key


def stage_key(part: Recipe, data: Split, seed: int, before: str = "") -> str:
    """Sixteen hexadecimal digits that change with whatever may change the weights of a stage.

    Args:
        part: the stage as a recipe.
        data: the utterances it learns from; which, in what order, and their labels count.
        seed: of the run.
        before: the key of the stage before.
    """
    settings = {key: value for key, value in part.to_dict().items() if key not in ("about", "source")}
    wanted = ("digest", "start", "end") if "digest" in data.table else ("id",)
    columns = dict.fromkeys([*wanted, *(term.settings.get("column") for term in part.terms.values())])
    rows = data.table[[column for column in columns if column in data.table]].to_csv(index=False)
    return hashlib.sha256(json.dumps([settings, seed, before, rows], sort_keys=True).encode()).hexdigest()[:16]


def _chosen(data: Data, train: Split, auxiliary: Split | None) -> Split | None:
    if data == "train" or auxiliary is None:
        return None if data == "auxiliary" else train
    return auxiliary if data == "auxiliary" else train.joined(auxiliary)


def _done(part: Recipe, data: Split, seed: int, folder: Path, device: str, start: Weights | None) -> Weights:
    """The weights of a stage, from its folder or trained now."""
    file = folder / WEIGHTS
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            if not file.is_file():
                _train(part, data, seed, folder, device, start)
    return load_file(file)


def _train(part: Recipe, data: Split, seed: int, folder: Path, device: str, start: Weights | None) -> None:
    write_atomically(folder / "recipe.yaml", part.to_yaml())
    begin = partial(StageRun, part, data, seed, folder, device, start)
    weights = completed(begin, device, part.training.precision).module.state_dict()
    unfinished = folder / f"{WEIGHTS}.tmp"
    save_file({name: value.detach().cpu().contiguous().clone() for name, value in weights.items()}, unfinished)
    os.replace(unfinished, folder / WEIGHTS)
    for name in (CHECKPOINT, BEST):
        (folder / name).unlink(missing_ok=True)


class StageRun(NetworkRun):
    """A stage under training: judged by pieces of utterances that it does not learn from.

    Of a stage that tells classes, the first classification term of the recipe is judged, by WA and UA; of any other
    the loss (:meth:`unheard.methods.method.Method.held_out_loss`). The front end takes its statistics from the
    utterances of the stage.
    """

    def __init__(
        self,
        part: Recipe,
        data: Split,
        seed: int,
        folder: Path,
        device: str,
        start: Weights | None = None,
        fabric: Fabric | None = None,
    ) -> None:
        nobody = Split(data.table.iloc[:0], [])
        super().__init__(part, data, nobody, seed, folder, device, start=start, fabric=fabric)
        terms = self.module.terms
        self.task = next((name for name in terms if isinstance(self.module.term(name), Classification)), None)
        column = self.vocabularies[self.task].column if self.task else None
        kept = held_out(self.items, self.items.labels[column] if column else None, seed)
        self.held_out, self.items = self.items.take(np.flatnonzero(kept)), self.items.take(np.flatnonzero(~kept))
        self.own = len(self.items)

    @property
    def judged(self) -> bool:
        """Whether any piece is kept apart."""
        return len(self.held_out) > 0

    @torch.no_grad()
    def scores(self) -> Scores:
        """``held_out_wa`` and ``held_out_ua``, or ``held_out_loss``.

        Raises:
            FloatingPointError: the loss is not finite.
        """
        if not self.judged:
            return {}
        if self.task is None:
            return {"held_out_loss": self._loss()}
        term = self.module.term(self.task)
        assert isinstance(term, Classification)
        self.module.eval()
        reference, predicted = [], []
        for _, batch in self._batches():
            taps, _ = self.module(batch.to(self.fabric.device), losses=False)
            reference += batch.labels[term.column].tolist()
            predicted += taps[f"{self.task}.logits"].values.argmax(dim=1).tolist()
        return {
            HELD_OUT["wa"]: weighted_accuracy(reference, predicted),
            HELD_OUT["ua"]: unweighted_accuracy(reference, predicted),
        }

    def score(self, scores: Scores) -> float | None:
        """Higher is better; None where the last epoch is taken."""
        if self.recipe.training.select == "last" or not scores:
            return None
        if "held_out_loss" in scores:
            return -scores["held_out_loss"]
        return scores.get(f"held_out_{self.recipe.training.select}")

    def _loss(self) -> float:
        """The mean over the pieces kept apart; what is random in it is the same in every epoch."""
        total, count = 0.0, 0
        with seeded(self.seed, "held out"):
            for pieces, batch in self._batches():
                loss = self.method.held_out_loss(batch)
                if loss is not None:
                    total, count = total + len(pieces) * float(loss), count + len(pieces)
        mean = total / count if count else math.nan
        if not math.isfinite(mean):
            raise FloatingPointError(f"the loss of what is kept apart is {mean}")
        return mean

    def _batches(self) -> Iterator[tuple[NDArray[np.int64], Batch]]:
        return evaluation_batches(self.held_out, self.front_end, self.recipe.training.batch_size)


def held_out(items: Items, labels: NDArray[np.int64] | None, seed: int) -> NDArray[np.bool_]:
    """Which pieces are kept apart.

    With labels [utterances]: the last piece of every labelled utterance that has two or more, so that a speaker can be
    told who is in no other utterance; where no utterance has, a share of the pieces whose class has another one.
    Without labels: a share of all.
    """
    kept, number = np.zeros(len(items), dtype=bool), np.arange(len(items))
    if labels is not None:
        known, change = labels[items.owner] >= 0, items.owner[1:] != items.owner[:-1]
        last_of_many = np.append(change, True) & ~np.append(True, change)
        kept[known & last_of_many] = True
        if kept.any():
            return kept
        classes = labels[items.owner[known]]
        number = number[known][np.bincount(classes)[classes] > 1]
    if len(number) > 1:
        drawn = generator(seed, "held out").permutation(number)
        kept[drawn[: max(1, round(SHARE * len(number)))]] = True
    return kept
