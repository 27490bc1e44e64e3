"""The trained thing, as people use it: recordings in, emotions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from unheard.audio import SAMPLE_RATE, read_audio, read_blocks
from unheard.errors import InputError
from unheard.timeline.score import Array, fixed_features, of_frames, of_windows
from unheard.timeline.stream import Stream
from unheard.timeline.timeline import Timeline
from unheard.timeline.verdict import surest, verdict
from unheard.timeline.windows import HOP, WINDOW, has_speech
from unheard.training.fitted import Fitted, load_fitted

Source = str | Path | bytes | NDArray[Any]
#: What a call takes besides: samples with their rate, as ``datasets`` and ``transformers`` pass them on.
Sampled = Mapping[str, Any]

#: The recognizer that comes with the package.
SHIPPED = Path(__file__).parent / "shipped"

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

    Attributes:
        emotion: the most probable one; None where it is less probable than the recognizer's threshold, and where there
            is no speech.
        probabilities: of each emotion, in the order of the recognizer's. They are there in any case, and mean nothing
            where there is no speech.
        duration: seconds.
        speech: whether there is speech in it, as the timeline finds it: by energy alone.
    """

    emotion: str | None
    probabilities: dict[str, float]
    duration: float
    speech: bool = True

    @property
    def verdict(self) -> str:
        """The emotion, ``not sure`` or ``no speech``."""
        return verdict(self.emotion, self.speech)


@dataclass(frozen=True)
class Heard:
    """What a recognizer needs of one recording.

    The fixed features [time, ...], the duration in seconds, and whether there is speech in it.
    """

    features: Array
    duration: float
    speech: bool = True


class Recognizer:
    """A trained model: ``config.json``, ``model.safetensors`` and a card.

    ``facts`` say what it was trained on, ``card`` says it to people, in Markdown. Loading executes nothing from the
    folder.
    """

    def __init__(self, fitted: Fitted, facts: dict[str, Any], card: str = "") -> None:
        self.fitted = fitted
        self.facts = facts
        self.card = card

    @classmethod
    def load(cls, folder: str | Path | None = None) -> Recognizer:
        """A recognizer from its folder, or from the folder of the run, training or demo that made it.

        Without a folder it is the one that comes with the package.

        Raises:
            InputError: there is none, or a file of it is not what it must be.
        """
        folder = SHIPPED if folder is None else Path(folder)
        inner = folder / "recognizer"
        if inner.is_dir():
            folder = inner
        card = folder / "README.md"
        return cls(*load_fitted(folder), card.read_text(encoding="utf-8", errors="replace") if card.is_file() else "")

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
        return self.judge([self.hear(source, rate=rate)])[0]

    def hear(self, source: Source, *, rate: int = SAMPLE_RATE) -> Heard:
        """What :meth:`judge` needs of one recording; the arguments and errors are those of :meth:`predict`."""
        waveform = read_audio(source, rate=_rate_of(source, rate))
        features = fixed_features(self.fitted.front_end, [waveform])[0]
        return Heard(features, len(waveform) / SAMPLE_RATE, has_speech(waveform))

    def judge(self, recordings: Sequence[Heard]) -> list[Prediction]:
        """The emotion in each of several recordings, which takes less time than one after the other."""
        posteriors = self.fitted.posteriors([heard.features for heard in recordings])
        predictions = []
        for heard, row in zip(recordings, posteriors, strict=True):
            probabilities = {emotion: float(value) for emotion, value in zip(self.emotions, row, strict=True)}
            emotion = surest(probabilities, self.fitted.calibration.threshold) if heard.speech else None
            predictions.append(Prediction(emotion, probabilities, heard.duration, heard.speech))
        return predictions

    def stream(
        self, *, rate: int = SAMPLE_RATE, window: float = WINDOW, hop: float = HOP, frames: bool = False
    ) -> Stream:
        """What takes samples as they come in, and judges each window as soon as it is complete.

        Args:
            rate: samples per second of what will come in.
            window: seconds that each judgement hears.
            hop: seconds from one judgement to the next.
            frames: give posteriors of every frame, if the recognizer was trained with the term ``segments``.

        Raises:
            InputError: window and hop do not go together, or there are no posteriors of frames.
        """
        score = (of_frames if frames else of_windows)(self.fitted)
        threshold = self.fitted.calibration.threshold
        return Stream(score, self.emotions, rate=rate, window=window, hop=hop, threshold=threshold)

    def timeline(
        self,
        source: Source,
        *,
        rate: int = SAMPLE_RATE,
        window: float = WINDOW,
        hop: float = HOP,
        frames: bool = False,
    ) -> Timeline:
        """The emotion over the time of a recording of any length, read and judged in parts.

        Args:
            source: a path, the bytes of a file, or samples in ±1 ([samples] or [channels, samples]).
            rate: of samples, in Hz.
            window, hop, frames: see :meth:`stream`; its windows and numbers are the same.

        Raises:
            InputError: there is nothing in it that can be read as sound; or as :meth:`stream`.
        """
        stream = self.stream(window=window, hop=hop, frames=frames)
        blocks = read_blocks(source, rate=_rate_of(source, rate))
        windows = [found for block in blocks for found in stream.push(block)]
        return Timeline.of([*windows, *stream.finish()])

    @overload
    def __call__(self, inputs: Source | Sampled, *, top_k: int | None = 5) -> list[dict[str, Any]]: ...
    @overload
    def __call__(self, inputs: list[Source | Sampled], *, top_k: int | None = 5) -> list[list[dict[str, Any]]]: ...
    def __call__(
        self, inputs: Source | Sampled | list[Source | Sampled], *, top_k: int | None = 5
    ) -> list[dict[str, Any]] | list[list[dict[str, Any]]]:
        """As a pipeline of ``transformers`` for audio classification is called.

        Args:
            inputs: a path, bytes, samples of 16 kHz, or a mapping with ``sampling_rate`` and the samples as ``array``
                or ``raw``; or a list of them.
            top_k: how many emotions at most; None is all.

        Returns:
            the surest first, ``{"score": ..., "label": ...}`` for each; a list of such lists for a list.

        Raises:
            InputError: as :meth:`predict`.
        """
        if isinstance(inputs, list):
            predictions = self.judge([self._heard(one) for one in inputs]) if inputs else []
            return [self._scores(prediction, top_k) for prediction in predictions]
        return self._scores(self.judge([self._heard(inputs)])[0], top_k)

    def _heard(self, source: Source | Sampled) -> Heard:
        if not isinstance(source, Mapping):
            return self.hear(source)
        samples = source.get("array", source.get("raw"))
        if samples is None or "sampling_rate" not in source:
            raise InputError(
                'a mapping needs "sampling_rate" and the samples as "array" or "raw", and this one has '
                f"{', '.join(map(str, source)) or 'nothing'}"
            )
        return self.hear(np.asarray(samples), rate=source["sampling_rate"])

    def _scores(self, prediction: Prediction, top_k: int | None) -> list[dict[str, Any]]:
        ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
        return [{"score": value, "label": emotion} for emotion, value in ranked[:top_k]]


def _rate_of(source: Source, rate: int) -> int | None:
    return rate if isinstance(source, np.ndarray) else None


def audio_files(source: str | Path) -> list[Path]:
    """The file itself, or every file in a folder and below it whose ending is one of audio, sorted."""
    path = Path(source)
    if not path.is_dir():
        return [path]
    return sorted(
        file for file in path.rglob("*") if file.suffix.lower() in AUDIO_ENDINGS and not file.name.startswith("._")
    )
