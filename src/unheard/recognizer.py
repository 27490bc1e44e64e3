"""The trained thing, as people use it: recordings in, emotions out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unheard.audio import SAMPLE_RATE, read_audio
from unheard.training.fitted import Fitted, load_fitted

Source = str | Path | bytes | NDArray[Any]

#: Endings that a folder is searched for; a file named directly may have any, since the content decides.
AUDIO_ENDINGS = frozenset(
    f".{ending}"
    for ending in [
        "wav",
        "flac",
        "mp3",
        "ogg",
        "oga",
        "opus",
        "m4a",
        "mp4",
        "aac",
        "webm",
        "aiff",
        "aif",
        "aifc",
        "au",
        "snd",
        "caf",
        "w64",
        "rf64",
        "spx",
        "wma",
        "amr",
        "mkv",
        "mka",
        "mov",
        "3gp",
    ]
)


@dataclass(frozen=True)
class Prediction:
    """What a recognizer hears in one recording.

    ``probabilities`` are in the order of the recognizer's emotions; ``duration`` is in seconds.
    """

    emotion: str
    probabilities: dict[str, float]
    duration: float


class Recognizer:
    """A trained model: ``config.json``, ``model.safetensors`` and a card.

    ``facts`` say what it was trained on. Loading executes nothing from the folder.
    """

    def __init__(self, fitted: Fitted, facts: dict[str, Any]) -> None:
        self.fitted = fitted
        self.facts = facts

    @classmethod
    def load(cls, folder: str | Path) -> Recognizer:
        """A recognizer from its folder, or from the folder of the run, training or demo that made it.

        Raises:
            InputError: there is none, or a file of it is not what it must be.
        """
        folder = Path(folder)
        inner = folder / "recognizer"
        return cls(*load_fitted(inner if inner.is_dir() else folder))

    @property
    def emotions(self) -> tuple[str, ...]:
        """What it can tell apart."""
        return self.fitted.emotions

    def predict(self, source: Source, *, rate: int = SAMPLE_RATE) -> Prediction:
        """The emotion in one recording.

        Args:
            source: a path, the bytes of a file, or samples in ±1 ([samples] or [channels, samples]).
            rate: of samples, in Hz.

        Raises:
            InputError: there is nothing in it that can be read as sound.
        """
        waveform = read_audio(source, rate=rate if isinstance(source, np.ndarray) else None)
        with torch.inference_mode():
            features, lengths = self.fitted.front_end.fixed(
                torch.from_numpy(waveform)[None], torch.tensor([len(waveform)])
            )
        posteriors = self.fitted.posteriors([features[0, : int(lengths[0])].float().numpy()])[0]
        probabilities = {emotion: float(value) for emotion, value in zip(self.emotions, posteriors, strict=True)}
        return Prediction(self.emotions[int(posteriors.argmax())], probabilities, len(waveform) / SAMPLE_RATE)


def audio_files(source: str | Path) -> list[Path]:
    """The file itself, or every file in a folder and below it whose ending is one of audio, sorted."""
    path = Path(source)
    if not path.is_dir():
        return [path]
    return sorted(
        file for file in path.rglob("*") if file.suffix.lower() in AUDIO_ENDINGS and not file.name.startswith("._")
    )
