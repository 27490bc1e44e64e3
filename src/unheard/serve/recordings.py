"""``POST /predict``: a recording in, its emotion out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect

from unheard.serve.answers import Answer, HeardTimeline
from unheard.serve.body import FORM, read_body
from unheard.serve.problems import RefusedError, documented, full, later
from unheard.serve.service import Service

Result = TypeVar("Result")
router = APIRouter()

_RECORDING = {"schema": {"type": "string", "format": "binary", "description": "The bytes of a file of any format."}}
_FORM = {
    "schema": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}},
        "required": ["file"],
    }
}
_BODY = {
    "required": True,
    "content": {"application/octet-stream": _RECORDING, "audio/wav": _RECORDING, FORM: _FORM},
}


@router.post(
    "/predict",
    response_model_exclude_unset=True,
    responses=documented(408, 413, 415, 422, 503),
    openapi_extra={"requestBody": _BODY},
)
async def predict(
    request: Request, timeline: Annotated[bool, Query(description="Answer the emotion over time, too.")] = False
) -> Answer:
    """The emotion in one recording: the body itself, or the file of a form; any format, any rate, any channels."""
    service: Service = request.app.state.service
    if service.recordings >= service.settings.max_requests:
        raise full("recordings")
    with service.recording():
        body = await read_body(request, service.settings)
        return await _while_there(request, _answer(service, body, timeline), service.settings.request_timeout)


async def _answer(service: Service, body: bytes, timeline: bool) -> Answer:
    waveform = await service.recognition.read(body)
    prediction = await service.recognition.prediction(waveform)
    answer = Answer(
        emotion=prediction.emotion,
        verdict=prediction.verdict,
        probabilities={name: round(value, 6) for name, value in prediction.probabilities.items()},
        duration=round(prediction.duration, 3),
    )
    if timeline:
        answer.timeline = HeardTimeline.of(await service.recognition.timeline(waveform))
    service.metrics.audio.inc(prediction.duration)
    return answer


async def _while_there(request: Request, work: Coroutine[Any, Any, Result], seconds: float) -> Result:
    """The result, unless the client leaves or it takes too long: then the work is given up."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_left(request))
    try:
        done, _ = await asyncio.wait({working, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if working in done:
            return working.result()
        if leaving in done:
            raise ClientDisconnect
        raise RefusedError(
            503, f"there was no time for this recording within {seconds:g} s; try again later", later(10)
        )
    finally:
        working.cancel()
        leaving.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
