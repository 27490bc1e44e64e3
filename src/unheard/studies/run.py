"""One run: fit a recipe on a fold with a seed, predict its dev and test speakers, measure the leak."""

from __future__ import annotations

import json
import platform
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.evaluation.autoencoding import AUTOENCODER, autoencoded, keep_autoencoded
from unheard.evaluation.leak import measure_leak, pooled
from unheard.evaluation.projection import EMBEDDINGS, keep_embeddings
from unheard.evaluation.speaker_verification import VERIFICATION, keep_verification, verify
from unheard.files import write_atomically
from unheard.frontends.store import FeatureStore
from unheard.metrics.classification import unweighted_accuracy, weighted_accuracy
from unheard.metrics.verification import equal_error_rate
from unheard.studies.inside import ATTENTION, DEEP_FEATURES, FRAMES, RECEPTIVE_FIELDS, look_inside
from unheard.studies.plan import Plan, Run
from unheard.training.fit import fit
from unheard.training.fitted import Fitted
from unheard.training.loop import BEST, CHECKPOINT
from unheard.training.split import Split
from unheard.training.stages import stage_scores

#: Libraries whose version may change a number.
LIBRARIES = ("unheard", "torch", "numpy", "scikit-learn", "lightning-fabric")

#: What a run leaves in its folder.
RUN_FILES = (
    "recipe.yaml", "metrics.jsonl", "tensorboard", CHECKPOINT, BEST, "stages", "predictions.csv", "dev_predictions.csv",
    EMBEDDINGS, DEEP_FEATURES, ATTENTION, RECEPTIVE_FIELDS, FRAMES, AUTOENCODER, VERIFICATION, "recognizer",
    "result.json",
)  # fmt: skip


def run_one(
    plan: Plan, run: Run, folder: Path, store: FeatureStore, device: str = "cpu", stages: Path | None = None
) -> dict[str, Any]:
    """Do a run, or read its result where it is done; interrupted, it goes on where it was.

    Leaves ``recipe.yaml``, ``metrics.jsonl``, ``predictions.csv``, ``dev_predictions.csv``, ``embeddings.npz`` (of the
    dev utterances, or of the test utterances where a fold has no dev), what :func:`look_inside` leaves,
    ``autoencoder.npz`` and ``verification.csv`` of recipes that have what they are about, ``recognizer/`` and, last of
    all, ``result.json`` in ``folder``, and the finished stages of the recipe in ``stages``, which lies in ``folder`` by
    default.
    """
    if (result := read_result(folder)) is not None:
        return result
    started = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "recipe.yaml", run.recipe.to_yaml())
    features = store.features(run.recipe.front_end.name, run.recipe.front_end.settings, plan.corpus)
    corpus, fold = plan.fold(run.fold)
    train, dev, test = (Split.of(corpus, features, rows) for rows in (fold.train, fold.dev, fold.test))
    auxiliary, learned = auxiliary_split(plan, run, store)
    strangers = _whole(plan.leak_corpus, run, store) if plan.leak_corpus else None
    heard = train
    if run.recipe.learns_dev and plan.protocol.dev_like_train:  # then they say nothing about new speakers
        heard, dev = train.joined(dev), Split(dev.table.iloc[:0], [])
    try:
        fitted = fit(run.recipe, heard, dev, run.seed, folder, device, auxiliary, stages)
    except InputError:
        _leave_free(folder)
        raise
    part, seen = ("dev", dev) if len(dev) else ("test", test)
    keep_embeddings(folder, part, fitted.embeddings(seen.features))
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
        **_coded(fitted, test, folder),
        **_verified(fitted, _unheard(heard, test), strangers, plan, folder),
        **stage_scores(run.recipe, heard, auxiliary, run.seed, stages or folder / "stages"),
        **_leak("leak", fitted, heard, run.seed),
        **_leak("leak_unheard", fitted, _unheard(heard, dev.joined(test)), run.seed),
        **(_leak("leak_fixed", fitted, strangers, run.seed) if strangers else {}),
        **learned,
        **dropped_terms(fitted, run),
        "seconds": round(time.perf_counter() - started, 1),
        "corpus": plan.corpus.name,
        "corpus_hash": plan.corpus.hash,
        "machine": machine(),
    }
    fitted.save(folder / "recognizer", facts(plan, run, result))
    write_atomically(folder / "result.json", json.dumps(result, indent=2) + "\n")
    remove_checkpoint(folder)
    return result


