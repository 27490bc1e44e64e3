"""``unheard export``: a recognizer for programs without Python."""

from __future__ import annotations

from pathlib import Path

import click

from unheard.cli.main import main
from unheard.cli.options import IN, OUT_FILE, refuse_to_overwrite


@main.command()
@click.argument("model", type=IN, required=False, metavar="[F]")
@click.option("--out", type=OUT_FILE, default="model.onnx", show_default=True, help="File to write.")
@click.option("--quantize", is_flag=True, help="Write a variant with 8-bit weights beside it, too.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def export(model: Path | None, out: Path, quantize: bool, force: bool) -> None:
    """Write the recognizer in F as one ONNX file: waveform in, posteriors out.

    Without F it is the one that comes with the package.
    """
    from unheard.export.write import export_recognizer
    from unheard.recognizer import Recognizer

    for path in (out, out.with_suffix(".int8.onnx")) if quantize else (out,):
        refuse_to_overwrite(path, force)
    for file in export_recognizer(Recognizer.load(model), out, quantize=quantize):
        click.echo(f"{file.path}: {file.size / 1e6:.1f} MB, posteriors differ by at most {file.deviation:.1g}")
