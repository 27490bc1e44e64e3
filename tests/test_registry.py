import sys
from importlib.metadata import EntryPoint

import pytest

import unheard.registry
from unheard.errors import InputError
from unheard.registry import Registry


@pytest.fixture
def shapes() -> Registry:
    return Registry(
        "shape", {"fraction": "fractions:Fraction", "unused": "no_such_package:Thing"}, group="unheard.shapes"
    )


def test_a_part_is_loaded_when_it_is_asked_for(shapes: Registry):
    assert list(shapes) == ["fraction", "unused"]
    assert "unused" in shapes
    assert "no_such_package" not in sys.modules
    assert shapes["fraction"](1, 2) * 2 == 1
    with pytest.raises(ModuleNotFoundError):
        shapes["unused"]


@pytest.mark.parametrize("name", ["fractoin", "fractions:Fraction", "os:system", ""])
def test_only_registered_names_are_loaded(shapes: Registry, name: str):
    assert name not in shapes
    with pytest.raises(InputError, match=f'there is no shape "{name}"'):
        shapes[name]


def test_other_packages_add_their_own_but_replace_none(shapes: Registry, monkeypatch: pytest.MonkeyPatch):
    points = [
        EntryPoint("decimal", "decimal:Decimal", "unheard.shapes"),
        EntryPoint("fraction", "os:system", "unheard.shapes"),
    ]
    monkeypatch.setattr(unheard.registry, "entry_points", lambda group: points if group == "unheard.shapes" else [])
    assert list(shapes) == ["fraction", "unused", "decimal"]
    assert shapes["decimal"]("0.5") == shapes["fraction"](1, 2)