def auxiliary_split(plan: Plan, run: Run, store: FeatureStore) -> tuple[Split | None, dict[str, Any]]:
    """The auxiliary utterances that a run learns from, and the columns of ``results.csv`` about them."""
    if not run.recipe.takes_auxiliary:
        return None, {}
    corpus, left_out = plan.auxiliary_of(run)
    learned = {
        "auxiliary_speakers": int(corpus.table["speaker"].nunique()) if corpus else 0,
        "auxiliary_utterances": len(corpus) if corpus else 0,
        "auxiliary_left_out": left_out,
    }
    return _whole(corpus, run, store) if corpus else None, learned


def dropped_terms(fitted: Fitted, run: Run) -> dict[str, str]:
    """The column of ``results.csv`` with the optional terms that had no labels; none where all had."""
    dropped = [name for name in run.recipe.terms if name not in fitted.recipe.terms]
    return {"dropped": ", ".join(dropped)} if dropped else {}


def _leave_free(folder: Path) -> None:
    """Where no epoch is done, take away what would bind the folder to a recipe that was refused."""
    if not (folder / CHECKPOINT).is_file():
        (folder / "recipe.yaml").unlink(missing_ok=True)
        shutil.rmtree(folder / "tensorboard", ignore_errors=True)
        with suppress(OSError):  # of unheard train there is more in it
            folder.rmdir()


def remove_checkpoint(folder: Path) -> None:
    """What a finished run needs no more."""
    for name in (CHECKPOINT, BEST):
        (folder / name).unlink(missing_ok=True)


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
        **({"auxiliary": plan.auxiliary.name} if plan.auxiliary and result.get("auxiliary_utterances") else {}),
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


def _unheard(train: Split, split: Split) -> Split:
    """The utterances of speakers that are not in train: their voices shaped no weight."""
    heard = set(train.table["speaker"])
    rows = [row for row, speaker in enumerate(split.table["speaker"]) if speaker not in heard]
    return Split(split.table.iloc[rows].reset_index(drop=True), [split.features[row] for row in rows])


def _coded(fitted: Fitted, test: Split, folder: Path) -> dict[str, float | None]:
    """The columns of what an autoencoder makes of the test utterances; none without one."""
    found = autoencoded(fitted, test.features)
    if found is None:
        return {}
    keep_autoencoded(folder, found)
    return found.columns


def _verified(
    fitted: Fitted, test: Split, strangers: Split | None, plan: Plan, folder: Path
) -> dict[str, float | int | None]:
    """The columns of how well new speakers are verified: those tested, and those of the leak corpus."""
    parts = {"test": test} | ({"leak": strangers} if strangers else {})
    everyone = Split(test.table.iloc[:0], [])
    for name, part in parts.items():  # an id is one of its own corpus
        everyone = everyone.joined(Split(part.table.assign(id=f"{name}: " + part.table["id"]), part.features))
    found = verify(fitted, everyone, plan.enrol, plan.protocol_seed)
    if found is None:
        return {}
    keep_verification(folder, found)
    return {
        "eer": equal_error_rate(*found.verified.trials).eer,
        "eer_speakers": len(found.verified.speakers),
        "eer_trials": found.verified.scores.size,
        "eer_enrolled": found.enrolled,
    }


def _whole(corpus: Corpus, run: Run, store: FeatureStore) -> Split:
    """All utterances of a further corpus."""
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
