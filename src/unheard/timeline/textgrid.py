"""Timelines for Praat (https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html)."""

from __future__ import annotations

from collections.abc import Sequence

from unheard.timeline.timeline import Timeline


def textgrid(timeline: Timeline) -> str:
    """A TextGrid with the interval tiers ``emotion`` and ``probability``.

    Where it is not sure, the first says so; where there is no speech, both are empty.
    """
    segments = timeline.segments
    emotions = [segment.verdict if segment.speech else "" for segment in segments]
    probabilities = ["" if segment.probability is None else f"{segment.probability:.3f}" for segment in segments]
    edges = [segment.start for segment in segments] + [timeline.duration]
    return "\n".join([
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {timeline.duration:.6f}",
        "tiers? <exists>",
        "size = 2",
        "item []:",
        *_tier(1, "emotion", emotions, edges),
        *_tier(2, "probability", probabilities, edges),
        "",
    ])  # fmt: skip


def _tier(number: int, name: str, texts: Sequence[str], edges: Sequence[float]) -> list[str]:
    lines = [
        f"    item [{number}]:",
        '        class = "IntervalTier"',
        f'        name = "{name}"',
        "        xmin = 0",
        f"        xmax = {edges[-1]:.6f}",
        f"        intervals: size = {len(texts)}",
    ]
    for index, text in enumerate(texts):
        quoted = text.replace('"', '""')
        lines += [
            f"        intervals [{index + 1}]:",
            f"            xmin = {edges[index]:.6f}",
            f"            xmax = {edges[index + 1]:.6f}",
            f'            text = "{quoted}"',
        ]
    return lines
