"""Who may ask: whoever has the key where there is one, and no page of another site."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from unheard.serve.problems import RefusedError
from unheard.serve.settings import Settings

#: What tells nothing, and must be reached before anybody can give a key.
OPEN = frozenset({"/", "/page.css", "/page.js", "/health", "/ready", "/openapi.json"})


class Access:
    """Stands before everything else, so that nothing of a stranger's body is read.

    A browser says which site a request comes from. Another site than this one is refused, or any page that one visits
    could use a service that listens on one's own machine.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        key = settings.api_key
        self._expected = None if key is None else f"Bearer {key.get_secret_value()}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        refused = self._refusal(scope["path"], Headers(scope=scope))
        if refused is None:
            return await self._app(scope, receive, send)
        if scope["type"] == "http":
            return await refused.response(scope, receive, send)
        return await WebSocket(scope, receive, send).send_denial_response(refused.response)

    def _refusal(self, path: str, headers: Headers) -> RefusedError | None:
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
            return RefusedError(
                403, "this service answers no pages of other sites; ask it from a program, or from its own page"
            )
        if self._expected is None or path in OPEN:
            return None
        given = headers.get("authorization", "").encode("latin-1", "replace")
        if hmac.compare_digest(given, self._expected):
            return None
        return RefusedError(
            401,
            "this service needs its key; send it in the header Authorization: Bearer KEY",
            {"WWW-Authenticate": "Bearer"},
        )
