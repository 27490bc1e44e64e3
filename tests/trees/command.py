"""Running the command in a test."""

from __future__ import annotations

from collections.abc import Callable

from click.testing import CliRunner, Result

from unheard.cli import main

Run = Callable[..., Result]


def run_command(*arguments: object, input: bytes | None = None) -> Result:
    """What the command says and with what it ends; a fault of ours is raised."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=input)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def refused(result: Result) -> str:
    """The one sentence of a call whose input is wrong."""
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("unheard: ")
    return line.removeprefix("unheard: ")
