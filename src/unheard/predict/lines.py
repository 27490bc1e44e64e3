"""Answers as text: table, json, jsonl or csv, one recording after the other, each seen as soon as it is there."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

from unheard.recognizer import Prediction
from unheard.timeline.picture import clock
from unheard.timeline.stream import Window
from unheard.timeline.timeline import Timeline
from unheard.timeline.verdict import NO_SPEECH

Named = tuple[str, Prediction | Timeline]


def record(name: str, answer: Prediction | Timeline) -> dict[str, Any]:
    """What JSON says of one recording; of a timeline its segments, and what each window says alone."""
    if isinstance(answer, Prediction):
        return {
            "audio": name,
            "emotion": answer.emotion,
            "verdict": answer.verdict,
            "duration": round(answer.duration, 3),
            "probabilities": _rounded(answer.probabilities),
        }
    return {
        "audio": name,
        "duration": round(answer.duration, 3),
        "segments": list(_segments(answer)),
        "windows": [
            {
                "start": round(float(start), 3),
                "end": round(float(end), 3),
                "probabilities": None if math.isnan(row[0]) else _rounded(dict(zip(answer.emotions, row, strict=True))),
            }
            for start, end, row in zip(answer.start, answer.end, answer.posteriors.tolist(), strict=True)
        ],
    }


def window_record(window: Window) -> dict[str, Any]:
    """What JSON says of one window of a stream, as in the timeline of the whole."""
    return {
        "start": round(window.start, 3),
        "end": round(window.end, 3),
        "probabilities": None if window.probabilities is None else _rounded(window.probabilities),
    }


def window_line(window: Window) -> str:
    """One window of a stream as a line of the table."""
    return f"{clock(window.start):>8}  {_ranked(window)}"


def _segments(timeline: Timeline) -> Iterator[dict[str, Any]]:
    for segment in timeline.segments:
        yield {
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "emotion": segment.emotion,
            "verdict": segment.verdict,
            "probability": None if segment.probability is None else round(segment.probability, 4),
        }


def _rounded(probabilities: dict[str, float]) -> dict[str, float]:
    return {emotion: round(value, 4) for emotion, value in probabilities.items()}


def _ranked(answer: Prediction | Window) -> str:
    """The surest emotion first, the others behind it; all of them behind the words where it is not sure."""
    if answer.probabilities is None or answer.verdict == NO_SPEECH:
        return NO_SPEECH
    ranked = sorted(answer.probabilities.items(), key=lambda item: -item[1])
    sure = answer.emotion is not None
    others = ranked[1:4] if sure else ranked[:3]
    return (
        _said(answer.verdict, ranked[0][1] if sure else None)
        + "   "
        + "  ".join(f"{emotion} {value:.0%}" for emotion, value in others)
    )


def _said(verdict: str, probability: float | None) -> str:
    return f"{verdict:10} " + ("    " if probability is None else f"{probability:4.0%}")


def _write_table(emotions: tuple[str, ...], answers: Iterable[Named], out: TextIO) -> None:
    """Long names are cut at the front, where paths are alike."""
    for name, answer in answers:
        if isinstance(answer, Prediction):
            shown = name if len(name) <= 40 else f"…{name[-39:]}"
            out.write(f"{shown:40}  {_ranked(answer)}\n")
        else:
            out.write(f"{name}  {clock(answer.duration)}\n")
            for segment in answer.segments:
                said = _said(segment.verdict, segment.probability).rstrip()
                out.write(f"{clock(segment.start):>12} – {clock(segment.end):10}  {said}\n")
        out.flush()


def _write_json(emotions: tuple[str, ...], answers: Iterable[Named], out: TextIO) -> None:
    json.dump([record(*named) for named in answers], out, indent=2, ensure_ascii=False)
    out.write("\n")


def _write_jsonl(emotions: tuple[str, ...], answers: Iterable[Named], out: TextIO) -> None:
    for named in answers:
        out.write(json.dumps(record(*named), ensure_ascii=False) + "\n")
        out.flush()


def _write_csv(emotions: tuple[str, ...], answers: Iterable[Named], out: TextIO) -> None:
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["audio", "emotion", "verdict", "duration", *(f"p_{emotion}" for emotion in emotions)])
    for named in answers:
        of = record(*named)
        rows.writerow([of["audio"], of["emotion"], of["verdict"], of["duration"], *of["probabilities"].values()])
        out.flush()


def _write_segments(emotions: tuple[str, ...], answers: Iterable[Named], out: TextIO) -> None:
    """A row per segment; where it is not sure the emotion is empty, without speech the probability too."""
    rows = csv.DictWriter(out, ["audio", "start", "end", "emotion", "verdict", "probability"], lineterminator="\n")
    rows.writeheader()
    for name, answer in answers:
        assert isinstance(answer, Timeline)
        rows.writerows({"audio": name, **segment} for segment in _segments(answer))
        out.flush()


Writer = Callable[[tuple[str, ...], Iterable[Named], TextIO], None]

writers: dict[str, Writer] = {
    "table": _write_table,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}
#: What is otherwise in timelines.
timeline_writers: dict[str, Writer] = writers | {"csv": _write_segments}
