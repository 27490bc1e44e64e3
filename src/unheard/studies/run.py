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

from unheard.corpora import Corpus
from unheard.evaluation.leak import measure_leak, pooled
from unheard.evaluation.projection import EMBEDDINGS, keep_embeddings
from unheard.files import write_atomically
from unheard.frontends.store import FeatureStore
from unheard.metrics.classification import unweighted_accuracy, weighted_accuracy
from unheard.studies.inside import ATTENTION, DEEP_FEATURES, look_inside
from unheard.studies.plan import Plan, Run
from unheard.training.fit import fit
from unheard.training.fitted import Fitted
from unheard.training.split import Split

#: Libraries whose version may change a number.
LIBRARIES = ("unheard", "torch", "numpy", "scikit-learn", "lightning-fabric")

#: What a run leaves in its folder.
RUN_FILES = (
    "recipe.yaml", "metrics.jsonl", "tensorboard", "checkpoint.pt", "predictions.csv", "dev_predictions.csv",
    EMBEDDINGS, DEEP_FEATURES, ATTENTION, "recognizer", "result.json",
)  # fmt: skip


def run_one(plan: Plan, run: Run, folder: Path, store: FeatureStore, device: str = "cpu") -> dict[str, Any]:
    """Do a run, or read its result where it is done; interrupted, it goes on where it was.

    Leaves ``recipe.yaml``, ``metrics.jsonl``, ``predictions.csv``, ``dev_predictions.csv``, ``embeddings.npz`` (of the
    dev utterances, or of the test utterances where a fold has no dev), what :func:`look_inside` leaves,
    ``recognizer/`` and, last of all, ``result.json`` in ``folder``.
    """
    if (result := read_result(folder)) is not None:
        return result
    started = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "recipe.yaml", run.recipe.to_yaml())
    features = store.features(run.recipe.front_end.name, run.recipe.front_end.settings, plan.corpus)
    corpus, fold = plan.fold(run.fold)
    train, dev, test = (Split.of(corpus, features, rows) for rows in (fold.train, fold.dev, fold.test))
    fitted = fit(run.recipe, train, dev, run.seed, folder, device)
    part, seen = ("dev", dev) if len(dev) else ("test", test)
    keep_embeddings(folder, part, fitted.embeddings(seen.features))
    if run.recipe.classifier is not None:  # it learned from the dev speakers too: they say nothing about new ones
        train, dev = train.joined(dev), Split(dev.table.iloc[:0], [])
    predictions = predicted(fitted, test, run)
    dev_predictions = predicted(fitted, dev, run) if len(dev) else predictions.iloc[:0]
    predictions.to_csv(folder / "predictions.csv", index=False, lineterminator="\n")
    dev_predictions.to_csv(folder / "dev_predictions.csv", index=False, lineterminator="\n")
    result = {
        "recipe": run.recipe.name,
        "protocol": plan.protocol.name,
        "fold": run.fold,
        "seed": run.seed,
        "n": len(predictions),
        **scored("", predictions),
        **scored("dev_", dev_predictions),
        **look_inside(fitted, train, dev, test, folder),
        **_leak("leak", fitted, train, run.seed),
        **_leak("leak_unheard", fitted, _unheard(train, dev, test), run.seed),
        **(_leak("leak_fixed", fitted, _fixed(plan.leak_corpus, run, store), run.seed) if plan.leak_corpus else {}),
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


def predicted(fitted: Fitted, split: Split, run: Run) -> pd.DataFrame:
    """The posteriors of a part of a fold, a row per utterance, as ``predictions.csv`` has them."""
    posteriors = fitted.posteriors(split.features).astype("float64")
    table = pd.DataFrame(
        {"id": split.table["id"], "speaker": split.table["speaker"], "fold": run.fold, "seed": run.seed}
    )
    table["emotion"] = split.table["emotion"]
    table["predicted"] = [fitted.emotions[index] for index in posteriors.argmax(axis=1)]
    for index, emotion in enumerate(fitted.emotions):
        table[f"p_{emotion}"] = posteriors[:, index].round(6)
    return table


def scored(prefix: str, predictions: pd.DataFrame) -> dict[str, float | None]:
    """WA and UA of predictions, ``prefix`` in front of their names."""
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


def _fixed(corpus: Corpus, run: Run, store: FeatureStore) -> Split:
    features = store.features(run.recipe.front_end.name, run.recipe.front_end.settings, corpus)
    return Split.of(corpus, features, range(len(corpus)))


def _leak(prefix: str, fitted: Fitted, split: Split, seed: int) -> dict[str, float | int | None]:
    """The columns of what these utterances leak of the speaker and of the gender."""
    if not len(split):
        return {prefix: None}
    columns: dict[str, float | int | None] = {}
    tap, raw = fitted.embeddings(split.features), pooled(fitted.inputs(split.features))
    for name, column in ((prefix, "speaker"), (f"{prefix}_gender", "gender")):
        leak = measure_leak(tap, raw, split.table, column, seed)
        values = asdict(leak) if leak else {"probe": None}
        columns[name] = values.pop("probe")
        columns |= {f"{name}_{key}": value for key, value in values.items()}
    return columns
