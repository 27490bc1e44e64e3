"""A tiny recognizer as a service: asked in this process, or over a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from starlette.testclient import TestClient

from trees.service import Served, served
from unheard.recognizer import Recognizer
from unheard.serve import Settings, create_app


@pytest.fixture(scope="session")
def recognizer(small_run: Path) -> Recognizer:
    return Recognizer.load(small_run)


@pytest.fixture(scope="module")
def client(recognizer: Recognizer) -> Iterator[TestClient]:
    """With the limits as they are by default."""
    with TestClient(create_app(recognizer)) as client:
        yield client


@pytest.fixture(scope="module")
def server(recognizer: Recognizer) -> Iterator[Served]:
    """Over a port, with little patience."""
    with served(create_app(recognizer, Settings(max_bytes=300_000, body_timeout=0.5, idle_timeout=0.5))) as server:
        yield server
