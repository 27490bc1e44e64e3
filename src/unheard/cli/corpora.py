"""``unheard corpus``: prepare, synthesize, import and export corpora."""

from __future__ import annotations

from pathlib import Path

import click

from unheard.cli.main import main
from unheard.cli.options import (
    IN,
    OUT,
    OUT_FILE,
    refuse_to_overwrite,
)

#: More accepted flaws of a corpus than these are counted, not listed.
MOST_FLAWS = 10


@main.group()
def corpus() -> None:
    """Prepare a published corpus, exchange one with other tools, or synthesize one."""


@corpus.command("list")
def list_corpora() -> None:
    """List the published corpora that there are readers for."""
    from unheard.corpora import CORPORA

    for name in CORPORA:
        published = CORPORA[name]
        click.echo(f"{name:14}{published.title}, {published.language}; {published.licence}")


@corpus.command("import")
@click.argument("source", type=IN, metavar="PATH")
@click.option("--format", "style", help="Whose files they are.  [default: recognized]")
@click.option("--out", type=OUT_FILE, help="Manifest to write.  [default: PATH/manifest.csv]")
@click.option("--force", is_flag=True, help="Replace a manifest that is there.")
def import_(source: Path, style: str | None, out: Path | None, force: bool) -> None:
    """Write a manifest from the files of another tool.

    EmoBox, Hugging Face AudioFolder, audformat, Kaldi, SpeechBrain, lhotse and plain CSV are understood.
    """
    from unheard.corpora.exchange import import_corpus
    from unheard.protocols.given import with_parts

    manifest = out or (source if source.is_dir() else source.parent) / "manifest.csv"
    refuse_to_overwrite(manifest, force)
    imported = import_corpus(source, style)
    found = with_parts(imported).moved_to(manifest.parent)
    found.write(manifest)
    click.echo(f"{manifest}: {len(found):,} utterances")
    for sentence in imported.lost:
        click.echo(f"not kept: {sentence}", err=True)


@corpus.command()
@click.argument("manifest", type=IN)
@click.argument("folder", type=OUT)
@click.option("--format", "style", required=True, help="audformat, audio-folder, emobox, kaldi or lhotse.")
@click.option("--copy-audio", is_flag=True, help="Put the recordings into FOLDER too.")
@click.option("--force", is_flag=True, help="Write into a folder that holds something.")
def export(manifest: Path, folder: Path, style: str, copy_audio: bool, force: bool) -> None:
    """Write MANIFEST as another tool's files into FOLDER."""
    from unheard.corpora import Corpus
    from unheard.corpora.exchange import export_corpus

    found = Corpus.read(manifest)
    for sentence in export_corpus(found, folder, style, copy_audio=copy_audio, force=force):
        click.echo(f"not kept: {sentence}", err=True)
    click.echo(f"{folder}: {len(found):,} utterances")


@corpus.command()
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--partial", is_flag=True, help="Accept a folder that is not as published.")
@click.option("--force", is_flag=True, help="Replace a manifest that is there.")
def prepare(name: str, folder: Path, partial: bool, force: bool) -> None:
    """Write FOLDER/manifest.csv for the corpus NAME in its published layout."""
    from unheard.corpora import CORPORA
    from unheard.corpora.published import prepare as prepare_corpus

    manifest = folder / "manifest.csv"
    published = CORPORA[name]
    refuse_to_overwrite(manifest, force)
    prepared = prepare_corpus(published, folder, partial=partial)
    found = prepared.corpus
    found.write(manifest)
    for flaw in prepared.flaws[:MOST_FLAWS]:
        click.echo(f"accepted: {flaw}", err=True)
    if len(prepared.flaws) > MOST_FLAWS:
        click.echo(f"accepted: {len(prepared.flaws) - MOST_FLAWS:,} more flaws", err=True)
    click.echo(f"{manifest}: {len(found):,} utterances of {found.table['speaker'].nunique():,} speakers")
    click.echo(f"{published.title}, {published.licence}. Cite: {published.citation}")


@corpus.command()
@click.option("--out", type=OUT, required=True, help="Folder to write.")
@click.option("--speakers", default=20, show_default=True)
@click.option("--utterances", default=20, show_default=True, help="Per speaker.")
@click.option(
    "--bias", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="How far speaker predicts emotion."
)
@click.option("--seed", default=0, show_default=True)
@click.option("--force", is_flag=True, help="Replace a corpus that is there.")
def synthesize(out: Path, speakers: int, utterances: int, bias: float, seed: int, force: bool) -> None:
    """Write the built-in speaking corpus."""
    from unheard.corpora.synthetic import synthesize as synthesize_corpus

    made = synthesize_corpus(out, speakers=speakers, utterances=utterances, bias=bias, seed=seed, force=force)
    click.echo(f"{out / 'manifest.csv'}: {len(made)} synthetic utterances of {speakers} speakers, bias {bias}")
