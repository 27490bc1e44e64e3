"""Timelines of many recordings as one audformat database (https://audeering.github.io/audformat)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from unheard.errors import InputError
from unheard.timeline.timeline import Timeline

TABLE = "segments"


def write_audformat(folder: Path, timelines: Mapping[str, Timeline], emotions: tuple[str, ...]) -> None:
    """Write ``db.yaml`` and the table ``segments``: emotion and probability of every part with speech.

    Where it is not sure, the emotion is missing.

    Raises:
        InputError: the library audformat is not installed.
    """
    try:
        import audformat
    except ImportError:
        raise InputError("audformat databases need the library audformat: pip install 'unheard[audformat]'") from None
    rows = [
        (audio, segment.start, segment.end, segment.emotion, segment.probability)
        for audio, timeline in timelines.items()
        for segment in timeline.segments
        if segment.speech
    ]
    table = pd.DataFrame(rows, columns=["audio", "start", "end", "emotion", "probability"])
    database = audformat.Database(
        "timelines", usage=audformat.define.Usage.OTHER, description="Emotions as unheard recognizes them."
    )
    database.schemes["emotion"] = audformat.Scheme("str", labels=list(emotions))
    database.schemes["probability"] = audformat.Scheme("float", minimum=0, maximum=1)
    starts, ends = (pd.to_timedelta(table[column].to_numpy(float), unit="s") for column in ("start", "end"))
    database[TABLE] = audformat.Table(audformat.segmented_index(table["audio"].tolist(), starts, ends))
    for column in ("emotion", "probability"):
        database[TABLE][column] = audformat.Column(scheme_id=column)
        database[TABLE][column].set(table[column].to_numpy())
    database.save(str(folder), storage_format=audformat.define.TableStorageFormat.CSV)
