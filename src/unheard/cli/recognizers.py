"""``unheard predict``: use a recognizer."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from unheard.cli.main import main
from unheard.cli.options import (
    IN,
)
from unheard.errors import InputError


@main.command()
@click.argument("audio", nargs=-1, required=True, metavar="AUDIO...")
@click.option("--model", type=IN, envvar="UNHEARD_MODEL", help="Folder of a recognizer, or of the run that made it.")
@click.option(
    "--format", "style", type=click.Choice(["table", "json", "jsonl", "csv"]), default="table", show_default=True
)
def predict(audio: tuple[str, ...], model: Path | None, style: str) -> None:
    """Say the emotion in files, folders or a pipe (-)."""
    import torch

    from unheard.predict import write_predictions
    from unheard.recognizer import Recognizer

    if model is None:
        raise InputError(
            "there is no model to predict with; make one with `unheard demo --out F` or `unheard train`, "
            "then name its folder with --model F"
        )
    torch.set_num_threads(1)  # one recording is too little work to share, and sharing it is slow on a busy machine
    recognizer = Recognizer.load(model)
    failures = write_predictions(recognizer, audio, style, sys.stdin.buffer, sys.stdout)
    for failure in failures:
        click.echo(f"unheard: {failure}", err=True)
    sys.exit(2 if failures else 0)
