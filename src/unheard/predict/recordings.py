"""Which recordings are meant: files, folders and a pipe."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple

from unheard.recognizer import audio_files

PIPE = "-"


class Recording(NamedTuple):
    """One recording.

    ``name`` is what the answers call it, ``path`` where it is read, ``relative`` its path within what was named.
    """

    name: str
    path: Path
    relative: PurePath

    def blamed(self, problem: str) -> str:
        """A sentence about the file, with the pipe called standard input."""
        return problem.replace(str(self.path), "standard input", 1) if self.name == PIPE else problem


def find_recordings(sources: Iterable[str], pipe: BinaryIO, scratch: Path, failures: list[str]) -> list[Recording]:
    """The recordings of files, folders and ``-``, in this order.

    Args:
        sources: what was named.
        pipe: standard input; what comes from it is kept in ``scratch``, so that its length does not matter.
        scratch: a folder.
        failures: gets a sentence for each folder without a recording.
    """
    found: list[Recording] = []
    for source in sources:
        if source == PIPE:
            path = scratch / "standard input"
            if not path.exists():
                with path.open("wb") as file:
                    shutil.copyfileobj(pipe, file)
            found.append(Recording(PIPE, path, PurePath("standard input")))
            continue
        root = Path(source)
        files = audio_files(root)
        if not files:
            failures.append(f"{source}: there is no audio file in this folder")
        found += [
            Recording(str(file), file, file.relative_to(root if root.is_dir() else root.parent)) for file in files
        ]
    return found
