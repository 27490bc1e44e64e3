"""What a saved model may ask for, so that one from anywhere cannot exhaust the machine that loads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from unheard.errors import InputError

#: Bytes of a ``config.json``; those of this package have a few thousand.
LARGEST_CONFIG = 2**20
#: Mappings and lists within each other.
DEEPEST = 20
#: No setting of a recipe is anywhere near.
LARGEST_NUMBER = 100_000
LONGEST_NAME = 64
#: Values that a model may hold beyond those of its file: tables, and what is computed while it is built.
SPARE_VALUES = 2**24

FACTORIES = frozenset(
    {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.arange, torch.linspace, torch.eye,
     torch.hann_window, torch.hamming_window}
)  # fmt: skip


def check_size(path: Path) -> None:
    """Before a config is read.

    Raises:
        InputError: it is too large to be one.
    """
    if path.stat().st_size > LARGEST_CONFIG:
        raise InputError(f"{path}: this is not a recognizer's config: it has more than {LARGEST_CONFIG:,} bytes")


def check_values(config: Mapping[str, Any], where: str) -> None:
    """Before parts are made of a recipe's plain values.

    Raises:
        InputError: they lie too deep within each other, or a number is so large that it can be no setting.
    """
    found: list[tuple[Any, int]] = [(config, 1)]
    while found:
        value, depth = found.pop()
        if depth > DEEPEST:
            raise InputError(f"{where}: this is no recipe: its values lie more than {DEEPEST} deep within each other")
        if isinstance(value, Mapping):
            found += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list):
            found += [(inner, depth + 1) for inner in value]
        elif isinstance(value, int | float) and not abs(value) <= LARGEST_NUMBER:
            raise InputError(f"{where}: it holds a number beyond ±{LARGEST_NUMBER:,}, which no setting is")


def check_names(names: Sequence[str], where: str) -> None:
    """What a recognizer calls its classes: printed, written to tables and pages.

    Raises:
        InputError: two are the same, or one is no name.
    """
    for name in names:
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise InputError(f"{where}: an emotion's name has 1 to {LONGEST_NAME} printable characters")
    if len(set(names)) < len(names):
        raise InputError(f"{where}: two emotions have the same name")


class Bounded(TorchFunctionMode):
    """While it is active, tensors of no more than so many values together are made; one more is refused beforehand.

    Raises:
        InputError: a tensor is asked for that would exceed it.
    """

    def __init__(self, values: int) -> None:
        super().__init__()
        self.left = values

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Compute ``func`` where there is room for its result."""
        kwargs = dict(kwargs or {})
        if func in FACTORIES:
            # On the device "meta" a tensor has a shape and no memory.
            self.left -= func(*args, **(kwargs | {"device": "meta"})).numel()
            if self.left < 0:
                raise InputError("the config asks for a model much larger than that")
        return func(*args, **kwargs)
