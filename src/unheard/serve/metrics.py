"""What the service counts, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Edges of the histograms: seconds of a request, and sizes of batches.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "unheard_requests", "Requests answered.", ["method", "path", "status"], registry=registry
        )
        self.seconds = Histogram(
            "unheard_request_seconds", "How long an answer took.", ["path"], buckets=SECONDS, registry=registry
        )
        self.recordings = Gauge(
            "unheard_recordings_in_flight", "Recordings that are taken in or recognized.", registry=registry
        )
        self.streams = Gauge("unheard_streams_open", "Streams that are open.", registry=registry)
        self.windows = Counter("unheard_stream_windows", "Windows of streams that were answered.", registry=registry)
        self.audio = Counter("unheard_audio_seconds", "Seconds of sound that were recognized.", registry=registry)
        self.batches = Histogram(
            "unheard_batch_size", "Windows or recordings recognized together.", buckets=SIZES, registry=registry
        )

    def text(self) -> bytes:
        """All of them, in Prometheus' format."""
        return generate_latest(self._registry)


class Measured:
    """Counts requests and the time they take, by the address where it is one of ``paths``."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: Collection[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and measure its answer."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = time.perf_counter()
        # What clients make up must not become names of counters.
        path = scope["path"] if scope["path"] in self._paths else "other"
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.requests.labels(method, path, str(message["status"])).inc()
                self._metrics.seconds.labels(path).observe(time.perf_counter() - started)
            await send(message)

        return await self._app(scope, receive, counted)
