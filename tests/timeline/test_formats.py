"""Every form of a timeline reads back as what it is, in the programs it is made for where they are installed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from unheard.recognizer import Recognizer
from unheard.timeline.audformat_table import write_audformat
from unheard.timeline.elan import elan
from unheard.timeline.picture import POINTS, clock, picture
from unheard.timeline.textgrid import textgrid
from unheard.timeline.timeline import Timeline

Speak = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def timeline(recognizer: Recognizer, speak: Speak) -> Timeline:
    return recognizer.timeline(np.concatenate([speak(4.2), np.zeros(33_333), speak(2)]))


@pytest.fixture(scope="module")
def unsure(timeline: Timeline) -> Timeline:
    """The same of a recognizer that is never sure."""
    return replace(timeline, threshold=1.0)


@pytest.fixture(scope="module")
def silent(recognizer: Recognizer) -> Timeline:
    return recognizer.timeline(np.zeros(20_000))


def tiers_of(text: str) -> dict[str, list[tuple[float, float, str]]]:
    """A reader of TextGrids, in short."""
    tiers = {}
    for tier in re.split(r"    item \[\d+\]:\n", text)[1:]:
        found = re.findall(r'xmin = (\S+)\n +xmax = (\S+)\n +text = "(.*)"\n', tier)
        (name,) = re.findall(r'name = "(.*)"', tier)
        assert re.findall(r"intervals: size = (\d+)", tier) == [str(len(found))]
        tiers[name] = [(float(start), float(end), words) for start, end, words in found]
    return tiers


@pytest.mark.parametrize("which", ["timeline", "unsure", "silent"])
def test_a_textgrid_reads_back(which: str, request: pytest.FixtureRequest):
    whole = request.getfixturevalue(which)
    tiers = tiers_of(textgrid(whole))
    assert list(tiers) == ["emotion", "probability"]
    for (start, end, emotion), (_, _, probability), segment in zip(*tiers.values(), whole.segments, strict=True):
        assert (start, end) == pytest.approx((segment.start, segment.end), abs=1e-6)
        assert emotion == (segment.verdict if segment.speech else "")
        assert probability == ("" if segment.probability is None else f"{segment.probability:.3f}")


def test_praat_reads_it(timeline: Timeline, tmp_path: Path):
    parselmouth = pytest.importorskip("parselmouth")
    path = tmp_path / "a.TextGrid"
    path.write_text(textgrid(timeline), encoding="utf-8")
    grid = parselmouth.read(str(path))
    assert grid.xmax == pytest.approx(timeline.duration, abs=1e-6)
    assert parselmouth.praat.call(grid, "Get number of intervals", 1) == len(timeline.segments)
    for number, segment in enumerate(timeline.segments, 1):
        assert parselmouth.praat.call(grid, "Get label of interval", 1, number) == (segment.emotion or "")
        assert parselmouth.praat.call(grid, "Get end time of interval", 2, number) == pytest.approx(
            segment.end, abs=1e-6
        )


@pytest.mark.parametrize("which", ["timeline", "unsure", "silent"])
def test_an_elan_document_reads_back(which: str, request: pytest.FixtureRequest, tmp_path: Path):
    whole = request.getfixturevalue(which)
    document = ElementTree.fromstring(elan(whole, str(tmp_path / "ä & b.wav")).encode())
    times = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "")) for slot in document.iter("TIME_SLOT")}
    found = [
        (times[one.get("TIME_SLOT_REF1")], times[one.get("TIME_SLOT_REF2")], one.findtext("ANNOTATION_VALUE"))
        for one in document.iter("ALIGNABLE_ANNOTATION")
    ]
    spoken = [segment for segment in whole.segments if segment.speech]
    assert found == [(round(1000 * one.start), round(1000 * one.end), one.verdict) for one in spoken]
    values = {one.get("ANNOTATION_REF"): one.findtext("ANNOTATION_VALUE") for one in document.iter("REF_ANNOTATION")}
    owners = [one.get("ANNOTATION_ID") for one in document.iter("ALIGNABLE_ANNOTATION")]
    assert [values[owner] for owner in owners] == [f"{one.probability:.3f}" for one in spoken]
    assert document.find("HEADER/MEDIA_DESCRIPTOR").get("MEDIA_URL") == (tmp_path / "ä & b.wav").as_uri()
    kinds = {kind.get("LINGUISTIC_TYPE_ID") for kind in document.iter("LINGUISTIC_TYPE")}
    assert {tier.get("LINGUISTIC_TYPE_REF") for tier in document.iter("TIER")} == kinds


def test_audformat_loads_it(timeline: Timeline, silent: Timeline, tmp_path: Path):
    audformat = pytest.importorskip("audformat")
    write_audformat(tmp_path / "db", {"a.wav": timeline, "b.wav": silent}, timeline.emotions)
    table = audformat.Database.load(str(tmp_path / "db"))["segments"].get()
    spoken = [segment for segment in timeline.segments if segment.emotion]
    assert table["emotion"].tolist() == [one.emotion for one in spoken]
    assert table["probability"].tolist() == pytest.approx([one.probability for one in spoken])
    index = table.index.to_frame(index=False)
    assert set(index["file"]) == {"a.wav"}
    assert index["start"].dt.total_seconds().tolist() == pytest.approx([one.start for one in spoken])
    assert index["end"].dt.total_seconds().tolist() == pytest.approx([one.end for one in spoken])


def test_audformat_has_no_emotion_where_it_is_not_sure(unsure: Timeline, tmp_path: Path):
    audformat = pytest.importorskip("audformat")
    write_audformat(tmp_path / "db", {"a.wav": unsure}, unsure.emotions)
    table = audformat.Database.load(str(tmp_path / "db"))["segments"].get()
    assert len(table) == sum(segment.speech for segment in unsure.segments) > 0
    assert table["emotion"].isna().all()
    assert table["probability"].between(0.5, 1).all()


def test_nothing_but_silence_is_still_a_database(silent: Timeline, tmp_path: Path):
    audformat = pytest.importorskip("audformat")
    write_audformat(tmp_path / "db", {"b.wav": silent}, silent.emotions)
    assert len(audformat.Database.load(str(tmp_path / "db"))["segments"].get()) == 0


@pytest.mark.parametrize("which", ["timeline", "unsure", "silent"])
def test_a_picture_shows_all_of_it(which: str, request: pytest.FixtureRequest, tmp_path: Path):
    whole = request.getfixturevalue(which)
    figure = picture(whole, "a $b$.wav")
    wave, stack = figure.axes
    assert wave.get_title(loc="left") == "a $b$.wav"
    assert stack.get_xlim() == (0, whole.duration)
    assert len(stack.patches) == len(whole.emotions)
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown == [*whole.emotions, *(["not sure"] if which == "unsure" else []), "no speech"]
    figure.savefig(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_an_hour_is_drawn_with_as_many_points_as_there_are(timeline: Timeline):
    from unheard.timeline.picture import _reduced

    peaks = np.zeros(360_000, np.float32)
    peaks[123_456] = 1
    times, reduced = _reduced(replace(timeline, peaks=peaks))
    assert len(times) <= POINTS
    assert times[reduced.argmax()] == pytest.approx(1234.56, abs=2)


def test_clocks():
    assert [clock(value) for value in (0, 0.04, 59.999, 61.5, 3725)] == ["0:00", "0:00.04", "1:00", "1:01.5", "1:02:05"]
