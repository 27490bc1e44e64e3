"""A microphone: a line for each window, as soon as it is due."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TextIO

from unheard.errors import InputError
from unheard.predict.lines import window_line, window_record
from unheard.predict.work import Task
from unheard.recognizer import Recognizer
from unheard.timeline.microphone import Microphone
from unheard.timeline.stream import Window


def listen(recognizer: Recognizer, task: Task, style: str, out: TextIO) -> None:
    """Listen and write until Ctrl-C.

    Raises:
        InputError: there is no microphone, or the format is of whole recordings.
    """
    if style not in ("table", "jsonl"):
        raise InputError(f"--mic writes a line at a time, which --format {style} cannot; take table or jsonl")

    def write(windows: Iterable[Window]) -> None:
        for window in windows:
            line = window_line(window) if style == "table" else json.dumps(window_record(window), ensure_ascii=False)
            out.write(line + "\n")
            out.flush()

    with Microphone() as microphone:
        stream = recognizer.stream(rate=microphone.rate, window=task.window, hop=task.hop, frames=task.frames)
        try:
            for chunk in microphone:
                write(stream.push(chunk))
        except KeyboardInterrupt:
            write(stream.finish())
