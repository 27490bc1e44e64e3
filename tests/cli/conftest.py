from __future__ import annotations

from pathlib import Path

import pytest

from trees.command import Run, run_command


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in an empty folder with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNHEARD_MODEL", raising=False)
    monkeypatch.setenv("UNHEARD_CACHE", str(tmp_path / "cache"))
    return run_command
