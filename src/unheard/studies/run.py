"""One run: fit a recipe on a fold with a seed, predict its dev and test speakers, measure the leak."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from unheard.evaluation.leak import Leak, measure_leak
from unheard.files import write_atomically
from unheard.frontends.store import FeatureStore
from unheard.metrics.classification import unweighted_accuracy, weighted_accuracy
from unheard.studies.plan import Plan, Run
from unheard.training.fit import fit
from unheard.training.fitted import Fitted
from unheard.training.split import Split

#: Libraries whose version may change a number.
LIBRARIES = ("unheard", "torch", "numpy", "scikit-learn", "lightning-fabric")

#: What a run leaves in its folder.
RUN_FILES = (
    "recipe.yaml", "metrics.jsonl", "tensorboard", "checkpoint.pt", "predictions.csv", "dev_predictions.csv",
    "recognizer", "result.json",
)  # fmt: skip


def run_one(plan: Plan, run: Run, folder: Path, store: FeatureStore, device: str = "cpu") -> dict[str, Any]:
    """Do a run, or read its result where it is done; interrupted, it goes on where it was.

    Leaves ``recipe.yaml``, ``metrics.jsonl``, ``predictions.csv`` and ``dev_predictions.csv``, ``recognizer/`` and,
    last of all, ``result.json`` in ``folder``.
    """
    if (result := read_result(folder)) is not None:
        return result
    started = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "recipe.yaml", run.recipe.to_yaml())
    features = store.features(run.recipe.front_end.name, run.recipe.front_end.settings, plan.corpus)
    fold = plan.cut()[run.fold - 1]
    train, dev, test = (Split.of(plan.corpus, features, rows) for rows in (fold.train, fold.dev, fold.test))
    fitted = fit(run.recipe, train, dev, run.seed, folder, device)
    if run.recipe.classifier is not None:  # it learned from the dev speakers too: they say nothing about new ones
        train, dev = train.joined(dev), Split(dev.table.iloc[:0], [])
    predictions = _predictions(fitted, test, run)
    dev_predictions = _predictions(fitted, dev, run) if len(dev) else predictions.iloc[:0]
    predictions.to_csv(folder / "predictions.csv", index=False, lineterminator="\n")
    dev_predictions.to_csv(folder / "dev_predictions.csv", index=False, lineterminator="\n")
    result = {
        "recipe": run.recipe.name,
        "protocol": plan.protocol.name,
        "fold": run.fold,
        "seed": run.seed,
        "n": len(predictions),
        **_scores("", predictions),
        **_scores("dev_", dev_predictions),
        **_leak_columns("leak", _leak(fitted, train, run.seed)),
        **_leak_columns("leak_unheard", _leak(fitted, _unheard(train, dev, test), run.seed)),
        "seconds": round(time.perf_counter() - started, 1),
        "corpus": plan.corpus.name,
        "corpus_hash": plan.corpus.hash,
        "machine": machine(),
    }
    fitted.save(folder / "recognizer", facts(plan, run, result))
    write_atomically(folder / "result.json", json.dumps(result, indent=2) + "\n")
    (folder / "checkpoint.pt").unlink(missing_ok=True)
    return result


def read_result(folder: Path) -> dict[str, Any] | None:
    """What a finished run found, or None."""
    path = folder / "result.json"
    if not path.is_file():
        return None
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def machine() -> dict[str, Any]:
    """What numbers may depend on besides the recipe: libraries, processor, threads."""
    import torch

    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def machine_words(values: Mapping[str, Any]) -> str:
    """What :func:`machine` returned, in one line.

    >>> machine_words({"threads": 1, "libraries": {"torch": "2.13.0"}})
    'threads 1, torch 2.13.0'
    """
    return ", ".join(
        machine_words(value) if isinstance(value, Mapping) else f"{name} {value}" for name, value in values.items()
    )


def facts(plan: Plan, run: Run, result: dict[str, Any]) -> dict[str, Any]:
    """What the model's card says about its training."""
    return {
        "corpus": plan.corpus.name,
        "corpus_hash": plan.corpus.hash,
        "synthetic": plan.corpus.synthetic,
        "protocol": plan.protocol.name,
        "speaker_independent": plan.protocol.speaker_independent,
        "fold": run.fold,
        "seed": run.seed,
        "test": {key: result[key] for key in ("n", "wa", "ua")},
        "machine": result["machine"],
    }


def _predictions(fitted: Fitted, split: Split, run: Run) -> pd.DataFrame:
    posteriors = fitted.posteriors(split.features).astype("float64")
    table = pd.DataFrame(
        {"id": split.table["id"], "speaker": split.table["speaker"], "fold": run.fold, "seed": run.seed}
    )
    table["emotion"] = split.table["emotion"]
    table["predicted"] = [fitted.emotions[index] for index in posteriors.argmax(axis=1)]
    for index, emotion in enumerate(fitted.emotions):
        table[f"p_{emotion}"] = posteriors[:, index].round(6)
    return table


def _scores(prefix: str, predictions: pd.DataFrame) -> dict[str, float | None]:
    if predictions.empty:
        return {f"{prefix}wa": None, f"{prefix}ua": None}
    return {
        f"{prefix}wa": weighted_accuracy(predictions["emotion"], predictions["predicted"]),
        f"{prefix}ua": unweighted_accuracy(predictions["emotion"], predictions["predicted"]),
    }


def _unheard(train: Split, dev: Split, test: Split) -> Split:
    """The dev and test utterances of speakers that are not in train: their voices shaped no weight."""
    both = dev.joined(test)
    heard = set(train.table["speaker"])
    rows = [row for row, speaker in enumerate(both.table["speaker"]) if speaker not in heard]
    return Split(both.table.iloc[rows].reset_index(drop=True), [both.features[row] for row in rows])


def _leak(fitted: Fitted, split: Split, seed: int) -> Leak | None:
    if not len(split):
        return None
    return measure_leak(fitted.embeddings(split.features), split.features, split.table, seed)


def _leak_columns(prefix: str, leak: Leak | None) -> dict[str, float | int | None]:
    if leak is None:
        return {prefix: None}
    values = asdict(leak)
    return {prefix: values.pop("probe")} | {f"{prefix}_{name}": value for name, value in values.items()}
