"""What importing another tool's files gives, and what a format is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from unheard.corpora.corpus import Corpus
from unheard.corpora.exchange.export import Export

#: The name of the only fold, where files have splits but do not name them.
GIVEN = "given"


@dataclass(frozen=True)
class Imported:
    """A corpus from another tool's files, and the splits that came with it.

    Attributes:
        corpus: each utterance once. The recordings need not be there; where they are, its paths lead to them.
        folds: the ids of each part (``train``, ``dev``, ``test``) of each fold, as the files list them: an utterance
            that stands in two parts, or twice in one, does so here too. Empty where there are no splits.
        lost: one sentence for each thing in the files that a corpus cannot hold.
    """

    corpus: Corpus
    folds: Mapping[str, Mapping[str, tuple[str, ...]]]
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Format:
    """How another tool writes a corpus down.

    Attributes:
        name: in the registry and on the command line.
        title: for people.
        recognizes: whether a file or folder looks like this, from names and first lines only.
        read: from a file or folder to what it holds.
        write: writes a corpus and returns a sentence for each thing that this format cannot hold; None where corpora
            are only read.
    """

    name: str
    title: str
    recognizes: Callable[[Path], bool]
    read: Callable[[Path], Imported]
    write: Callable[[Export], list[str]] | None = None
