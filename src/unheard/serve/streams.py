"""``/stream``, a WebSocket: chunks of sound in, what is heard in each window out as soon as it is due."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, WebSocket
from numpy.typing import NDArray
from starlette.websockets import WebSocketDisconnect

from unheard.errors import InputError
from unheard.serve.answers import HeardWindow
from unheard.serve.problems import full, refusal
from unheard.serve.service import Service
from unheard.timeline.stream import Stream, Window

router = APIRouter()

#: What a chunk's bytes are, little-endian.
FORMATS: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "int16": np.dtype("<i2")}
#: How a WebSocket ends (RFC 6455, 7.4.1).
DONE, NOT_AS_EXPECTED, AGAINST_THE_RULES = 1000, 1007, 1008


class StreamError(Exception):
    """The stream cannot go on.

    Args:
        code: of the end.
        detail: one sentence.
    """

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@router.websocket("/stream")
async def stream(
    socket: WebSocket,
    rate: Annotated[int, Query(description="Samples per second of one channel.")] = 16_000,
    format: Annotated[Literal["float32", "int16"], Query(description="Of the samples, little-endian.")] = "float32",
) -> None:
    """Binary messages are chunks of any size; a text message ``end`` asks for what is left.

    Every answer is JSON with a ``type``: ``begin`` (emotions, and the delay in seconds), ``window`` (start, end,
    emotion, probabilities), ``end``, or ``error`` (detail), after which the service closes.
    """
    service: Service = socket.app.state.service
    if service.streams >= service.settings.max_streams:
        await socket.send_denial_response(full("streams").response)
        return
    try:
        stream = service.recognition.stream(rate)
    except InputError as problem:
        await socket.send_denial_response(refusal(problem).response)
        return
    with service.stream():
        await socket.accept()
        try:
            await _serve(socket, stream, FORMATS[format], service)
        except WebSocketDisconnect:
            pass
        except InputError as problem:
            await _end(socket, NOT_AS_EXPECTED, str(problem))
        except StreamError as ended:
            await _end(socket, ended.code, ended.detail)


async def _serve(socket: WebSocket, stream: Stream, kind: np.dtype[Any], service: Service) -> None:
    settings = service.settings
    left = settings.max_seconds * stream.rate
    await socket.send_json({"type": "begin", "emotions": list(stream.emotions), "delay": stream.delay})
    while True:
        try:
            async with asyncio.timeout(settings.idle_timeout):
                message = await socket.receive()
        except TimeoutError:
            raise StreamError(
                AGAINST_THE_RULES, f"nothing came for {settings.idle_timeout:g} s; open another stream"
            ) from None
        if message["type"] == "websocket.disconnect":
            return
        if message.get("text") is not None:
            if message["text"].strip() != "end":
                raise StreamError(NOT_AS_EXPECTED, 'a text message can only be "end"; sound comes in binary messages')
            await _send(socket, await service.recognition.finish(stream), service)
            await socket.send_json({"type": "end"})
            await socket.close(DONE)
            return
        chunk = _samples(message["bytes"], kind)
        left -= len(chunk)
        if left < 0:
            raise StreamError(AGAINST_THE_RULES, f"a stream lasts {settings.max_seconds:g} s at most; open another")
        windows = await service.recognition.push(stream, chunk)
        service.metrics.audio.inc(len(chunk) / stream.rate)
        await _send(socket, windows, service)


async def _send(socket: WebSocket, windows: list[Window], service: Service) -> None:
    service.metrics.windows.inc(len(windows))
    for window in windows:
        try:
            async with asyncio.timeout(service.settings.idle_timeout):
                await socket.send_json({"type": "window"} | HeardWindow.of(window).model_dump())
        except TimeoutError:
            raise WebSocketDisconnect from None  # nobody takes it


def _samples(chunk: bytes, kind: np.dtype[Any]) -> NDArray[Any]:
    if len(chunk) % kind.itemsize:
        raise StreamError(NOT_AS_EXPECTED, f"{len(chunk)} bytes are no whole number of {kind.name} samples")
    return np.frombuffer(chunk, kind).astype(kind.newbyteorder("="))


async def _end(socket: WebSocket, code: int, detail: str) -> None:
    await socket.send_json({"type": "error", "detail": detail})
    await socket.close(code)
