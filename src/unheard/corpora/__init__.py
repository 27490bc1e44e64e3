"""Corpora: the utterance table, one file per published corpus, and the built-in synthetic corpus."""

from unheard.corpora.corpus import EMOTIONS, Corpus
from unheard.registry import Registry

#: Readers of published corpora: each place is a :class:`unheard.corpora.published.Published`.
CORPORA = Registry(
    "corpus",
    {
        "emodb": "unheard.corpora.emodb:EMODB",
        "ravdess": "unheard.corpora.ravdess:RAVDESS",
        "urdu": "unheard.corpora.urdu:URDU",
    },
    group="unheard.corpora",
)

__all__ = ["CORPORA", "EMOTIONS", "Corpus"]
