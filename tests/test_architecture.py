"""The house keeps its order: imports go upwards, parts load when they are used, files stay short."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import unheard
from unheard.corpora import CORPORA
from unheard.corpora.exchange import FORMATS
from unheard.frontends import FRONT_ENDS
from unheard.methods import CLASSIFIERS, METHODS, TERMS
from unheard.networks import NETWORKS
from unheard.protocols import PROTOCOLS
from unheard.registry import Registry

PACKAGE = Path(unheard.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

#: A module imports from its own line and from those above it.
ORDER = (
    {"errors", "files", "processes", "registry", "seeds", "settings"},
    {"audio", "metrics"},
    {"corpora"},
    {"protocols"},
    {"audit"},
    {"frontends"},
    {"networks"},
    {"methods"},
    {"recipe"},
    {"papers"},
    {"training"},
    {"evaluation"},
    {"studies"},
    {"timeline"},
    {"recognizer", "predict", "verbs"},
    {"export"},
    {"serve"},
    {"demo"},
    {"cli", "__main__"},
)
#: On one line, but these do not import each other.
STRANGERS = ({"audio", "metrics"},)
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
#: What must not wait for torch.
WITHOUT_TORCH = ("audio", "metrics", "corpora", "protocols", "audit")

REGISTRIES = (FRONT_ENDS, NETWORKS, TERMS, METHODS, CLASSIFIERS, CORPORA, FORMATS, PROTOCOLS)


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def module_of(file: Path) -> str:
    parts = ("unheard", *file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_rooms(file: Path) -> Iterator[tuple[str, int]]:
    """Every room of this package that a file imports from, anywhere in it, and the line."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports are absolute"
            names = (
                [f"unheard.{alias.name}" for alias in node.names] if node.module == "unheard" else [node.module or ""]
            )
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            room = rest.partition(".")[0]
            if package == "unheard" and room in LEVEL:
                yield room, node.lineno


def test_every_room_has_its_place() -> None:
    assert {room_of(file) for file in FILES} - {"__init__"} <= set(LEVEL)


@pytest.mark.parametrize("file", [file for file in FILES if room_of(file) != "__init__"], ids=module_of)
def test_imports_go_upwards(file: Path) -> None:
    here = room_of(file)
    for room, line in imported_rooms(file):
        assert LEVEL[room] <= LEVEL[here], f"{file}:{line}: {here} imports from {room}, which stands below it"
        apart = any({here, room} <= strangers for strangers in STRANGERS)
        assert room == here or not apart, f"{file}:{line}: {here} imports from {room}, its neighbour"


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_files_are_short(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines < 400, f"{file} has {lines} lines: a file holds one idea"


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.what)
def test_every_registered_place_can_be_loaded(registry: Registry) -> None:
    assert list(registry)
    for name in registry:
        assert callable(registry[name]) or registry in (CORPORA, FORMATS), name


def modules_loaded_by(code: str) -> set[str]:
    """What a fresh interpreter has imported after running the code."""
    program = f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_the_package_and_its_help_do_without_torch() -> None:
    show = "with contextlib.suppress(SystemExit): main(['--help'])"
    loaded = modules_loaded_by(f"import contextlib, unheard\nfrom unheard.cli import main\n{show}")
    assert "unheard.cli" in loaded
    assert not loaded & {"torch", "pandas", "numpy"}


def test_the_rooms_of_plain_data_do_without_torch() -> None:
    modules = [module_of(file) for file in FILES if room_of(file) in WITHOUT_TORCH]
    loaded = modules_loaded_by("import " + ", ".join(modules))
    assert set(modules) <= loaded
    assert "torch" not in loaded
