"""Names for the parts that recipes and commands choose from: one line each, loaded when used."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from unheard.errors import InputError, did_you_mean


class Registry:
    """A table from a name to where the part lives, ``"package.module:attribute"``.

    Nothing is imported before it is asked for, so listing the names costs nothing. Packages outside
    this one add their own through the entry-point group given.

    >>> shapes = Registry("shape", {"fraction": "fractions:Fraction"}, group="unheard.shapes")
    >>> list(shapes)
    ['fraction']
    >>> fraction = shapes["fraction"]
    >>> fraction(1, 2)
    Fraction(1, 2)
    """

    def __init__(self, what: str, places: dict[str, str], group: str) -> None:
        self.what = what
        self.group = group
        self._places = places

    def places(self) -> dict[str, str]:
        """Every name with its place, our own first, then what other installed packages bring."""
        others = {point.name: point.value for point in entry_points(group=self.group)}
        return self._places | {name: place for name, place in others.items() if name not in self._places}

    def __iter__(self) -> Iterator[str]:
        return iter(self.places())

    def __contains__(self, name: str) -> bool:
        return name in self._places or name in self.places()

    def __getitem__(self, name: str) -> Any:
        # Our own first: looking through the installed packages takes a while.
        places = self._places if name in self._places else self.places()
        if name not in places:
            raise InputError(f'there is no {self.what} "{name}"; {did_you_mean(name, places)}')
        module, _, attribute = places[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
