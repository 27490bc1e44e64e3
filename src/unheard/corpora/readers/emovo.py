"""EMOVO: six Italian actors say 14 sentences in seven states.

Names are ``emotion-speaker-sentence``, as in ``gio-m2-b1``. Sentences are short (``b``), long (``l``), without sense
(``n``) or questions (``d``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import Published, Row, decoded, named_audio

NAME = re.compile(r"([a-z]{3})-([a-z]\d)-([a-z]\d)")
EMOTIONS = {
    "dis": "disgust", "gio": "happy", "neu": "neutral", "pau": "fear", "rab": "angry", "sor": "surprise", "tri": "sad",
}  # fmt: skip
GENDERS = {"f1": "female", "f2": "female", "f3": "female", "m1": "male", "m2": "male", "m3": "male"}
SENTENCES = {
    "b1": "Gli operai si alzano presto.",
    "b2": "I vigili sono muniti di pistola.",
    "b3": "La cascata fa molto rumore.",
    "l1": "L'autunno prossimo Tony partirà per la Spagna nella prima metà di ottobre.",
    "l2": "Ora prendo la felpa di là ed esco per fare una passeggiata.",
    "l3": "Un attimo dopo s'è incamminato ... ed è inciampato.",
    "l4": "Vorrei il numero telefonico del Signor Piatti.",
    "n1": "La casa forte vuole col pane.",
    "n2": "La forza trova il passo e l'aglio rosso.",
    "n3": "Il gatto sta scorrendo nella pera.",
    "n4": "Insalata pastasciutta coscia d'agnello limoncello.",
    "n5": "Uno quarantatré dieci mille cinquantasette venti.",
    "d1": "Sabato sera cosa farà?",
    "d2": "Porti con te quella cosa?",
}


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``m2/gio-m2-b1.wav``."""
    for file, name in named_audio(folder, NAME):
        emotion, speaker, sentence = name.groups()
        yield {
            "id": file.stem,
            "audio": str(file),
            "speaker": f"emovo_{speaker}",
            "gender": decoded(file, "speaker", speaker, GENDERS),
            "emotion": decoded(file, "emotion", emotion, EMOTIONS),
            "style": "scripted",
            "text": decoded(file, "sentence", sentence, SENTENCES),
        }


EMOVO = Published(
    name="emovo",
    title="EMOVO",
    language="it",
    licence="no licence file; offered freely for research by its authors",
    citation="Costantini, Iaderola, Paoloni, Todisco (2014), EMOVO Corpus: an Italian Emotional Speech Database, LREC",
    layout="m2/gio-m2-b1.wav and 587 more, of the speakers f1 to f3 and m1 to m3, .wav or .flac",
    # Six speakers and 14 sentences for each state.
    editions={"published": dict.fromkeys(EMOTIONS.values(), 84)},
    utterances=utterances,
)
