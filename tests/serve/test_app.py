"""What there is besides recordings and streams."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse

import unheard
from trees.service import speech, wav
from unheard.recognizer import Recognizer
from unheard.serve import Settings, create_app

FILE = wav(speech(1.0))
KEY = "a secret of letters"


def test_it_is_alive_and_ready(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json() == {"status": "ready"}


def test_before_and_after_it_is_alive_and_not_ready(recognizer: Recognizer) -> None:
    app = create_app(recognizer)
    client = TestClient(app)
    for _ in range(2):
        assert client.get("/health").status_code == 200
        answer = client.get("/ready")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        with TestClient(app) as open_client:
            assert open_client.get("/ready").status_code == 200


def test_the_card_and_the_limits_are_there(client: TestClient, recognizer: Recognizer) -> None:
    said = client.get("/model").json()
    assert (said["name"], said["version"]) == ("tdnn", unheard.__version__)
    assert said["emotions"] == list(recognizer.emotions)
    assert said["card"].startswith("# tdnn\n")
    assert "Do not use this\nto judge people" in said["card"]
    assert said["trained_on"] == recognizer.facts
    assert said["limits"]["max_seconds"] == 600
    assert "api_key" not in said["limits"]


def test_whatever_a_recognizer_says_of_itself_it_has_an_answer(recognizer: Recognizer) -> None:
    with TestClient(create_app(Recognizer(recognizer.fitted, {"odd": [None]}))) as client:
        said = client.get("/model").json()
    assert (said["card"], said["trained_on"]) == ("", {"odd": [None]})


def test_the_page_needs_nothing_from_elsewhere(client: TestClient) -> None:
    for path, kind in (("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "").replace("https and on this", "")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/predict", 405)])
def test_a_wrong_address_is_a_problem_too(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert status != 405 or answer.headers["allow"] == "POST"


def test_it_counts_what_it_does(recognizer: Recognizer) -> None:
    with TestClient(create_app(recognizer)) as client:
        client.post("/predict", content=FILE)
        client.post("/predict", content=b"no sound")
        client.get("/made-up-1")
        client.request("MADEUP", "/made-up-2")
        with client.websocket_connect("/stream") as socket:
            socket.receive_json()
            during = client.get("/metrics").text
            socket.send_bytes(speech(3.0).tobytes())
            socket.receive_json()
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "unheard_streams_open 1.0" in during
    lines = answer.text.splitlines()
    for line in (
        'unheard_requests_total{method="POST",path="/predict",status="200"} 1.0',
        'unheard_requests_total{method="POST",path="/predict",status="422"} 1.0',
        'unheard_requests_total{method="GET",path="other",status="404"} 1.0',
        'unheard_requests_total{method="other",path="other",status="404"} 1.0',
        'unheard_request_seconds_count{path="/predict"} 2.0',
        "unheard_recordings_in_flight 0.0",
        "unheard_streams_open 0.0",
        "unheard_stream_windows_total 2.0",
        "unheard_audio_seconds_total 4.0",
    ):
        assert line in lines
    assert not any("made-up" in line or "MADEUP" in line for line in lines)


# Who may ask


@pytest.fixture(scope="module")
def locked(recognizer: Recognizer) -> TestClient:
    with TestClient(create_app(recognizer, Settings(api_key=KEY))) as client:
        yield client


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer wrong", KEY, f"Basic {KEY}", f"Bearer {KEY} ", "Bearer ä"]
)
def test_without_the_key_nothing_is_answered(locked: TestClient, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given.encode()}
    for method, path in (("POST", "/predict"), ("GET", "/model"), ("GET", "/metrics"), ("GET", "/nothing")):
        answer = locked.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert KEY not in answer.text
    with pytest.raises(WebSocketDenialResponse) as denied, locked.websocket_connect("/stream", headers=headers):
        pass
    assert denied.value.status_code == 401


def test_with_the_key_everything_is(locked: TestClient) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    assert locked.post("/predict", content=FILE, headers=headers).status_code == 200
    assert locked.get("/model", headers=headers).status_code == 200
    with locked.websocket_connect("/stream", headers=headers) as socket:
        assert socket.receive_json()["type"] == "begin"


def test_what_tells_nothing_needs_no_key(locked: TestClient) -> None:
    for path in ("/", "/page.js", "/health", "/ready", "/openapi.json"):
        assert locked.get(path).status_code == 200
    described = locked.get("/openapi.json").json()
    assert described["components"]["securitySchemes"] == {"key": {"type": "http", "scheme": "bearer"}}
    assert described["paths"]["/predict"]["post"]["security"] == [{"key": []}]
    assert "security" not in described["paths"]["/health"]["get"]


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://testserver:81"])
def test_pages_of_other_sites_are_refused(client: TestClient, origin: str) -> None:
    headers = {"Origin": origin}
    assert client.post("/predict", content=FILE, headers=headers).status_code == 403
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/stream", headers=headers):
        pass
    assert denied.value.status_code == 403
    assert client.post("/predict", content=FILE, headers={"Origin": "http://testserver"}).status_code == 200
