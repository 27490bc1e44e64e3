"""A file for each recording: TextGrid for Praat, EAF for ELAN."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from unheard.errors import InputError
from unheard.files import write_atomically
from unheard.predict.recordings import Recording
from unheard.timeline.elan import elan
from unheard.timeline.textgrid import textgrid
from unheard.timeline.timeline import Timeline

#: How the files end, and what is in them.
FILES: dict[str, tuple[str, Callable[[Timeline, str], str]]] = {
    "textgrid": (".TextGrid", lambda timeline, _: textgrid(timeline)),
    "elan": (".eaf", elan),
}


def targets(style: str, folder: Path, recordings: Iterable[Recording]) -> dict[Path, Recording]:
    """Where each recording's file goes: at its path within what was named.

    Raises:
        InputError: two recordings would get the same one.
    """
    found: dict[Path, Recording] = {}
    for recording in recordings:
        path = folder / recording.relative.with_suffix(FILES[style][0])
        if found.get(path, recording).name != recording.name:
            raise InputError(
                f"{found[path].name} and {recording.name} would both go to {path}; write them to different folders"
            )
        found[path] = recording
    return found


def write_file(style: str, path: Path, name: str, timeline: Timeline) -> None:
    """Write one, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, FILES[style][1](timeline, name))
