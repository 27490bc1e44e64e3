"""CaFE: twelve actors speak six sentences of Canadian French in seven emotions, each but neutral at two intensities.

Names are ``AA-E-I-S``: actor (odd ones are men), emotion (the first letter of its French name: colère, dégoût, joie,
neutre, peur, surprise, tristesse), intensity (1 faible, 2 fort), sentence. Neutral speech has the code 1, but no
intensity. The 48 kHz edition is in WAV, the 192 kHz edition in AIFF; both hold the same recordings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unheard.corpora.published import AUDIO_SUFFIXES, Published, Row, decoded, named_audio

NAME = re.compile(r"(\d\d)-([A-Z])-(\d)-(\d)")
GENDERS = {f"{actor:02d}": "male" if actor % 2 else "female" for actor in range(1, 13)}
EMOTIONS = {
    "C": "angry", "D": "disgust", "J": "happy", "N": "neutral", "P": "fear", "S": "surprise", "T": "sad",
}  # fmt: skip
INTENSITIES = {"1": "mild", "2": "strong"}
SENTENCES = {
    "1": "Un cheval fou dans mon jardin",
    "2": "Deux ânes aigris au pelage brun",
    "3": "Trois cygnes aveugles au bord du lac",
    "4": "Quatre vieilles truies éléphantesques",
    "5": "Cinq pumas fiers et passionnés",
    "6": "Six ours aimants domestiqués",
}


def utterances(folder: Path) -> Iterator[Row]:
    """One row for each ``Colère/Faible/01-C-1-1.wav``.

    There is one more column, ``intensity``: ``mild`` or ``strong``, missing where the emotion is neutral.
    """
    for file, name in named_audio(folder, NAME, (*AUDIO_SUFFIXES, ".aiff", ".aif")):
        actor, emotion, intensity, sentence = name.groups()
        row = {
            "id": file.stem,
            "audio": str(file),
            "speaker": f"cafe_{actor}",
            "gender": decoded(file, "actor", actor, GENDERS),
            "emotion": decoded(file, "emotion", emotion, EMOTIONS),
            "style": "scripted",
            "text": decoded(file, "sentence", sentence, SENTENCES),
        }
        strength = decoded(file, "intensity", intensity, INTENSITIES)
        yield row if emotion == "N" else row | {"intensity": strength}


CAFE = Published(
    name="cafe",
    title="CaFE",
    language="fr",
    licence="CC BY-NC-SA 4.0",
    citation="Gournay, Lahaie, Lefebvre (2018), A Canadian French Emotional Speech Dataset, ACM Multimedia Systems "
    "Conference, 399–402 (doi:10.5281/zenodo.1219621)",
    layout="Colère/Faible/01-C-1-1.wav and 935 more, .wav, .flac or .aiff",
    # 12 actors × 6 sentences × 2 intensities; neutral has one.
    editions={"published": {emotion: 72 if emotion == "neutral" else 144 for emotion in EMOTIONS.values()}},
    utterances=utterances,
)
