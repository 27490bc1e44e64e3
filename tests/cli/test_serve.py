"""``unheard serve``."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from trees.command import Run, refused
from trees.service import speech, wav

pytest.importorskip("fastapi", reason="the extra serve is not installed")


def test_without_a_model_it_serves_the_shipped_one(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "nobody can listen" in refused(run("serve", "--port", taken.getsockname()[1]))
    assert "nowhere" in refused(run("serve", "--model", "nowhere"))


def test_an_empty_key_is_no_key(run: Run, small_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNHEARD_API_KEY", "")
    assert "the key is empty" in refused(run("serve", "--model", small_run, "--api-key", ""))


def test_a_port_that_is_taken_is_said_in_one_sentence(run: Run, small_run: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = refused(run("serve", "--model", small_run, "--port", taken.getsockname()[1]))
    assert "nobody can listen on 127.0.0.1" in said


def test_whoever_is_let_in_from_outside_is_said(run: Run, small_run: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        result = run("serve", "--model", small_run, "--host", "0.0.0.0", "--port", taken.getsockname()[1])
    assert "whoever can reach 0.0.0.0 may use this" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process could handle")
def test_it_serves_until_it_is_told_to_end(small_run: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "unheard", "serve", "--model", str(small_run), "--port", "0"]
    environment = os.environ | {"UNHEARD_API_KEY": "letters", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().removeprefix("the page: ").split()[0]
            assert address.startswith("http://127.0.0.1:")
            headers = {"Content-Type": "audio/wav", "Authorization": "Bearer letters"}
            request = urllib.request.Request(f"{address}/predict", wav(speech(1.0)), headers)
            with urllib.request.urlopen(request, timeout=60) as response:
                assert json.load(response)["duration"] == 1.0
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)
