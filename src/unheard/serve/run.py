"""Listening: connections that must say what they want in time, and an end that loses no request."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from unheard.errors import InputError

#: Seconds in which the head of a request must be there, and for which a connection is kept between two requests.
HEAD, BETWEEN = 10.0, 5
#: Seconds that requests which have begun may still take when the service is to end.
GRACE = 30
#: Bytes of a request's head, and of a message of a stream, at most.
HEAD_SIZE, MESSAGE_SIZE = 1 << 14, 1 << 20


class PatientNoLonger(H11Protocol):
    """Ends a connection whose request does not come; uvicorn would wait for ever while single bytes come in."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Go on waiting, or begin to wait for the next request, or take this one."""
        super().data_received(data)
        if not self._waiting:
            self._stop()
        elif self._deadline is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    @property
    def _waiting(self) -> bool:
        between = self.cycle is None or self.cycle.response_complete
        return between and self.transport.get_protocol() is self  # a WebSocket takes it over

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(HEAD, self._end)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        if self._waiting and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()


def server_of(app: FastAPI, **others: Any) -> uvicorn.Server:
    """A server that listens where it is told to with ``run(sockets=[...])``."""
    config = uvicorn.Config(
        app,
        http=PatientNoLonger,
        ws="websockets-sansio",
        ws_max_size=MESSAGE_SIZE,
        h11_max_incomplete_event_size=HEAD_SIZE,
        timeout_keep_alive=BETWEEN,
        timeout_graceful_shutdown=GRACE,
        log_level="warning",
        access_log=False,
        server_header=False,
        **others,
    )
    return uvicorn.Server(config)


def run(app: FastAPI, host: str, port: int, listening: Callable[[str], object]) -> None:
    """Serve until the process is told to end; what has begun by then is finished.

    Args:
        app: the service.
        host: the address to listen on.
        port: 0 for any that is free.
        listening: is told the address of the page.

    Raises:
        InputError: nobody can listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        taken = socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as problem:
        raise InputError(
            f"nobody can listen on {host}, port {port} ({problem}); choose another with --host and --port"
        ) from None
    name = f"[{host}]" if family == socket.AF_INET6 else host
    listening(f"http://{name}:{taken.getsockname()[1]}")
    server_of(app).run(sockets=[taken])
