"""What the page of a benchmark ends with, the machine and the versions, and where it goes."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from mfcc import processor


def leave(result: Path, lines: list[str], *packages: str) -> None:
    """Print the page and write it to ``result``, with the machine, its load and the versions of packages behind it."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    machine = f"Machine: {processor()}, {platform.system()}{load}. Python {sys.version.split()[0]}, {versions}."
    text = "\n".join([*lines, "", machine, ""])
    print(text)
    result.write_text(text, encoding="utf-8")
