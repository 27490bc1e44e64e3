"""What a client gets in the place of an answer: a problem in JSON (RFC 9457), with one sentence in ``detail``."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocket

from unheard.errors import InputError

#: What a log calls a request whose client left; nobody receives it.
CLIENT_LEFT = 499


class Problem(BaseModel):
    """Why there is no answer."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class RefusedError(Exception):
    """A request gets no answer.

    Args:
        status: of the response.
        detail: one sentence that says why, and what to do.
        headers: of the response, besides.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers

    @property
    def response(self) -> JSONResponse:
        """What the client gets."""
        problem = Problem(title=HTTPStatus(self.status).phrase, status=self.status, detail=self.detail)
        return JSONResponse(problem.model_dump(), self.status, self.headers, "application/problem+json")


def full(what: str) -> RefusedError:
    """There are as many already as there may be."""
    return RefusedError(503, f"there are as many {what} at the moment as there may be; try again in a second", later())


def later(seconds: int = 1) -> dict[str, str]:
    """The header that says when to come back."""
    return {"Retry-After": str(seconds)}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: that a path may answer with these."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        found[status] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status == 503:
            found[status]["headers"] = {
                "Retry-After": {"description": "Seconds.", "schema": {"type": "string"}, "required": True}
            }
    return found


def refusal(problem: Exception) -> RefusedError:
    """What an exception means for the client."""
    match problem:
        case RefusedError():
            return problem
        case InputError():
            return RefusedError(422, str(problem))
        case RequestValidationError() | WebSocketRequestValidationError():
            first = problem.errors()[0]
            name = first["loc"][-1]
            expected = str(first["msg"]).partition(" should ")[2] or first["msg"]
            return RefusedError(422, f'"{name}" of the request is {first["input"]!r:.60}; it should {expected}')
        case HTTPException():
            return RefusedError(problem.status_code, _sentence(problem), problem.headers)
        case _:
            return RefusedError(500, "this is a fault of the service; its log says more")


def _sentence(problem: HTTPException) -> str:
    match problem.status_code:
        case 404:
            return "there is nothing at this address; /openapi.json lists what there is"
        case 405:
            return "this address does not take this method; the header Allow says which it takes"
        case _:
            return str(problem.detail)


def answer_problems(app: FastAPI) -> None:
    """Let every exception become a problem."""

    async def over_http(request: Request, problem: Exception) -> Response:
        return refusal(problem).response

    async def over_websocket(socket: WebSocket, problem: Exception) -> None:
        await socket.send_denial_response(refusal(problem).response)

    async def nobody(request: Request, problem: Exception) -> Response:
        return Response(status_code=CLIENT_LEFT)

    for kind in (RefusedError, InputError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, over_http)
    app.add_exception_handler(WebSocketRequestValidationError, over_websocket)
    app.add_exception_handler(ClientDisconnect, nobody)
