"""A study: every run of a plan, in as many processes as pay off, each resumable on its own."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import platformdirs
from filelock import FileLock, Timeout
from tqdm import tqdm

from unheard.corpora import Corpus
from unheard.corpora.mapping import LabelMapping
from unheard.errors import InputError
from unheard.files import write_atomically
from unheard.frontends.store import FeatureStore
from unheard.processes import end_with_parent
from unheard.recipe import Recipe
from unheard.studies.plan import Plan, Run
from unheard.studies.run import RUN_FILES, read_result, run_one
from unheard.studies.trial import run_on_dev
from unheard.training.devices import Devices

STUDY_FILES = (
    "runs", "stages", "study.json", "corpus.csv", "leak_corpus.csv", "auxiliary.csv", "results.csv", "report.html",
    "reproduction.json", "reproduction.md", "reproduction.csv",
)  # fmt: skip


def run_study(
    plan: Plan, study: Path, store: FeatureStore, *, workers: int | None = None, device: str = "cpu"
) -> pd.DataFrame:
    """Do every run of the plan that is not done, and write ``results.csv``.

    A study that lies in the folder goes on: the plan is joined with its own, see :meth:`Plan.continuing`.

    Each worker is a process of one thread: small networks gain more from runs side by side than from threads, and the
    numbers do not depend on how many workers there are.

    Args:
        plan: what to run.
        study: the folder; what is done in it is kept.
        store: where fixed features lie.
        workers: processes; by default one per core, but no more than there are runs, and one on a GPU.
        device: ``cpu``, ``cuda`` or ``auto``, or several of a kind for one training, such as ``4xcuda``.

    Returns:
        the results, a row per finished run.

    Raises:
        InputError: there is no such device, or another process is at work in the folder.
    """
    Devices.parse(device)
    with alone(study):
        return _run_study(plan.continuing(study), study, store, workers, device)


@contextmanager
def alone(study: Path) -> Iterator[None]:
    """Hold a folder for as long as this process works in it; the lock goes with the process, however it ends."""
    study.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(study / ".lock", timeout=0):
            yield
    except Timeout:
        raise InputError(
            f"{study}: another process is at work on this study; wait for it or choose another --out"
        ) from None


def _run_study(plan: Plan, study: Path, store: FeatureStore, workers: int | None, device: str) -> pd.DataFrame:
    plan.write(study)
    cores = os.cpu_count() or 1
    for recipe in plan.recipes:
        auxiliary = plan.auxiliary if recipe.takes_auxiliary else None
        for corpus in filter(None, (plan.corpus, plan.leak_corpus, auxiliary)):
            store.features(recipe.front_end.name, recipe.front_end.settings, corpus, workers=workers or cores)
    missing = [run for run in plan.runs() if read_result(run.folder(study)) is None]
    done = len(plan.runs()) - len(missing)
    with tqdm(total=done + len(missing), initial=done, desc="study", unit="run", delay=2, disable=None) as bar:
        for result in _run_all(missing, study, store, workers or (cores if device == "cpu" else 1), device):
            title, score = ("UA", result["ua"]) if plan.test else ("dev UA", result["dev_ua"])
            bar.set_postfix({"last": result["recipe"], title: f"{score:.3f}"})
            bar.update()
            write_results(plan, study)
    return write_results(plan, study)


def train_one(
    corpus: Corpus,
    recipe: Recipe,
    folder: Path,
    store: FeatureStore,
    *,
    protocol: str = "speaker-holdout",
    fold: int = 1,
    seed: int = 0,
    labels: LabelMapping | None = None,
    auxiliary: Corpus | None = None,
    device: str = "cpu",
    force: bool = False,
) -> dict[str, Any]:
    """One run by itself, in a folder of its own; returns its result.

    Raises:
        InputError: the folder holds a finished or interrupted run of something else, and ``force`` is not given, or
            there is no such device.
    """
    Devices.parse(device)
    plan = Plan.make(corpus, protocol, [recipe], folds=[fold], seeds=[seed], labels=labels, auxiliary=auxiliary)
    with alone(folder):
        if force:
            _remove(folder)
        if (folder / "recipe.yaml").is_file() and Plan.read(folder).to_dict() != plan.to_dict():
            raise InputError(f"{folder}: there is another run in this folder; choose another --out or use --force")
        plan.write(folder)
        store.features(recipe.front_end.name, recipe.front_end.settings, plan.corpus)
        return run_one(plan, plan.runs()[0], folder, store, device)


def feature_store(folder: Path | None = None) -> FeatureStore:
    """Where fixed features are kept: ``folder``, or the user's cache."""
    return FeatureStore(folder or Path(platformdirs.user_cache_dir("unheard", appauthor=False)) / "features")


def start_over(study: Path) -> None:
    """Remove what a study or a run left in a folder, and nothing else.

    Raises:
        InputError: another process is at work in it.
    """
    with alone(study):
        _remove(study)


def _remove(study: Path) -> None:
    for name in (*STUDY_FILES, *RUN_FILES):
        path = study / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_results(plan: Plan, study: Path) -> pd.DataFrame:
    """Write ``results.csv``: a row per finished run of the plan, in the plan's order."""
    rows = [result for run in plan.runs() if (result := read_result(run.folder(study))) is not None]
    table = pd.DataFrame(rows).drop(columns="machine", errors="ignore")
    write_atomically(study / "results.csv", table.to_csv(index=False, lineterminator="\n"))
    return table


def read_predictions(plan: Plan, study: Path, file: str = "predictions.csv") -> pd.DataFrame:
    """The predictions of all finished runs, with a column ``recipe`` and the utterances' metadata."""
    tables = [
        _read_table(run.folder(study) / file).assign(recipe=run.recipe.name)
        for run in plan.runs()
        if read_result(run.folder(study)) is not None
    ]
    if not tables:
        return pd.DataFrame()
    metadata = [
        column for column in ("id", "gender", "session", "style", "language", "corpus") if column in plan.corpus.table
    ]
    return pd.concat(tables, ignore_index=True).merge(plan.corpus.table[metadata], on="id", how="left")


def _read_table(path: Path) -> pd.DataFrame:
    """A table of predictions; a speaker called "NA" is no missing one."""
    return pd.read_csv(path, dtype={"id": "str", "speaker": "str"}, keep_default_na=False)


def _run_all(runs: list[Run], study: Path, store: FeatureStore, workers: int, device: str) -> Iterable[dict[str, Any]]:
    if not runs:
        return
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(min(workers, len(runs)), context, _start_worker) as pool:
        pending = {pool.submit(_run_in_worker, study, run, store, device) for run in runs}
        try:
            while pending:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in finished)
        except BaseException:
            # Nobody waits for runs under way: each goes on where it was when the study is called again.
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            raise


def _start_worker() -> None:
    """One thread to compute with, and the worker ends with the study: no orphan writes into a run."""
    import torch

    # Memory in large pages, where Linux has them: a step of a network over pictures takes a third less time.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    torch.set_num_threads(1)
    end_with_parent()


def _run_in_worker(study: Path, run: Run, store: FeatureStore, device: str) -> dict[str, Any]:
    plan = Plan.read(study)
    do = run_one if plan.test else run_on_dev
    return do(plan, run, run.folder(study), store, device, study / "stages")
