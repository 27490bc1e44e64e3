"""What all tests share: property tests that give the same cases every time, and where the data lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("deterministic", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("deterministic")

# Tests run side by side: one thread each is faster, and numbers do not depend on the machine's cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def data_folder(variable: str) -> Path | None:
    """The folder that an environment variable names, or None."""
    value = os.environ.get(variable)
    return Path(value) if value else None


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A feature cache of the test's own."""
    return tmp_path / "cache"
