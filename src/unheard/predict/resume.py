"""JSON lines that are gone on with: what stands there already is not done again."""

from __future__ import annotations

import json
from pathlib import Path

from unheard.errors import InputError


def finished(path: Path, timeline: bool, emotions: tuple[str, ...]) -> set[str]:
    """The names of the recordings whose line is there; a last line that was interrupted is cut off.

    Raises:
        InputError: the file holds something else, or what another model or another task gave.
    """
    if not path.exists():
        return set()
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    names = set()
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            record = json.loads(line)
            said = [window["probabilities"] for window in record["windows"]] if timeline else [record["probabilities"]]
            fits = all(one is None or tuple(one) == emotions for one in said)
            names.add(str(record["audio"]))
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise InputError(
                f"{path}, line {number}: this is no line that these options and this model write, so it cannot be gone "
                "on with; give another file, or --force to begin anew"
            )
    if len(whole) < len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return names
