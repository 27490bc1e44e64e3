"""From what was named on the command line to what is written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TextIO

from tqdm import tqdm

from unheard.errors import InputError
from unheard.predict.files import FILES, targets, write_file
from unheard.predict.lines import Named, timeline_writers, writers
from unheard.predict.recordings import Recording, find_recordings
from unheard.predict.resume import finished
from unheard.predict.work import Task, answers
from unheard.recognizer import Prediction, Recognizer
from unheard.timeline.audformat_table import write_audformat
from unheard.timeline.picture import picture
from unheard.timeline.timeline import Timeline

FORMATS = ("table", "json", "jsonl", "csv", "textgrid", "elan", "audformat")


@dataclass(frozen=True)
class Output:
    """How the answers are written.

    Attributes:
        style: one of :data:`FORMATS`.
        out: a file, or a folder for ``textgrid``, ``elan`` and ``audformat``; otherwise standard output.
        plot: a file for a picture of the timeline of one recording.
        force: write over what is there.
    """

    style: str = "table"
    out: Path | None = None
    plot: Path | None = None
    force: bool = False

    @property
    def of_timelines(self) -> bool:
        """Whether it can only be of timelines."""
        return self.plot is not None or self.style not in writers

    def check(self) -> None:
        """Refuse what does not go together, before any work.

        Raises:
            InputError: it does not, or nothing may be overwritten.
        """
        if self.style == "audformat" and self.out is None:
            raise InputError("--format audformat needs a folder to write to; add --out F")
        goes_on = self.style == "jsonl" or self.style in FILES
        for path in (self.plot, None if goes_on else self.out):
            if path is not None and path.exists() and not self.force:
                raise InputError(f"{path} is there already; use --force to replace it")
        if self.out is not None and self.style in FILES and self.out.is_file():
            raise InputError(f"{self.out} is a file, and --format {self.style} writes to a folder; give another --out")


class Run:
    """One recognizer at many recordings; a recording that cannot be read stops none of the others.

    ``failures`` gets a sentence for every recording that gave none.
    """

    def __init__(
        self, recognizer: Recognizer, model: Path | None, task: Task, output: Output, workers: int, stdout: TextIO
    ) -> None:
        self.recognizer = recognizer
        self.model = model
        self.task = replace(task, timeline=True) if output.of_timelines else task
        self.output = output
        self.workers = workers
        self.stdout = stdout
        self.failures: list[str] = []

    def __call__(self, sources: Iterable[str], pipe: BinaryIO) -> list[str]:
        """Judge and write; returns the failures.

        Raises:
            InputError: what is asked for does not go together, or does not fit what is there.
        """
        self.output.check()
        if self.task.timeline:  # refuses settings that do not go together
            self.recognizer.stream(window=self.task.window, hop=self.task.hop, frames=self.task.frames)
        with tempfile.TemporaryDirectory() as scratch:
            recordings = find_recordings(sources, pipe, Path(scratch), self.failures)
            if self.output.plot is not None and len(recordings) != 1:
                raise InputError(f"--plot is of one recording, and there are {len(recordings)}; name one")
            if self.output.style == "audformat":
                self._database(recordings)
            elif self.output.style in FILES:
                self._files(recordings)
            else:
                self._lines(recordings)
        return self.failures

    def _lines(self, recordings: list[Recording]) -> None:
        style, out = self.output.style, self.output.out
        write = (timeline_writers if self.task.timeline else writers)[style]
        if out is not None and (style != "jsonl" or self.output.force):
            out.unlink(missing_ok=True)
        elif out is not None:
            done = finished(out, self.task.timeline, self.recognizer.emotions)
            recordings = [recording for recording in recordings if recording.name not in done]
        with ExitStack() as stack:
            file = self.stdout
            if out is not None:
                out.parent.mkdir(parents=True, exist_ok=True)
                file = stack.enter_context(out.open("a", encoding="utf-8", newline=""))
            named: Iterator[Named] = ((one.name, answer) for one, answer in self._answers(recordings))
            write(self.recognizer.emotions, named, file)

    def _files(self, recordings: list[Recording]) -> None:
        style, out = self.output.style, self.output.out
        if out is None:
            if len(recordings) != 1:
                raise InputError(f"--format {style} makes a file for each recording; add --out F, a folder")
            for recording, timeline in self._timelines(recordings):
                self.stdout.write(FILES[style][1](timeline, recording.name))
            return
        places = targets(style, out, recordings)
        wanted = {one.name: path for path, one in places.items() if self.output.force or not path.exists()}
        for recording, timeline in self._timelines([one for one in places.values() if one.name in wanted]):
            write_file(style, wanted[recording.name], recording.name, timeline)

    def _database(self, recordings: list[Recording]) -> None:
        assert self.output.out is not None
        timelines = {recording.name: timeline for recording, timeline in self._timelines(recordings)}
        write_audformat(self.output.out, timelines, self.recognizer.emotions)

    def _timelines(self, recordings: list[Recording]) -> Iterator[tuple[Recording, Timeline]]:
        for recording, answer in self._answers(recordings):
            assert isinstance(answer, Timeline)
            yield recording, answer

    def _answers(self, recordings: list[Recording]) -> Iterator[tuple[Recording, Prediction | Timeline]]:
        """What could be judged, with a bar where the lines do not show the progress themselves."""
        found = answers(self.recognizer, self.model, recordings, self.task, self.workers)
        lines_are_seen = self.output.out is None and self.output.style != "json" and self.stdout.isatty()
        bar = tqdm(
            found,
            desc="predict",
            total=len(recordings),
            unit="file",
            delay=2,
            disable=True if lines_are_seen else None,
            leave=False,
        )
        for recording, answer in bar:
            if isinstance(answer, str):
                self.failures.append(answer)
                continue
            if self.output.plot is not None and isinstance(answer, Timeline):
                _plot(self.output.plot, recording.name, answer)
            yield recording, answer


def _plot(path: Path, name: str, timeline: Timeline) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        picture(timeline, name).savefig(path)
    except ValueError as problem:  # the ending
        raise InputError(f"--plot {path}: {problem}") from None
