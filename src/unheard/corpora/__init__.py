"""Corpora: the utterance table, published and synthetic corpora, label mappings, exchange with other tools."""

from unheard.corpora.corpus import EMOTIONS, Corpus
from unheard.registry import Registry

#: Readers of published corpora: each place is a :class:`unheard.corpora.published.Published`.
CORPORA = Registry(
    "corpus",
    {
        "ased": "unheard.corpora.readers.ased:ASED",
        "cafe": "unheard.corpora.readers.cafe:CAFE",
        "crema-d": "unheard.corpora.readers.crema_d:CREMA_D",
        "emodb": "unheard.corpora.readers.emodb:EMODB",
        "emovo": "unheard.corpora.readers.emovo:EMOVO",
        "enterface": "unheard.corpora.readers.enterface:ENTERFACE",
        "esd": "unheard.corpora.readers.esd:ESD",
        "iemocap": "unheard.corpora.readers.iemocap:IEMOCAP",
        "jl": "unheard.corpora.readers.jl:JL",
        "librispeech": "unheard.corpora.readers.librispeech:LIBRISPEECH",
        "meld": "unheard.corpora.readers.meld:MELD",
        "msp-improv": "unheard.corpora.readers.msp_improv:MSP_IMPROV",
        "msp-podcast": "unheard.corpora.readers.msp_podcast:MSP_PODCAST",
        "nemo": "unheard.corpora.readers.nemo:NEMO",
        "ravdess": "unheard.corpora.readers.ravdess:RAVDESS",
        "savee": "unheard.corpora.readers.savee:SAVEE",
        "shemo": "unheard.corpora.readers.shemo:SHEMO",
        "subesco": "unheard.corpora.readers.subesco:SUBESCO",
        "tess": "unheard.corpora.readers.tess:TESS",
        "urdu": "unheard.corpora.readers.urdu:URDU",
        "voxceleb1": "unheard.corpora.readers.voxceleb1:VOXCELEB1",
    },
    group="unheard.corpora",
)

__all__ = ["CORPORA", "EMOTIONS", "Corpus"]
