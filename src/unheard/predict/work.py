"""The work itself: recordings in groups, in this process or in several, the answers in the order of the recordings."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from unheard.errors import InputError
from unheard.predict.recordings import Recording
from unheard.processes import end_with_parent
from unheard.recognizer import Heard, Prediction, Recognizer
from unheard.timeline.timeline import Timeline
from unheard.timeline.windows import HOP, WINDOW

#: Recordings that are judged together, unless they last longer than so many seconds together.
GROUP, SECONDS = 16, 120.0


@dataclass(frozen=True)
class Task:
    """What is asked of every recording: one answer, or its timeline with these settings."""

    timeline: bool = False
    frames: bool = False
    window: float = WINDOW
    hop: float = HOP


#: What comes of a recording; a sentence where it could not be read.
Answer = Prediction | Timeline | str


def answers(
    recognizer: Recognizer, model: Path | None, recordings: Sequence[Recording], task: Task, workers: int
) -> Iterator[tuple[Recording, Answer]]:
    """What comes of every recording, in their order.

    Args:
        recognizer: what judges them.
        model: its folder, from which each process loads it anew; None for the shipped one.
        recordings: what is judged.
        task: what is asked.
        workers: processes; with one, the work is done in this one.
    """
    size = 1 if task.timeline else GROUP
    groups = [recordings[start : start + size] for start in range(0, len(recordings), size)]
    if workers == 1 or len(groups) <= 1:
        for group in groups:
            yield from zip(group, _answered(recognizer, group, task), strict=True)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(groups)), context, _start_worker, (model, task)) as pool:
        try:
            for group, found in zip(groups, pool.map(_work, groups), strict=True):
                yield from zip(group, found, strict=True)
        finally:
            pool.shutdown(cancel_futures=True)


_worker: tuple[Recognizer, Task]


def _start_worker(model: Path | None, task: Task) -> None:
    global _worker
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is interrupted is the parent, and it ends this one
    torch.set_num_threads(1)
    _worker = Recognizer.load(model), task


def _work(group: Sequence[Recording]) -> list[Answer]:
    return _answered(_worker[0], group, _worker[1])


def _answered(recognizer: Recognizer, group: Sequence[Recording], task: Task) -> list[Answer]:
    found: dict[int, Answer] = {}
    waiting: dict[int, Heard] = {}
    for index, recording in enumerate(group):
        try:
            if task.timeline:
                found[index] = recognizer.timeline(recording.path, window=task.window, hop=task.hop, frames=task.frames)
            else:
                waiting[index] = recognizer.hear(recording.path)
        except InputError as problem:
            found[index] = recording.blamed(str(problem))
        if sum(heard.duration for heard in waiting.values()) > SECONDS:
            found |= _judged(recognizer, waiting)
            waiting = {}
    found |= _judged(recognizer, waiting)
    return [found[index] for index in range(len(group))]


def _judged(recognizer: Recognizer, waiting: dict[int, Heard]) -> dict[int, Answer]:
    return dict(zip(waiting, recognizer.judge(list(waiting.values())), strict=True)) if waiting else {}
