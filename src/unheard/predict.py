"""Predictions as the command writes them: table, json, jsonl or csv, one recording after the other."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from tqdm import tqdm

from unheard.errors import InputError
from unheard.recognizer import Prediction, Recognizer, audio_files

Named = tuple[str, Prediction]


def write_predictions(
    recognizer: Recognizer, sources: Iterable[str], style: str, pipe: BinaryIO, out: TextIO
) -> list[str]:
    """Predict every source and write to ``out`` as it goes; a recording that cannot be read stops none of the others.

    Args:
        recognizer: what predicts.
        sources: files, folders, or ``-`` for the bytes of one recording from ``pipe``.
        style: ``table``, ``json``, ``jsonl`` or ``csv``.
        pipe: standard input.
        out: standard output.

    Returns:
        a sentence for every recording that gave none.
    """
    failures: list[str] = []
    # Lines that come one by one in a terminal show the progress themselves, and a bar would run into them.
    bar = None if style == "json" or not out.isatty() else True
    writers[style](recognizer.emotions, _predictions(recognizer, sources, pipe, failures, bar), out)
    return failures


def _predictions(
    recognizer: Recognizer, sources: Iterable[str], pipe: BinaryIO, failures: list[str], without_bar: bool | None
) -> Iterator[Named]:
    recordings: list[str | Path] = []
    for source in sources:
        found = ["-"] if source == "-" else audio_files(source)
        if not found:
            failures.append(f"{source}: there is no audio file in this folder")
        recordings += found
    for recording in tqdm(recordings, desc="predict", unit="file", delay=2, disable=without_bar, leave=False):
        try:
            prediction = recognizer.predict(pipe.read() if recording == "-" else recording)
        except InputError as problem:
            failures.append(
                str(problem).replace("the audio", "standard input", 1) if recording == "-" else str(problem)
            )
        else:
            yield str(recording), prediction


def _record(name: str, prediction: Prediction) -> dict[str, Any]:
    return {
        "audio": name,
        "emotion": prediction.emotion,
        "duration": round(prediction.duration, 3),
        "probabilities": {emotion: round(value, 4) for emotion, value in prediction.probabilities.items()},
    }


def _write_table(emotions: tuple[str, ...], predictions: Iterable[Named], out: TextIO) -> None:
    """The surest emotion first, the others behind it; long names are cut at the front, where paths are alike."""
    for name, prediction in predictions:
        ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
        others = "  ".join(f"{emotion} {value:.0%}" for emotion, value in ranked[1:4])
        shown = name if len(name) <= 40 else f"…{name[-39:]}"
        out.write(f"{shown:40}  {prediction.emotion:10} {ranked[0][1]:4.0%}   {others}\n")
        out.flush()


def _write_json(emotions: tuple[str, ...], predictions: Iterable[Named], out: TextIO) -> None:
    json.dump([_record(*named) for named in predictions], out, indent=2, ensure_ascii=False)
    out.write("\n")


def _write_jsonl(emotions: tuple[str, ...], predictions: Iterable[Named], out: TextIO) -> None:
    for named in predictions:
        out.write(json.dumps(_record(*named), ensure_ascii=False) + "\n")
        out.flush()


def _write_csv(emotions: tuple[str, ...], predictions: Iterable[Named], out: TextIO) -> None:
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["audio", "emotion", "duration", *(f"p_{emotion}" for emotion in emotions)])
    for named in predictions:
        record = _record(*named)
        rows.writerow([record["audio"], record["emotion"], record["duration"], *record["probabilities"].values()])
        out.flush()


writers: dict[str, Callable[[tuple[str, ...], Iterable[Named], TextIO], None]] = {
    "table": _write_table,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}
