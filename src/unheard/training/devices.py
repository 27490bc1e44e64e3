"""What to train on: one device, or several of a kind for one training, each with a process and a copy of the model."""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.queues import SimpleQueue
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch.multiprocessing.spawn import ProcessRaisedException
from torch.nn import Module

from unheard.errors import InputError
from unheard.processes import end_with_parent

T = TypeVar("T")


@dataclass(frozen=True)
class Devices:
    """``count`` devices of a kind: ``cpu``, ``cuda``, or ``auto``, the best there is.

    On several, each takes its share of every batch, so that a batch is as large as on one.

    >>> Devices.parse("4xcpu")
    Devices(kind='cpu', count=4)
    """

    kind: str
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Devices:
        """From ``cpu``, ``cuda`` or ``auto``, or several such as ``4xcuda``.

        Raises:
            InputError: it is none of these, there are not so many here, or this is an interactive session, which cannot
                start a process for each.
        """
        match = re.fullmatch(r"(?:([1-9]\d{0,3})x)?(cpu|cuda|auto)", text)
        if match is None:
            raise InputError(f'"{text}" is no device; take cpu, cuda or auto, or several for one training, like 4xcuda')
        count, kind, gpus = int(match[1] or 1), match[2], torch.cuda.device_count()
        if kind == "cuda" and not gpus:
            raise InputError("there is no GPU here that PyTorch can use; take the device cpu or auto instead of cuda")
        if count == 1:
            return cls(kind)
        if kind == "auto":
            kind = "cuda" if gpus else "cpu"
        if kind == "cuda" and count > gpus:
            raise InputError(f"{text} asks for {count} GPUs, and PyTorch finds {gpus} here")
        if hasattr(sys, "ps1"):
            raise InputError(
                f"{text} needs a process for each device, which a notebook or an interactive session cannot start; "
                "take one device, or run it as a script"
            )
        return cls(kind, count)

    def one(self, precision: Any) -> Fabric:
        """The first of them, in this process."""
        _hush()
        return Fabric(accelerator=self.kind, devices=1, precision=precision, plugins=LightningEnvironment())

    def launch(self, precision: Any, work: Callable[[Fabric], T]) -> T:
        """Do the same on all of them at once, in a process for each; what the first one returns.

        Args:
            precision: as Fabric has it.
            work: a function that can be pickled, as what it returns; that holds no tensors, which end with its process.

        Raises:
            InputError: one of them raised it; the others are ended.
        """
        backend = "gloo" if self.kind == "cpu" or not torch.distributed.is_nccl_available() else "nccl"
        strategy = CopiesOfAModel(start_method="spawn", process_group_backend=backend)
        # Named, since Fabric would take the processes of a cluster's job for those of this training.
        here = LightningEnvironment()
        fabric = Fabric(accelerator=self.kind, devices=self.count, precision=precision, strategy=strategy, plugins=here)
        problems: SimpleQueue[InputError] = multiprocessing.get_context("spawn").SimpleQueue()
        try:
            with _meeting_point():
                done: T = fabric.launch(partial(_watched, work, problems))
        except ProcessRaisedException:
            if problems.empty():
                raise
            raise problems.get() from None
        return done


def gathered(fabric: Fabric, value: T) -> list[T]:
    """What each device has here, the first one's first."""
    if fabric.world_size == 1:
        return [value]
    values: list[Any] = [None] * fabric.world_size
    torch.distributed.all_gather_object(values, value)
    return values


class CopiesOfAModel(DDPStrategy):
    """Fabric's processes and messages, without its wrapper around the model: see :mod:`unheard.methods.averaging`."""

    def setup_environment(self) -> None:
        """In each process, before they meet."""
        end_with_parent()
        _hush()
        super().setup_environment()

    def setup_module(self, module: Module) -> Module:  # type: ignore[override]
        """The model as it is."""
        return module


def _watched(work: Callable[[Fabric], T], problems: SimpleQueue[InputError], fabric: Fabric) -> T:
    """Hand over what was wrong with the input before this process ends, and the others with it."""
    try:
        return work(fabric)
    except InputError as problem:
        problems.put(problem)
        raise


@contextmanager
def _meeting_point() -> Iterator[None]:
    """Inside, the processes of a launch meet at a free port of this machine, not at that of another launch."""
    names = ("MASTER_ADDR", "MASTER_PORT")
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)


def _hush() -> None:
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
