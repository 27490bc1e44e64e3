"""What to train on: one device, or several of a kind for one training, each with a process and a copy of the model."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
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
            InputError: it is none of these, or there are not so many here.
        """
        match = re.fullmatch(r"(?:([1-9]\d{0,3})x)?(cpu|cuda|auto)", text)
        if match is None:
            raise InputError(f'"{text}" is no device; take cpu, cuda or auto, or several for one training, like 4xcuda')
        devices = cls(match[2], int(match[1] or 1))
        if devices.kind == "cuda" and not torch.cuda.is_available():
            raise InputError("there is no GPU here that PyTorch can use; take the device cpu or auto instead of cuda")
        if devices.count > 1 and devices.count > (found := devices._found()):
            raise InputError(f"there are no {devices.count} devices for {text} here; PyTorch finds {found}")
        return devices

    def one(self, precision: Any) -> Fabric:
        """The first of them, in this process."""
        _hush()
        return Fabric(accelerator=self.kind, devices=1, precision=precision)

    def launch(self, precision: Any, work: Callable[[Fabric], T]) -> T:
        """Do the same on all of them at once, in a process for each; what the first one returns.

        Args:
            precision: as Fabric has it.
            work: a function that can be pickled, as what it returns; that holds no tensors, which end with its process.
        """
        strategy = CopiesOfAModel(start_method="spawn")
        fabric = Fabric(accelerator=self.kind, devices=self.count, precision=precision, strategy=strategy)
        done: T = fabric.launch(work)
        return done

    def _found(self) -> int:
        """How many devices of this kind there are; of processors as many as one asks for."""
        gpus = torch.cuda.device_count()
        return gpus if self.kind == "cuda" or (self.kind == "auto" and gpus) else self.count


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


def _hush() -> None:
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
