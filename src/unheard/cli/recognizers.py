"""``unheard predict``: use a recognizer."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from unheard.cli.main import main
from unheard.cli.options import model_option

ANY = click.Path(path_type=Path)
FORMATS = ["table", "json", "jsonl", "csv", "textgrid", "elan", "audformat"]


@main.command()
@click.argument("audio", nargs=-1, metavar="AUDIO...")
@model_option
@click.option("--format", "style", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--timeline", is_flag=True, help="The emotion over time; recordings of any length.")
@click.option("--frames", is_flag=True, help="A timeline of frames, of a recognizer trained with segments.")
@click.option("--window", type=float, default=3.0, show_default=True, help="Seconds that each judgement hears.")
@click.option("--hop", type=float, default=1.0, show_default=True, help="Seconds from one to the next.")
@click.option("--plot", type=ANY, help="A picture of the timeline of one recording (.png, .svg, .pdf).")
@click.option("--mic", is_flag=True, help="Listen to the microphone until Ctrl-C.")
@click.option(
    "--out", type=ANY, help="File or folder to write to; with jsonl, textgrid and elan, go on with what is there."
)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes to work in.")
@click.option("--force", is_flag=True, help="Replace what is there.")
def predict(
    audio: tuple[str, ...],
    model: Path | None,
    style: str,
    timeline: bool,
    frames: bool,
    window: float,
    hop: float,
    plot: Path | None,
    mic: bool,
    out: Path | None,
    workers: int,
    force: bool,
) -> None:
    """Say the emotion in files, folders or a pipe (-)."""
    if bool(audio) == mic:
        raise click.UsageError("name recordings, folders or -, or else give --mic")
    if mic and (out or plot):
        raise click.UsageError("--mic writes to standard output, and goes without --out and --plot")
    import torch

    from unheard.predict.live import listen
    from unheard.predict.run import Output, Run
    from unheard.predict.work import Task
    from unheard.recognizer import Recognizer

    torch.set_num_threads(1)  # one recording is too little work to share, and sharing it is slow on a busy machine
    recognizer = Recognizer.load(model)
    task = Task(timeline or frames, frames, window, hop)
    if mic:
        listen(recognizer, task, style, sys.stdout)
        return
    run = Run(recognizer, model, task, Output(style, out, plot, force), workers, sys.stdout)
    failures = run(audio, sys.stdin.buffer)
    for failure in failures:
        click.echo(f"unheard: {failure}", err=True)
    sys.exit(2 if failures else 0)
