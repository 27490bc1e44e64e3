"""What all requests of one service share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from unheard.recognizer import Recognizer
from unheard.serve.metrics import Metrics
from unheard.serve.recognition import Recognition
from unheard.serve.settings import Settings


class Service:
    """Settings, counters and the recognition, which is there from :meth:`begin` to :meth:`close`."""

    recognition: Recognition

    def __init__(self, recognizer: Recognizer, settings: Settings) -> None:
        self.recognizer = recognizer
        self.settings = settings
        self.metrics = Metrics()
        self.recordings = 0
        self.streams = 0
        self.open = False

    def begin(self) -> None:
        """Start the threads."""
        self.recognition = Recognition(self.recognizer, self.settings, self.metrics.batches.observe)
        self.open = True

    def close(self) -> None:
        """Finish what was begun, and end the threads."""
        self.open = False
        self.recognition.close()

    @property
    def ready(self) -> bool:
        """Whether a request would be answered."""
        return self.open and self.recognition.ready

    @contextmanager
    def recording(self) -> Iterator[None]:
        """One recording more while it lasts."""
        self.recordings += 1
        self.metrics.recordings.set(self.recordings)
        try:
            yield
        finally:
            self.recordings -= 1
            self.metrics.recordings.set(self.recordings)

    @contextmanager
    def stream(self) -> Iterator[None]:
        """One stream more while it lasts."""
        self.streams += 1
        self.metrics.streams.set(self.streams)
        try:
            yield
        finally:
            self.streams -= 1
            self.metrics.streams.set(self.streams)
