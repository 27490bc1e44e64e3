"""Schemathesis asks whatever the OpenAPI description allows, and much that it does not."""

from __future__ import annotations

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

from schemathesis.engine import events, from_schema  # noqa: E402

from trees.service import served  # noqa: E402
from unheard.recognizer import Recognizer  # noqa: E402
from unheard.serve import Settings, create_app  # noqa: E402

KEY = "letters"
CONFIG = {
    "headers": {"Authorization": f"Bearer {KEY}"},
    "generation": {"max-examples": 20, "deterministic": True, "database": "none"},
    # Bytes of any kind fit the description of a file, but few of them are a recording.
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2XX", 413, 415, 422]}},
}


def test_nothing_is_found(recognizer: Recognizer) -> None:
    asked, found = set(), []
    with served(create_app(recognizer, Settings(api_key=KEY, max_bytes=50_000))) as server:
        config = schemathesis.Config.from_dict(CONFIG)
        schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json", config=config)
        for event in from_schema(schema).execute():
            if isinstance(event, events.NonFatalError | events.FatalError):
                found.append(str(event))
            if isinstance(event, events.ScenarioFinished):
                recorder = event.recorder
                for case, interaction in recorder.interactions.items():
                    if interaction.response is not None:
                        asked.add((recorder.cases[case].value.path, interaction.response.status_code))
                found += [
                    f"{recorder.label}: {check.failure_info.failure}\n{check.failure_info.code_sample}"
                    for checks in recorder.checks.values()
                    for check in checks
                    if check.failure_info is not None
                ]
    assert found == []
    assert {path for path, _ in asked} == {"/predict", "/model", "/metrics", "/health", "/ready"}
    assert {status for path, status in asked if path == "/predict"} >= {401, 405, 415, 422}
