"""``unheard audit``: what folds prove and what they leak."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from unheard.cli.main import main
from unheard.cli.options import (
    IN,
    OUT_FILE,
    TakesCorpora,
    labels_option,
    refuse_to_overwrite,
)


@main.command(cls=TakesCorpora)
@click.argument("files", nargs=-1, required=True, type=IN, metavar="MANIFEST...")
@click.option("--protocol", "name", help="The folds to audit, for example speaker-folds:5.")
@labels_option
@click.option("--auxiliary", multiple=True, type=IN, help="Further training data: does it hold test voices?")
@click.option("--apart", multiple=True, metavar="COLUMN", help="Split files must share no value of it, say speaker.")
@click.option(
    "--audio",
    type=click.Choice(["no", "identical", "near"]),
    default="near",
    show_default=True,
    help="Look for identical files, or also for near-identical sound.",
)
@click.option("--seed", default=0, show_default=True, help="Of the protocol.")
@click.option("--format", "style", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
@click.option("--out", type=OUT_FILE, help="File to write instead of the terminal.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def audit(
    files: tuple[Path, ...],
    name: str | None,
    labels: str | None,
    auxiliary: tuple[Path, ...],
    apart: tuple[str, ...],
    audio: str,
    seed: int,
    style: str,
    out: Path | None,
    force: bool,
) -> None:
    """Say what folds prove and what they leak.

    MANIFEST is a manifest, or the split files of another tool: EmoBox, Hugging Face AudioFolder, audformat, Kaldi,
    SpeechBrain, lhotse, plain CSV. Exit 3 when the folds are not what they claim.
    """
    from unheard.audit.files import audit_files
    from unheard.audit.rendering import render
    from unheard.files import write_atomically

    if out:
        refuse_to_overwrite(out, force)
    found = audit_files(files, protocol=name, labels=labels, auxiliary=auxiliary, apart=apart, audio=audio, seed=seed)
    if out:
        write_atomically(out, render(found, style))
        click.echo(found.verdict)
    else:
        click.echo(render(found, style), nl=False)
    sys.exit(0 if found.ok else 3)
