"""``unheard serve``: a recognizer as a service."""

from __future__ import annotations

from pathlib import Path

import click

from unheard.cli.main import main
from unheard.cli.options import model_option
from unheard.errors import InputError

#: Addresses that only this machine can reach.
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@main.command()
@model_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 is all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for any that is free.")
@click.option(
    "--api-key", envvar="UNHEARD_API_KEY",
    help="What requests must bring; better given as UNHEARD_API_KEY, where no list of processes shows it.",
)  # fmt: skip
@click.option("--max-megabytes", type=click.FloatRange(0, min_open=True), default=32.0, show_default=True,
              help="Of one file.")  # fmt: skip
@click.option("--max-seconds", type=click.FloatRange(0, min_open=True), default=600.0, show_default=True,
              help="Of one recording or stream.")  # fmt: skip
@click.option("--max-requests", type=click.IntRange(1), default=64, show_default=True, help="Recordings at once.")
@click.option("--max-streams", type=click.IntRange(1), default=16, show_default=True, help="Streams at once.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Of the recognizer.")
def serve(
    model: Path | None,
    host: str,
    port: int,
    api_key: str | None,
    max_megabytes: float,
    max_seconds: float,
    max_requests: int,
    max_streams: int,
    threads: int,
) -> None:
    """Serve a recognizer: POST /predict, WebSocket /stream, and a page to record or drop a file."""
    if api_key == "":
        raise InputError("the key is empty; give one with UNHEARD_API_KEY, or none at all")
    try:
        from unheard.serve import Settings, create_app
        from unheard.serve.run import run
    except ImportError as problem:
        raise InputError(f"the service needs further packages: pip install 'unheard[serve]' ({problem})") from problem
    from unheard.recognizer import Recognizer

    settings = Settings(
        api_key=api_key, max_bytes=round(1e6 * max_megabytes), max_seconds=max_seconds, max_requests=max_requests,
        max_streams=max_streams, threads=threads,
    )  # fmt: skip
    app = create_app(Recognizer.load(model), settings)
    if host not in LOOPBACK and api_key is None:
        click.echo(f"unheard: whoever can reach {host} may use this; a key keeps others out: UNHEARD_API_KEY", err=True)
    run(app, host, port, lambda address: click.echo(f"the page: {address}   to end: Ctrl-C"))
