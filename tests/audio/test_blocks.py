"""A recording in blocks is the recording, and takes no more memory however long it is."""

from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from unheard.audio import read_audio, read_blocks
from unheard.errors import InputError
from unheard.seeds import generator

FOLDER = Path(os.environ["UNHEARD_FORMATS"]) if os.environ.get("UNHEARD_FORMATS") else None
TABLE = pd.read_csv(FOLDER / "manifest.csv") if FOLDER else pd.DataFrame({"path": [], "content": []})
BROKEN = TABLE["content"] == "deliberately broken"


@pytest.mark.parametrize("path", TABLE["path"][~BROKEN])
def test_every_format_comes_as_it_is_read_whole(path: str):
    assert FOLDER is not None
    blocks = np.concatenate(list(read_blocks(FOLDER / path)))
    np.testing.assert_allclose(blocks, read_audio(FOLDER / path), atol=1e-6)


@pytest.mark.parametrize("path", TABLE["path"][BROKEN])
def test_what_is_broken_gets_the_same_sentence(path: str):
    assert FOLDER is not None
    with pytest.raises(InputError) as of_whole:
        read_audio(FOLDER / path)
    with pytest.raises(InputError) as of_blocks:
        list(read_blocks(FOLDER / path))
    assert str(of_blocks.value) == str(of_whole.value)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize(
    "mix",
    [lambda x: x, lambda x: [x, x], lambda x: [x, -x, x / 9], lambda x: [x, 0 * x], lambda x: (9_000 * x).astype("i2")],
    ids=["one", "the same twice", "two cancel", "one is silent", "integers"],
)  # fmt: skip
def test_channels_are_mixed_as_in_the_whole(rate: int, mix: Callable[[np.ndarray], np.ndarray]):
    samples = np.asarray(mix(0.3 * generator(0, "blocks").uniform(-1, 1, 3 * rate)))
    np.testing.assert_allclose(
        np.concatenate(list(read_blocks(samples, rate=rate))), read_audio(samples, rate=rate), atol=1e-6
    )


@pytest.mark.parametrize("samples", [np.zeros(0), np.array([0.1, np.nan] * 400), np.full(800, 1000.0)], ids=str)
def test_what_is_no_sound_gets_one_sentence(samples: np.ndarray):
    with pytest.raises(InputError, match="the array: "):
        list(read_blocks(samples))


def test_memory_does_not_grow_with_length(tmp_path: Path):
    def peak(minutes: int) -> int:
        path = tmp_path / f"{minutes}.flac"
        with soundfile.SoundFile(path, "w", 22_050, 2) as file:
            for _ in range(minutes):
                file.write(np.zeros((22_050 * 60, 2)))
        tracemalloc.start()
        seconds = sum(len(block) for block in read_blocks(path)) / 16_000
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert seconds == pytest.approx(60 * minutes, abs=0.01)
        return taken

    assert peak(6) < 1.1 * peak(1) < 30e6


def test_bytes_come_in_blocks_too():
    file = io.BytesIO()
    soundfile.write(file, 0.1 * np.ones(1_600_000), 16_000, format="WAV")
    blocks = list(read_blocks(file.getvalue()))
    assert len(blocks) > 1
    assert sum(map(len, blocks)) == 1_600_000
