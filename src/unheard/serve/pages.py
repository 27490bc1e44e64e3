"""The page: three files without anything from elsewhere, and what a browser may do with them."""

from __future__ import annotations

from importlib import resources

from fastapi import APIRouter, Response

router = APIRouter(include_in_schema=False)

FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def _add(path: str, name: str, kind: str) -> None:
    @router.get(path)
    async def file() -> Response:
        content = (resources.files("unheard.serve") / "page" / name).read_bytes()
        return Response(content, media_type=kind, headers=HEADERS)


for _path, (_name, _kind) in FILES.items():
    _add(_path, _name, _kind)
