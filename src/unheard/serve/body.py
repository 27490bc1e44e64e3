"""The recording in the body of a request, taken in as it comes: not too much of it, and not too slowly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from unheard.serve.problems import RefusedError
from unheard.serve.settings import Settings

#: Bytes per second that a body must have on average once ``body_timeout`` is over: less than a slow telephone sends.
SLOWEST = 50_000
#: What may be the body itself. Recorders and browsers give some sound another name.
RECORDING = ("audio/", "video/", "application/octet-stream", "application/ogg")
FORM = "multipart/form-data"


async def read_body(request: Request, settings: Settings) -> bytes:
    """The bytes of the file: the body itself, or the field ``file`` of a form.

    Raises:
        RefusedError: it is too large (413), too slow (408), of another type (415), or no such form (422).
    """
    kind = request.headers.get("content-type", "application/octet-stream").partition(";")[0].strip().lower()
    if kind != FORM and not kind.startswith(RECORDING):
        raise RefusedError(
            415,
            "the body must be a recording: send its bytes as audio/… or application/octet-stream, "
            "or the file as the field file of multipart/form-data",
        )
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > settings.max_bytes:
        raise _too_large(settings)
    arriving = _within_limits(request, settings)
    if kind == FORM:
        return await _file_of_form(request, arriving, settings)
    body = bytearray()
    async for chunk in arriving:
        body += chunk
    return bytes(body)


async def _within_limits(request: Request, settings: Settings) -> AsyncGenerator[bytes, None]:
    loop = asyncio.get_running_loop()
    until = loop.time() + settings.body_timeout
    arriving = request.stream()
    received = 0
    while True:
        try:
            async with asyncio.timeout_at(until + received / SLOWEST):
                chunk = await anext(arriving, None)
        except TimeoutError:
            raise RefusedError(
                408, "the body came too slowly; send it again over a faster line, or in a smaller format"
            ) from None
        if chunk is None:
            return
        received += len(chunk)
        if received > settings.max_bytes:
            raise _too_large(settings)
        yield chunk


async def _file_of_form(request: Request, arriving: AsyncGenerator[bytes, None], settings: Settings) -> bytes:
    parser = MultiPartParser(request.headers, arriving, max_files=1, max_fields=10, max_part_size=10_000)
    parser.spool_max_size = settings.max_bytes  # nothing of a recording is written to the disk
    try:
        form = await parser.parse()
    except MultiPartException as problem:
        raise RefusedError(422, f"the form cannot be read: {problem.message.rstrip('.')}") from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise RefusedError(422, 'the form must have a field "file" that holds a file')
        return await file.read()
    finally:
        await form.close()


def _too_large(settings: Settings) -> RefusedError:
    most = settings.max_bytes / 1e6
    return RefusedError(
        413, f"the body is larger than {most:g} MB; send a shorter recording, or one in a smaller format"
    )
