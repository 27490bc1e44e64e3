"""The recognizer as a service: HTTP, WebSocket and a page, on this machine unless told otherwise."""

from unheard.serve.app import create_app
from unheard.serve.settings import Settings

__all__ = ["Settings", "create_app"]
