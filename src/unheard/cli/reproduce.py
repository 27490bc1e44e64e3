"""``unheard reproduce``: a paper's study on the corpus at hand, its published table beside ours."""

from __future__ import annotations

from pathlib import Path

import click

from unheard.cli.main import main
from unheard.cli.options import IN, OUT, TakesCorpora, auxiliary_option, cache_option, device_option, fold_numbers
from unheard.errors import InputError


@main.command(cls=TakesCorpora)
@click.argument("paper", required=False)
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--corpus", "manifests", type=IN, multiple=True, metavar="MANIFEST...", help="One manifest or several.")
@auxiliary_option
@click.option("--table", is_flag=True, help="Only print what was published.")
@click.option("--study", help="Which of the paper's studies.  [default: its first]")
@click.option("--labels", help="Another label mapping than the paper's, or as-they-are.")
@click.option("--protocol", help="Another protocol than the paper's.")
@click.option("--folds", help="Only these, for example 1,2; more can be added later.")
@click.option("--seeds", type=click.IntRange(1), help="How many runs of everything.  [default: the paper's]")
@click.option("--out", type=OUT, help="The study's folder; an interrupted study goes on where it was.")
@click.option("--workers", type=click.IntRange(1), help="Runs side by side.  [default: one per core]")
@device_option
@cache_option
@click.option("--force", is_flag=True, help="Start over what is in the folder.")
def reproduce(
    paper: str | None,
    overrides: tuple[str, ...],
    manifests: tuple[Path, ...],
    auxiliary: tuple[Path, ...],
    table: bool,
    study: str | None,
    labels: str | None,
    protocol: str | None,
    folds: str | None,
    seeds: int | None,
    out: Path | None,
    workers: int | None,
    device: str,
    cache: Path | None,
    force: bool,
) -> None:
    """Run a PAPER's study and print its table beside ours.

    Without PAPER, list the papers. KEY=VALUE overrides a key of the recipes that have it, for example
    terms.speaker.reverse.strength=0.3.
    """
    from unheard.papers import Paper
    from unheard.studies.reproduction.published import papers_text, published_text

    if paper is None:
        click.echo(papers_text(), nl=False)
        return
    if table:
        click.echo(published_text(paper, study), nl=False)
        return
    chosen = Paper.load(paper)
    if not manifests or out is None:
        missing = "--out F" if manifests else "--corpus MANIFEST" if out else "--corpus MANIFEST and --out F"
        raise InputError(
            f"to run the study of {paper}, give {missing}; `unheard reproduce {paper} --table` prints the published one"
        )

    from unheard.corpora import Corpus
    from unheard.corpora.joined import join
    from unheard.studies.reproduction.reproduce import reproduce as run
    from unheard.studies.study import feature_store

    corpus = join([Corpus.read(manifest) for manifest in manifests])
    further = join([Corpus.read(manifest) for manifest in auxiliary]) if auxiliary else None
    text = run(
        chosen, corpus, out, feature_store(cache), study=study, labels=labels, protocol=protocol,
        folds=fold_numbers(folds), seeds=seeds, auxiliary=further, overrides=overrides, workers=workers, device=device,
        force=force,
    )  # fmt: skip
    click.echo(text)
    click.echo(f"also in {out / 'reproduction.md'} and .csv; report: {out / 'report.html'}")
