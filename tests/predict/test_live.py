"""A microphone: a line for each window until Ctrl-C, and then the rest."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from unheard.audio import read_audio
from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.predict import live
from unheard.predict.work import Task
from unheard.recognizer import Recognizer


class Microphone(nullcontext):
    """Hears a recording twice, after two seconds of silence, and is then stopped."""

    rate = 16_000

    def __init__(self, sound: np.ndarray) -> None:
        super().__init__(self)
        self.sound = np.concatenate([np.zeros(32_000, np.float32), sound, sound])

    def __iter__(self) -> Iterator[np.ndarray]:
        yield from np.array_split(self.sound, 7)
        raise KeyboardInterrupt


@pytest.mark.parametrize("style", ["table", "jsonl"])
def test_every_window_is_written(small_run: Path, tiny_corpus: Corpus, style: str, monkeypatch: pytest.MonkeyPatch):
    microphone = Microphone(read_audio(tiny_corpus.audio_path(0)))
    monkeypatch.setattr(live, "Microphone", lambda: microphone)
    recognizer, out = Recognizer.load(small_run), io.StringIO()
    live.listen(recognizer, Task(), style, out)
    lines = out.getvalue().splitlines()
    assert len(lines) == -(-len(microphone.sound) // 16_000)
    if style == "jsonl":
        heard = [json.loads(line)["probabilities"] is not None for line in lines]
        assert heard == (~np.isnan(recognizer.timeline(microphone.sound).posteriors[:, 0])).tolist()
    else:
        assert lines[0].split() == ["0:00", "no", "speech"]


def test_formats_of_whole_recordings_get_one_sentence(small_run: Path):
    with pytest.raises(InputError, match="--format csv cannot; take table or jsonl"):
        live.listen(Recognizer.load(small_run), Task(), "csv", io.StringIO())
