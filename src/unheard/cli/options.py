"""Options that several verbs have, and what they check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from unheard.errors import InputError

OUT = click.Path(path_type=Path, file_okay=False)
OUT_FILE = click.Path(path_type=Path, dir_okay=False)
IN = click.Path(path_type=Path)


class TakesCorpora(click.Command):
    """Lets ``--corpus A B`` stand for ``--corpus A --corpus B``, as long as B is a manifest that exists.

    So with the other options that take manifests.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the option's name before each further manifest."""
        spread: list[str] = []
        option = None
        for previous, word in zip([None, *args], args, strict=False):
            if word in ("--corpus", "--auxiliary", "--leak-corpus"):
                option = word
            elif word.startswith("-"):
                option = None
            elif option and previous != option and is_manifest(Path(word)):
                spread.append(option)
            spread.append(word)
        return super().parse_args(ctx, spread)


def cache_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where features are kept."""
    return click.option(
        "--cache", type=OUT, envvar="UNHEARD_CACHE", help="Folder for computed features.  [default: the user's cache]"
    )(command)


def corpus_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """What to learn from."""
    return click.option(
        "--corpus",
        "manifests",
        type=IN,
        multiple=True,
        required=True,
        metavar="MANIFEST...",
        help="One manifest or several, or the folders they are in.",
    )(command)


def auxiliary_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """What to learn from besides."""
    return click.option(
        "--auxiliary",
        type=IN,
        multiple=True,
        metavar="MANIFEST...",
        help="Further speech to learn from, for recipes that take it; its emotion labels are not used.",
    )(command)


def labels_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """What to learn."""
    return click.option(
        "--labels", help="A label mapping by name or file: which emotions are merged and kept.  [default: as they are]"
    )(command)


def model_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """What to recognize with."""
    return click.option(
        "--model",
        type=IN,
        envvar="UNHEARD_MODEL",
        help="Folder of a recognizer, or of the run that made it.  [default: the one that comes with the package]",
    )(command)


def device_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """What to compute on."""
    return click.option(
        "--device",
        metavar="DEVICE",
        default="cpu",
        show_default=True,
        help="What to train on: cpu, cuda or auto, or several for one training, like 4xcuda.",
    )(command)


def fold_numbers(text: str | None) -> list[int] | None:
    """Numbers between commas."""
    if text is None:
        return None
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise InputError(f'--folds "{text}" is not a list of fold numbers; write for example --folds 1,2') from None


def is_manifest(path: Path) -> bool:
    """Whether a word of the command line is one manifest more."""
    return (path / "manifest.csv").is_file() or (path.suffix in {".csv", ".parquet"} and path.is_file())


def refuse_to_overwrite(path: Path, force: bool) -> None:
    """Nothing is overwritten without --force."""
    if path.exists() and not force:
        raise InputError(f"{path} is there already; use --force to replace it")
