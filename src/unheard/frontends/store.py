"""Fixed features on disk, computed once, kept under front-end settings and audio content, read memory-mapped."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from unheard.audio import read_audio
from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.files import write_atomically
from unheard.frontends import FRONT_ENDS
from unheard.frontends.front_end import FrontEnd
from unheard.processes import end_with_parent
from unheard.settings import make

Array = NDArray[np.float32]

#: Utterances that one worker computes and writes at a time: what an interruption can cost at most.
SHARD = 256


class Features(Sequence[Array]):
    """The fixed features of a corpus, row by row: arrays [time, ...] that stay on disk until they are read."""

    def __init__(self, arrays: list[Array]) -> None:
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self._arrays)

    def __getitem__(self, row: Any) -> Any:
        return self._arrays[row]


class FeatureStore:
    """A folder of shards: ``<shard>.npy`` holds the numbers of many utterances, ``<shard>.json`` says which and where.

    A shard is complete before its JSON file appears, so several processes may write at once and an interruption
    loses at most the shards under way.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def features(self, name: str, settings: dict[str, Any], corpus: Corpus, workers: int = 1) -> Features:
        """The fixed features of every utterance of ``corpus``; what is missing is computed by ``workers`` processes.

        Args:
            name: the front end's registered name.
            settings: its settings, complete.
            corpus: with the column ``digest``.
            workers: processes to compute in.

        Raises:
            InputError: a recording cannot be read; what was computed stays.
        """
        front_end: FrontEnd = make(FRONT_ENDS[name], settings)
        folder = self.folder / f"{name}-{_front_end_key(front_end, settings)}"
        keys = _utterance_keys(corpus)
        index = _read_index(folder)
        first_rows = {key: row for row, key in reversed(list(enumerate(keys)))}  # a recording may be there twice
        missing = sorted(row for key, row in first_rows.items() if key not in index)
        if missing:
            _compute(front_end, name, settings, corpus, keys, missing, folder, workers)
            index = _read_index(folder)
        return _open(folder, [index[key] for key in keys])


def _front_end_key(front_end: FrontEnd, settings: dict[str, Any]) -> str:
    chosen = {key: settings.get(key) for key in sorted(front_end.fixed_settings)}
    content = [front_end.content] if front_end.content else []
    text = json.dumps([chosen, front_end.version, *content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _utterance_keys(corpus: Corpus) -> list[str]:
    """The audio's digest, and the part of it where the utterance is one."""
    table = corpus.table
    keys: list[str] = table["digest"].tolist()
    for column in ("start", "end"):
        if column in table:
            keys = [key if np.isnan(at) else f"{key}/{column}{at}" for key, at in zip(keys, table[column], strict=True)]
    return keys


def _read_index(folder: Path) -> dict[str, tuple[str, int, list[int]]]:
    index = {}
    for file in sorted(folder.glob("*.json")):
        for key, (offset, shape) in json.loads(file.read_text()).items():
            index[key] = (file.stem, offset, shape)
    return index


def _open(folder: Path, entries: list[tuple[str, int, list[int]]]) -> Features:
    shards = {shard: np.load(folder / f"{shard}.npy", mmap_mode="r") for shard in {shard for shard, _, _ in entries}}
    return Features([
        shards[shard][offset : offset + int(np.prod(shape))].reshape(shape) for shard, offset, shape in entries
    ])  # fmt: skip


def _compute(
    front_end: FrontEnd,
    name: str,
    settings: dict[str, Any],
    corpus: Corpus,
    keys: list[str],
    rows: list[int],
    folder: Path,
    workers: int,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    size = min(SHARD, max(16, -(-len(rows) // (4 * workers))))
    chunks = [rows[start : start + size] for start in range(0, len(rows), size)]
    jobs = [(corpus.take(chunk), [keys[row] for row in chunk], folder) for chunk in chunks]
    with tqdm(total=len(rows), desc=f"{name} features", unit="utterance", delay=2, disable=None) as bar:
        if workers == 1 or len(jobs) == 1:
            for job in jobs:
                bar.update(_write_shard(front_end, *job))
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, _start_worker) as pool:
            for done in pool.map(_write_shard_of, [(name, settings, *job) for job in jobs]):
                bar.update(done)


def _start_worker() -> None:
    torch.set_num_threads(1)
    end_with_parent()


def _write_shard_of(job: tuple[str, dict[str, Any], Corpus, list[str], Path]) -> int:
    name, settings, corpus, keys, folder = job
    return _write_shard(make(FRONT_ENDS[name], settings), corpus, keys, folder)


def _write_shard(front_end: FrontEnd, corpus: Corpus, keys: list[str], folder: Path) -> int:
    arrays, index, offset = [], {}, 0
    for key, array in zip(keys, _fixed(front_end, corpus), strict=True):
        index[key] = (offset, array.shape)
        arrays.append(array.ravel())
        offset += array.size
    shard = uuid.uuid4().hex
    np.save(folder / f"{shard}.npy", np.concatenate(arrays))
    write_atomically(folder / f"{shard}.json", json.dumps(index))
    return len(keys)


def _fixed(front_end: FrontEnd, corpus: Corpus) -> Iterator[Array]:
    table = corpus.table
    starts, ends = (table[column].to_numpy() if column in table else None for column in ("start", "end"))
    for row in range(len(corpus)):
        start, end = (None if at is None or np.isnan(at[row]) else float(at[row]) for at in (starts, ends))
        try:
            waveform = read_audio(corpus.audio_path(row), start=start, end=end)
        except InputError as problem:
            raise InputError(f'{corpus.source}, utterance "{table["id"].iat[row]}": {problem}') from problem
        with torch.no_grad():
            features, lengths = front_end.fixed(torch.from_numpy(waveform)[None], torch.tensor([len(waveform)]))
        yield features[0, : int(lengths[0])].float().contiguous().numpy()
