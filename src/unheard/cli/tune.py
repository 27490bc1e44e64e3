"""``unheard tune``: search what a recipe leaves open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unheard.cli.main import main
from unheard.cli.options import (
    OUT,
    TakesCorpora,
    auxiliary_option,
    cache_option,
    corpus_option,
    device_option,
    fold_numbers,
    labels_option,
)
from unheard.errors import InputError


@main.command(cls=TakesCorpora)
@click.argument("recipe")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@corpus_option
@auxiliary_option
@labels_option
@click.option(
    "--search", "searched", multiple=True, metavar="KEY=VALUES",
    help="A list, as 'method.epsilon=[0.1, 1]', or a range, as 'method.epsilon={low: 0.1, high: 10, log: true}'.  "
    "[default: the part search of the recipe's file]",
)  # fmt: skip
@click.option("--trials", type=click.IntRange(1), default=20, show_default=True, help="How many in all.")
@click.option("--protocol", default="speaker-folds:5", show_default=True)
@click.option("--folds", help="Judge on these only, for example 1,2.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many for each trial.")
@click.option("--out", type=OUT, required=True, help="The search's folder; an interrupted search goes on where it was.")
@click.option("--workers", type=click.IntRange(1), help="Runs side by side.  [default: one per core]")
@device_option
@cache_option
@click.option("--force", is_flag=True, help="Start over what is in the folder.")
def tune(
    recipe: str,
    overrides: tuple[str, ...],
    manifests: tuple[Path, ...],
    auxiliary: tuple[Path, ...],
    labels: str | None,
    searched: tuple[str, ...],
    trials: int,
    protocol: str,
    folds: str | None,
    seeds: int,
    out: Path,
    workers: int | None,
    device: str,
    cache: Path | None,
    force: bool,
) -> None:
    """Search values of RECIPE on dev speakers only, and write the best recipe.

    KEY=VALUE overrides a key of the recipe, for example training.epochs=20.
    """
    from unheard.studies.tuning.text import tune_text
    from unheard.verbs import tune as run_search

    run_search(
        recipe, manifests, out, search=dict(map(_key_and_values, searched)), trials=trials, protocol=protocol,
        folds=fold_numbers(folds), seeds=seeds, labels=labels, auxiliary=auxiliary or None, overrides=overrides,
        workers=workers, device=device, cache=cache, force=force,
    )  # fmt: skip
    click.echo(tune_text(out))
    click.echo(f"use it: unheard study {out / 'best.yaml'} --corpus MANIFEST --out F")


def _key_and_values(text: str) -> tuple[str, Any]:
    from unheard.settings import parse_yaml

    key, equals, values = text.partition("=")
    if not equals:
        raise InputError(f"--search \"{text}\" is not a search; write for example --search 'method.epsilon=[0.1, 1]'")
    return key, parse_yaml(values, f'--search "{text}"')
