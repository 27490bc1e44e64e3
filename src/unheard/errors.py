"""What goes wrong through the input, said in one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """The input is wrong, and the message says so in one sentence.

    The sentence names the file, row or key, what was expected and the remedy. The command prints it
    and exits with 2; everything else that is raised is a fault of ours (exit 1).
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(" ".join(sentence.splitlines()))  # names of files and keys may hold anything


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A hint to append to a sentence: the nearest right name, or all of them when none is near.

    >>> did_you_mean("anger", ["angry", "happy"])
    'did you mean "angry"?'
    >>> did_you_mean("zzz", ["angry", "happy"])
    'it is one of angry, happy'
    """
    names = list(names)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else f"it is one of {', '.join(names)}"
