"""The main job on the built-in corpus, start to finish, in a few minutes on two cores."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from unheard.audit.audit import audit
from unheard.audit.rendering import audit_text
from unheard.corpora import Corpus
from unheard.corpora.synthetic import synthesize
from unheard.frontends.store import FeatureStore
from unheard.recipe import Recipe
from unheard.recognizer import Recognizer
from unheard.studies.plan import Plan
from unheard.studies.report.write import write_report
from unheard.studies.study import run_study, start_over

#: A corpus in which the speaker tells much of the emotion, small enough for a few minutes.
SPEAKERS, UTTERANCES, BIAS = 16, 20, 0.75
PROTOCOL = "speaker-folds:4"
#: The recipes' own settings are made for larger corpora; both get the same shorter and steeper training.
OVERRIDES = (
    "training.epochs=30", "training.select=ua", "optimizer.name=adam", "optimizer.momentum=0",
    "optimizer.nesterov=false", "front_end.normalize=global", "network.dropout=0.2", "terms.emotion.dropout=0.2",
)  # fmt: skip
RECIPES = {"tdnn": OVERRIDES, "tdnn-dat": (*OVERRIDES, "terms.speaker.dropout=0.2")}


def run_demo(out: Path, *, force: bool = False) -> None:
    """Synthesize a biased corpus, audit it, study ``tdnn`` and ``tdnn-dat`` on unheard speakers, predict one file.

    Leaves ``report.html`` and ``recognizer`` in ``out``; interrupted, it goes on where it was.
    """
    if force:
        start_over(out)
        shutil.rmtree(out / "corpus", ignore_errors=True)
    cores = os.cpu_count() or 1
    click.echo(f"1. A corpus of {SPEAKERS} synthetic speakers, each with an emotion of their own (bias {BIAS})")
    folder = out / "corpus"
    if not (folder / "manifest.csv").is_file():
        synthesize(folder, speakers=SPEAKERS, utterances=UTTERANCES, bias=BIAS, workers=cores)
    recipes = [Recipe.load(name, overrides) for name, overrides in RECIPES.items()]
    plan = Plan.make(Corpus.read(folder), PROTOCOL, recipes, baseline="tdnn")

    click.echo("\n2. What its folds prove")
    click.echo(audit_text(audit(plan.corpus, plan.protocol)))

    click.echo("\n3. Two recipes, judged by speakers they never heard")
    run_study(plan, out, FeatureStore(out / "features"), workers=cores)
    click.echo(write_report(out))

    click.echo("\n4. One recording")
    shutil.copytree(plan.runs()[0].folder(out) / "recognizer", out / "recognizer", dirs_exist_ok=True)
    row = int(plan.cut()[0].test[0])
    recording = plan.corpus.audio_path(row)
    prediction = Recognizer.load(out).predict(recording)
    said = plan.corpus.table["emotion"].iat[row]
    click.echo(
        f"{recording}: {prediction.emotion} ({max(prediction.probabilities.values()):.0%}); it was made to sound {said}"
    )
    click.echo(f"\nreport: {out / 'report.html'}\nyour own recordings: unheard predict AUDIO --model {out}")
