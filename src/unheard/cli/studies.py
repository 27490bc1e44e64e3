"""``unheard train``, ``study``, ``report`` and ``demo``: make recognizers and judge them."""

from __future__ import annotations

from pathlib import Path

import click

from unheard.cli.main import main
from unheard.cli.options import (
    IN,
    OUT,
    TakesCorpora,
    auxiliary_option,
    cache_option,
    corpus_option,
    device_option,
    fold_numbers,
    labels_option,
)


@main.command(cls=TakesCorpora)
@click.argument("recipe")
@click.argument("overrides", nargs=-1)
@corpus_option
@auxiliary_option
@labels_option
@click.option("--protocol", default="speaker-holdout", show_default=True)
@click.option("--fold", default=1, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--out", type=OUT, required=True, help="The run's folder; an interrupted run goes on where it was.")
@device_option
@cache_option
@click.option("--force", is_flag=True, help="Start over what is in the folder.")
def train(
    recipe: str,
    overrides: tuple[str, ...],
    manifests: tuple[Path, ...],
    auxiliary: tuple[Path, ...],
    labels: str | None,
    protocol: str,
    fold: int,
    seed: int,
    out: Path,
    device: str,
    cache: Path | None,
    force: bool,
) -> None:
    """Train one RECIPE on one fold.

    OVERRIDES are key=value, for example training.epochs=2.
    """
    import torch

    from unheard.corpora import Corpus
    from unheard.corpora.joined import join
    from unheard.corpora.mapping import LabelMapping
    from unheard.recipe import Recipe
    from unheard.studies.study import feature_store, train_one

    torch.set_num_threads(1)  # as in a study: the number of threads is a part of a run
    chosen = Recipe.load(recipe, overrides)
    result = train_one(
        join([Corpus.read(manifest) for manifest in manifests]), chosen, out, feature_store(cache), protocol=protocol,
        fold=fold, seed=seed, labels=LabelMapping.load(labels) if labels else None,
        auxiliary=join([Corpus.read(manifest) for manifest in auxiliary]) if auxiliary else None, device=device,
        force=force,
    )  # fmt: skip
    click.echo(f"{chosen.name} on {result['n']} test utterances: UA {result['ua']:.1%}, WA {result['wa']:.1%}")
    click.echo(f"use it: unheard predict AUDIO --model {out}")


@main.command(cls=TakesCorpora)
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE... [KEY=VALUE]...")
@corpus_option
@auxiliary_option
@labels_option
@click.option("--protocol", default="speaker-folds:5", show_default=True)
@click.option("--folds", help="Only these, for example 1,2; more can be added later.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many.")
@click.option("--baseline", help="The recipe that the others are compared with.  [default: the first]")
@click.option(
    "--leak-corpus", "strangers", type=IN, multiple=True, metavar="MANIFEST...",
    help="Speakers nobody learns from, on whom the leak is measured too; they need no emotion labels.",
)  # fmt: skip
@click.option(
    "--enrol", type=click.IntRange(1),
    help="Utterances that enrol a new speaker where a recipe learns speakers.  [default: 20 if all have them, else 5]",
)  # fmt: skip
@click.option("--out", type=OUT, required=True, help="The study's folder; an interrupted study goes on where it was.")
@click.option("--workers", type=click.IntRange(1), help="Runs side by side.  [default: one per core]")
@device_option
@cache_option
@click.option("--force", is_flag=True, help="Start over what is in the folder.")
def study(
    recipes: tuple[str, ...],
    manifests: tuple[Path, ...],
    auxiliary: tuple[Path, ...],
    labels: str | None,
    protocol: str,
    folds: str | None,
    seeds: int,
    baseline: str | None,
    strangers: tuple[Path, ...],
    enrol: int | None,
    out: Path,
    workers: int | None,
    device: str,
    cache: Path | None,
    force: bool,
) -> None:
    """Compare RECIPES over folds and seeds, and write the report.

    KEY=VALUE overrides a key of every recipe, for example training.epochs=2.
    """
    from unheard.studies.report.write import study_text
    from unheard.verbs import study as run_study

    names = [word for word in recipes if "=" not in word]
    overrides = [word for word in recipes if "=" in word]
    run_study(
        names, manifests, out, protocol=protocol, folds=fold_numbers(folds), seeds=seeds, baseline=baseline,
        labels=labels, leak_corpus=strangers or None, auxiliary=auxiliary or None, enrol=enrol, overrides=overrides,
        workers=workers, device=device, cache=cache, force=force,
    )  # fmt: skip
    click.echo(study_text(out))
    click.echo(f"report: {out / 'report.html'}")


@main.command()
@click.argument("study_folder", type=IN, metavar="F")
@click.option("--draw", nargs=2, type=int, metavar="FOLD SEED", help="Embeddings to draw.  [default: the first]")
@click.option(
    "--over", multiple=True, metavar="KEY",
    help="Draw scores over this key of the recipes, which differ in it and in nothing else; further keys may go along.",
)  # fmt: skip
def report(study_folder: Path, draw: tuple[int, int] | None, over: tuple[str, ...]) -> None:
    """Write the report of the study in F again."""
    from unheard.studies.report.write import write_report

    click.echo(write_report(study_folder, draw, over))
    click.echo(f"report: {study_folder / 'report.html'}")


@main.command()
@click.option("--out", type=OUT, default=Path("unheard-demo"), show_default=True, help="Folder to write.")
@click.option("--force", is_flag=True, help="Start over what is in the folder.")
def demo(out: Path, force: bool) -> None:
    """The main job on the built-in corpus, in a few minutes."""
    from unheard.demo import run_demo

    run_demo(out, force=force)
