"""What README and docs show is there: commands, options, recipes, links, versions, and the package of extend.md."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import unheard
from unheard.cli import main
from unheard.protocols import get_protocol
from unheard.recipe import Recipe, recipe_names

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXTEND = ROOT / "docs" / "extend.md"

FENCE = re.compile(
    r"^```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
VERB = re.compile(r"`unheard ([a-z]+)")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> Iterator[re.Match[str]]:
    return (block for block in FENCE.finditer(page.read_text(encoding="utf-8")) if block["language"] in languages)


def commands(page: Path) -> Iterator[list[str]]:
    """The words behind `unheard` of every command line that a page shows."""
    for block in blocks(page, "sh", "console"):
        for line in block["code"].replace("\\\n", " ").splitlines():
            if block["language"] == "console" and not line.startswith("$ "):
                continue  # what the command says
            for command in re.split(r"&&|\|", line.removeprefix("$ ")):
                words = shlex.split(command.partition(" > ")[0], comments=True)
                if words and Path(words[0]).name == "unheard":
                    yield words[1:]


SHOWN = [(page, words) for page in PAGES for words in commands(page)]


def test_there_are_commands_to_check() -> None:
    assert {words[0] for _, words in SHOWN} >= set(main.commands)


@pytest.mark.parametrize(("page", "words"), SHOWN, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_every_command_shown_can_be_given(page: Path, words: list[str]) -> None:
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"{name_of(page)}: there is no verb {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    if isinstance(command, click.Group):
        assert words in (["--help"], ["--version"]), f"{name_of(page)}: {words}"
        return
    context = click.Context(command, help_option_names=["-h", "--help"])  # click keeps the names it is first asked with
    values, rest, _ = command.make_parser(context).parse_args(args=list(words))
    assert not rest
    for parameter in command.params:
        if isinstance(parameter.type, click.Choice) and parameter.name in values:
            parameter.type.convert(values[parameter.name], parameter, context)
        required = isinstance(parameter, click.Option) and parameter.required
        assert not required or parameter.name in values, f"{name_of(page)}: {parameter.name} is missing"
    if page != EXTEND:
        check_names(words, values)


def check_names(words: list[str], values: dict[str, object]) -> None:
    """The recipes, overrides and protocols of a command are there."""
    known = recipe_names()
    searched = values.get("searched", ())
    overrides = [word for word in words if "=" in word and not word.startswith("-") and word not in searched]
    for word in words:
        if word in known:
            Recipe.load(word, overrides)
        elif re.fullmatch(r"[\w.-]+\.yaml", word) is None:
            assert not re.match(r"(tdnn|egemaps|compare)", word), f"there is no recipe {word}"
    protocol = values.get("protocol") or values.get("name")
    if isinstance(protocol, str) and "--protocol" in words:
        get_protocol(protocol)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_verb_in_the_text_is_there(page: Path) -> None:
    assert set(VERB.findall(page.read_text(encoding="utf-8"))) <= set(main.commands)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target = link["target"].partition("#")[0]
        if target and not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{name_of(page)}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_shown_imports_what_is_there(page: Path) -> None:
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block["code"])):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unheard"):
                module = importlib.import_module(node.module or "")
                for alias in node.names:
                    assert hasattr(module, alias.name), f"{name_of(page)}: {node.module} has no {alias.name}"


def test_the_changelog_knows_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{unheard.__version__}]" in text
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == unheard.__version__


def test_every_dependency_is_pinned_to_what_was_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(need for extra in project["optional-dependencies"].values() for need in extra),
    ]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    pinned = {normal(pin) for pin in pins}
    assert {normal(need) for need in wanted} - {"unheard"} <= pinned
    assert "torch==2.13.0" in pins
    assert not pinned & {"unheard", "torchaudio", "torchvision"}
    assert not any(name.startswith("nvidia") for name in pinned)


def normal(requirement: str) -> str:
    """The name of a requirement, in one spelling."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~;\[ ]", requirement)[0]).lower()


def test_each_recipe_is_explained() -> None:
    explained = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "papers").glob("*.md")}
    for name in recipe_names():
        paper = Recipe.load(name).source.partition(",")[0]
        if paper:
            assert f"`{name}`" in explained[paper]
    shipped = {file.name for file in (resources.files("unheard") / "recipes").iterdir() if file.name.endswith(".yaml")}
    assert shipped == {f"{name}.yaml" for name in recipe_names()}


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_the_two_commands_can_be_read_by_the_build(name: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(rf"<!-- {name}:start -->\n```sh\n([^\n]+)\n```\n<!-- {name}:end -->", text)
    assert len(found) == 1
    assert "-c constraints.txt" in found[0]
    assert found[0].endswith({"demo": "unheard demo", "tests": "pytest"}[name])


def test_the_package_of_extend_md_works_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shown_files(tmp_path)
    write_recordings(tmp_path / "recordings")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("UNHEARD_CACHE", str(tmp_path / "cache"))
    said = ""
    for words in commands(EXTEND):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, (words, result.output, result.exception)
        said += result.stdout
    assert "48 utterances of 8 speakers" in said
    verdict = "speaker-independent: no test speaker is heard in training (4 folds, 8 test speakers)"
    assert verdict in " ".join(said.split())
    assert "loudness on 12 test utterances" in said
    assert said.count('"probabilities"') == 48


def write_shown_files(folder: Path) -> None:
    """The files of extend.md, and what an installation would tell Python of their entry points."""
    for block in blocks(EXTEND, "python", "toml", "yaml"):
        if block["title"]:
            path = folder / block["title"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["code"], encoding="utf-8")
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = folder / "voices-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: voices\nVersion: 1.0\n", encoding="utf-8")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in points.items())
        for group, points in project["entry-points"].items()
    ]
    (installed / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")


def write_recordings(folder: Path) -> None:
    """Eight speakers, louder when angry."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for speaker in ("anna", "bela", "chiara", "dario", "elsa", "folke", "gisa", "hugo"):
        for emotion, level in (("angry", 0.3), ("calm", 0.03)):
            for number in range(3):
                noise = level * random.uniform(0.5, 1.0) * random.uniform(-1, 1, 8_000 + 800 * number)
                soundfile.write(folder / f"{speaker}_{emotion}_{number}.wav", noise, 16_000)
