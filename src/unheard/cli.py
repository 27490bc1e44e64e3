"""The command: one verb each, all the work elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from unheard import __version__
from unheard.errors import InputError

OUT = click.Path(path_type=Path, file_okay=False)
IN = click.Path(path_type=Path)


class Command(click.Group):
    """Puts what the user gave wrong into one sentence (exit 2), and guesses mistyped verbs."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one is near."""
        from unheard.errors import did_you_mean

        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise click.UsageError(f'there is no verb "{args[0]}"; {did_you_mean(args[0], self.commands)}', ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except InputError as problem:
            fail(str(problem))
        except KeyboardInterrupt:
            fail("interrupted; what was done is kept, and the same command goes on with it", code=130)


def fail(sentence: str, code: int = 2) -> NoReturn:
    """Say what is wrong and leave."""
    click.echo(f"unheard: {sentence}", err=True)
    sys.exit(code)


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="unheard")
def main() -> None:
    """Speech emotion recognition for voices it has never heard."""


def cache_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where features are kept."""
    return click.option(
        "--cache", type=OUT, envvar="UNHEARD_CACHE", help="Folder for computed features.  [default: the user's cache]"
    )(command)


def device_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """What to compute on."""
    return click.option(
        "--device",
        type=click.Choice(["cpu", "cuda", "auto"]),
        default="cpu",
        show_default=True,
        help="What to train on.",
    )(command)


@main.group()
def corpus() -> None:
    """Prepare a published corpus, or synthesize one."""


@corpus.command()
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--partial", is_flag=True, help="Accept other counts than the published ones.")
@click.option("--force", is_flag=True, help="Replace a manifest that is there.")
def prepare(name: str, folder: Path, partial: bool, force: bool) -> None:
    """Write FOLDER/manifest.csv for the corpus NAME in its published layout."""
    from unheard.corpora import CORPORA
    from unheard.corpora.published import prepare as prepare_corpus

    manifest = folder / "manifest.csv"
    published = CORPORA[name]
    refuse_to_overwrite(manifest, force)
    found = prepare_corpus(published, folder, partial=partial)
    found.write(manifest)
    click.echo(f"{manifest}: {len(found)} utterances of {found.table['speaker'].nunique()} speakers")
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


@main.command()
@click.argument("manifest", type=IN)
@click.option("--protocol", "name", help="The folds to audit, for example speaker-folds:5.")
@click.option("--seed", default=0, show_default=True, help="Of the protocol.")
@click.option("--format", "style", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
def audit(manifest: Path, name: str | None, seed: int, style: str) -> None:
    """Say what folds prove and what they leak.

    Exit 3 when they are not what they claim.
    """
    import json

    from unheard.corpora import Corpus
    from unheard.corpora.published import known_editions
    from unheard.protocols import get_protocol
    from unheard.protocols.audit import audit as audit_folds
    from unheard.protocols.audit_rendering import audit_html, audit_text

    protocol = get_protocol(name) if name else None
    found = Corpus.read(manifest).with_digests()
    result = audit_folds(found, protocol, seed=seed, published=known_editions(found))
    if style == "json":
        click.echo(json.dumps(result.to_dict(), indent=2, ensure_ascii=False))
    else:
        click.echo(audit_html(result) if style == "html" else audit_text(result))
    sys.exit(0 if result.ok else 3)


@main.command()
@click.argument("recipe")
@click.argument("overrides", nargs=-1)
@click.option("--corpus", "manifest", type=IN, required=True, help="Manifest, or the folder it is in.")
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
    manifest: Path,
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
    from unheard.recipe import Recipe
    from unheard.studies.study import feature_store, train_one

    torch.set_num_threads(1)  # as in a study: the number of threads is a part of a run
    chosen = Recipe.load(recipe, overrides)
    result = train_one(
        Corpus.read(manifest), chosen, out, feature_store(cache),
        protocol=protocol, fold=fold, seed=seed, device=device, force=force,
    )  # fmt: skip
    click.echo(f"{chosen.name} on {result['n']} test utterances: UA {result['ua']:.1%}, WA {result['wa']:.1%}")
    click.echo(f"use it: unheard predict AUDIO --model {out}")


@main.command()
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE... [KEY=VALUE]...")
@click.option("--corpus", "manifest", type=IN, required=True, help="Manifest, or the folder it is in.")
@click.option("--protocol", default="speaker-folds:5", show_default=True)
@click.option("--folds", help="Only these, for example 1,2; more can be added later.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many.")
@click.option("--baseline", help="The recipe that the others are compared with.  [default: the first]")
@click.option("--out", type=OUT, required=True, help="The study's folder; an interrupted study goes on where it was.")
@click.option("--workers", type=click.IntRange(1), help="Runs side by side.  [default: one per core]")
@device_option
@cache_option
@click.option("--force", is_flag=True, help="Start over what is in the folder.")
def study(
    recipes: tuple[str, ...],
    manifest: Path,
    protocol: str,
    folds: str | None,
    seeds: int,
    baseline: str | None,
    out: Path,
    workers: int | None,
    device: str,
    cache: Path | None,
    force: bool,
) -> None:
    """Compare RECIPES over folds and seeds, and write the report.

    KEY=VALUE overrides a key of every recipe, for example training.epochs=2.
    """
    from unheard.studies.report import study_text
    from unheard.verbs import study as run_study

    names = [word for word in recipes if "=" not in word]
    overrides = [word for word in recipes if "=" in word]
    run_study(
        names, manifest, out, protocol=protocol, folds=fold_numbers(folds), seeds=seeds, baseline=baseline,
        overrides=overrides, workers=workers, device=device, cache=cache, force=force,
    )  # fmt: skip
    click.echo(study_text(out))
    click.echo(f"report: {out / 'report.html'}")


@main.command()
@click.argument("study_folder", type=IN, metavar="F")
def report(study_folder: Path) -> None:
    """Write the report of the study in F again."""
    from unheard.studies.report import write_report

    click.echo(write_report(study_folder))
    click.echo(f"report: {study_folder / 'report.html'}")


@main.command()
@click.argument("name", required=False)
def recipes(name: str | None) -> None:
    """List the built-in recipes, or show what NAME is made of."""
    from unheard.recipe import Recipe, recipe_names

    if name:
        click.echo(Recipe.load(name).to_yaml(), nl=False)
        return
    for known in recipe_names():
        recipe = Recipe.load(known)
        click.echo(f"{known:16}{recipe.about}{f'  [{recipe.source}]' if recipe.source else ''}")


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


@main.command()
@click.option("--out", type=OUT, default=Path("unheard-demo"), show_default=True, help="Folder to write.")
@click.option("--force", is_flag=True, help="Start over what is in the folder.")
def demo(out: Path, force: bool) -> None:
    """The main job on the built-in corpus, in a few minutes."""
    from unheard.demo import run_demo

    run_demo(out, force=force)


def fold_numbers(text: str | None) -> list[int] | None:
    """Numbers between commas."""
    if text is None:
        return None
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise InputError(f'--folds "{text}" is not a list of fold numbers; write for example --folds 1,2') from None


def refuse_to_overwrite(path: Path, force: bool) -> None:
    """Nothing is overwritten without --force."""
    if path.exists() and not force:
        raise InputError(f"{path} is there already; use --force to replace it")
