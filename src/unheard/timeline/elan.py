"""Timelines for ELAN (EAF 3.0, https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from unheard.timeline.timeline import Timeline

_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"


def elan(timeline: Timeline, audio: str) -> str:
    """An annotation document with the tier ``emotion`` and, depending on it, ``probability``, both of speech only.

    Where it is not sure, the first says so.

    Args:
        timeline: what is written.
        audio: path of the recording, by which ELAN finds it.
    """
    spoken = [segment for segment in timeline.segments if segment.speech]
    document = Element("ANNOTATION_DOCUMENT", {
        "AUTHOR": "unheard", "DATE": datetime.now(UTC).isoformat(timespec="seconds"), "FORMAT": "3.0", "VERSION": "3.0",
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "xsi:noNamespaceSchemaLocation": _SCHEMA,
    })  # fmt: skip
    header = SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=Path(audio).resolve().as_uri(), MIME_TYPE="audio/*")
    SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId").text = str(2 * len(spoken))
    order = SubElement(document, "TIME_ORDER")
    emotions = SubElement(document, "TIER", LINGUISTIC_TYPE_REF="emotion", TIER_ID="emotion")
    probabilities = SubElement(
        document, "TIER", LINGUISTIC_TYPE_REF="probability", PARENT_REF="emotion", TIER_ID="probability"
    )
    for number, segment in enumerate(spoken):
        slots = f"ts{2 * number + 1}", f"ts{2 * number + 2}"
        for slot, seconds in zip(slots, (segment.start, segment.end), strict=True):
            SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(round(1000 * seconds)))
        emotion, probability = f"a{2 * number + 1}", f"a{2 * number + 2}"
        annotation = SubElement(
            SubElement(emotions, "ANNOTATION"), "ALIGNABLE_ANNOTATION",
            ANNOTATION_ID=emotion, TIME_SLOT_REF1=slots[0], TIME_SLOT_REF2=slots[1],
        )  # fmt: skip
        SubElement(annotation, "ANNOTATION_VALUE").text = segment.verdict
        annotation = SubElement(
            SubElement(probabilities, "ANNOTATION"), "REF_ANNOTATION", ANNOTATION_ID=probability, ANNOTATION_REF=emotion
        )
        SubElement(annotation, "ANNOTATION_VALUE").text = f"{segment.probability:.3f}"
    SubElement(document, "LINGUISTIC_TYPE", LINGUISTIC_TYPE_ID="emotion", TIME_ALIGNABLE="true")
    SubElement(
        document, "LINGUISTIC_TYPE",
        CONSTRAINTS="Symbolic_Association", LINGUISTIC_TYPE_ID="probability", TIME_ALIGNABLE="false",
    )  # fmt: skip
    SubElement(
        document, "CONSTRAINT",
        DESCRIPTION="1-1 association with a parent annotation", STEREOTYPE="Symbolic_Association",
    )  # fmt: skip
    ElementTree.indent(document)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(document, encoding="unicode") + "\n"
