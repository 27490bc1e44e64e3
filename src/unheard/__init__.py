"""Speech emotion recognition for voices it has never heard.

``unheard.Corpus.read(manifest)``, ``unheard.study(recipes, corpus, out)``, ``unheard.tune(recipe, corpus, out)``,
``unheard.reproduce(paper, corpus, out)`` and ``unheard.Recognizer.load(folder).predict(path_or_array)`` are the
command's main verbs in Python. Nothing is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unheard.corpora import Corpus
    from unheard.errors import InputError
    from unheard.recognizer import Recognizer
    from unheard.verbs import reproduce, study, tune

__version__ = "0.1.0"
__all__ = ["Corpus", "InputError", "Recognizer", "__version__", "reproduce", "study", "tune"]

_PLACES = {
    "Corpus": "corpora",
    "InputError": "errors",
    "Recognizer": "recognizer",
    "reproduce": "verbs",
    "study": "verbs",
    "tune": "verbs",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'unheard' has no attribute '{name}'")
    return getattr(importlib.import_module(f"unheard.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
