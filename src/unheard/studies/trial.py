"""A run of a search: fit a recipe on a fold with a seed, judge it by the dev speakers. The test part stays closed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from unheard.files import write_atomically
from unheard.frontends.store import FeatureStore
from unheard.studies.plan import Plan, Run
from unheard.studies.run import (
    auxiliary_split,
    dropped_terms,
    machine,
    predicted,
    read_result,
    remove_checkpoint,
    scored,
)
from unheard.training.fit import fit
from unheard.training.loop import DivergedError
from unheard.training.split import Split


def run_on_dev(
    plan: Plan, run: Run, folder: Path, store: FeatureStore, device: str = "cpu", stages: Path | None = None
) -> dict[str, Any]:
    """Do a run without its test part, or read its result where it is done; interrupted, it goes on where it was.

    Leaves ``recipe.yaml``, ``metrics.jsonl``, ``dev_predictions.csv`` and, last of all, ``result.json`` in ``folder``.
    Training that diverges at once scores 0: it is worse than any that does not, and the search goes on without it.
    """
    if (result := read_result(folder)) is not None:
        return result
    started = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "recipe.yaml", run.recipe.to_yaml())
    features = store.features(run.recipe.front_end.name, run.recipe.front_end.settings, plan.corpus)
    corpus, fold = plan.fold(run.fold)
    train, dev = (Split.of(corpus, features, rows) for rows in (fold.train, fold.dev))
    auxiliary, learned = auxiliary_split(plan, run, store)
    scores: dict[str, float | None] = {"dev_wa": 0.0, "dev_ua": 0.0}
    diverged = False
    try:
        fitted = fit(run.recipe, train, dev, run.seed, folder, device, auxiliary, stages)
    except DivergedError:
        diverged = True
    else:
        learned |= dropped_terms(fitted, run)
        predictions = predicted(fitted, dev, run)
        predictions.to_csv(folder / "dev_predictions.csv", index=False, lineterminator="\n")
        scores = scored("dev_", predictions)
    result = {
        "recipe": run.recipe.name,
        "protocol": plan.protocol.name,
        "fold": run.fold,
        "seed": run.seed,
        **scores,
        **learned,
        "diverged": diverged,
        "seconds": round(time.perf_counter() - started, 1),
        "corpus": plan.corpus.name,
        "corpus_hash": plan.corpus.hash,
        "machine": machine(),
    }
    write_atomically(folder / "result.json", json.dumps(result, indent=2) + "\n")
    remove_checkpoint(folder)
    return result
