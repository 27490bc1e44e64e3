"""The service: its addresses, and what stands before them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

import unheard
from unheard.audio import SAMPLE_RATE
from unheard.recognizer import Recognizer
from unheard.serve import pages, recordings, streams
from unheard.serve.access import OPEN, Access
from unheard.serve.answers import About, Limits, Status
from unheard.serve.metrics import Measured
from unheard.serve.problems import Problem, RefusedError, answer_problems, documented, later
from unheard.serve.service import Service
from unheard.serve.settings import Settings
from unheard.timeline.verdict import NO_SPEECH, NOT_SURE

router = APIRouter()


def create_app(recognizer: Recognizer, settings: Settings | None = None) -> FastAPI:
    """The service of one recognizer, as an ASGI application.

    Args:
        recognizer: what answers.
        settings: the limits, and the key where there is one.
    """
    settings = settings or Settings()
    service = Service(recognizer, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.begin()
        # The first use is slow: let nobody wait for it.
        await service.recognition.prediction(np.zeros(SAMPLE_RATE, np.float32))
        try:
            yield
        finally:
            service.close()

    app = FastAPI(
        title="unheard",
        summary="Speech emotion recognition for voices it has never heard.",
        version=unheard.__version__,
        lifespan=lifespan,
        # Their pages would be fetched from elsewhere.
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    for part in (router, recordings.router, streams.router, pages.router):
        app.include_router(part)
    answer_problems(app)
    paths = OPEN | {"/predict", "/model", "/metrics"}
    app.add_middleware(Access, settings=settings)
    app.add_middleware(Measured, metrics=service.metrics, paths=paths)
    describe(app, settings, recognizer.emotions)
    return app


def describe(app: FastAPI, settings: Settings, emotions: tuple[str, ...]) -> None:
    """Add to OpenAPI what FastAPI cannot know: the form of problems, the words of answers, and the key."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        described = made()
        components = described["components"]
        for name in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(name, None)
        components["schemas"]["Problem"] = Problem.model_json_schema()
        for schema in components["schemas"].values():
            if "verdict" in (said := schema.get("properties", {})):
                said["verdict"]["enum"] = [*emotions, NOT_SURE, NO_SPEECH]
                said["emotion"]["enum"] = [*emotions, None]
        if settings.api_key is not None:
            components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            for path, methods in described["paths"].items():
                for method in methods.values() if path not in OPEN else ():
                    method["security"] = [{"key": []}]
                    method["responses"] |= {str(status): said for status, said in documented(401).items()}
        return described

    app.openapi = openapi  # type: ignore[method-assign]


@router.get("/health")
async def health() -> Status:
    """Whether the service lives."""
    return Status(status="alive")


@router.get("/ready", responses=documented(503))
async def ready(request: Request) -> Status:
    """Whether it takes recordings."""
    if not request.app.state.service.ready:
        raise RefusedError(503, "the service is starting or ending; try again in a second", later())
    return Status(status="ready")


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """What it has done so far, for Prometheus."""
    return Response(request.app.state.service.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/model")
async def model(request: Request) -> About:
    """The model card, and what the service takes."""
    service: Service = request.app.state.service
    recognizer = service.recognizer
    return About(
        name=recognizer.fitted.recipe.name,
        version=unheard.__version__,
        emotions=list(recognizer.emotions),
        card=recognizer.card,
        trained_on=recognizer.facts,
        limits=Limits(**service.settings.model_dump(include=set(Limits.model_fields))),
    )
