"""The page in a real browser: Chromium as the system has it, through Playwright."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trees.service import Served, served, speech, wav
from unheard.recognizer import Recognizer
from unheard.serve import Settings, create_app
from unheard.training.calibration import Calibration

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the path")

#: A microphone that beeps, and nobody who must be asked for it.
FLAGS = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--no-sandbox"]
PATIENCE = 30_000
KEY = "letters"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def service(recognizer: Recognizer) -> Iterator[Served]:
    with served(create_app(recognizer, Settings(max_bytes=1_000_000))) as server:
        yield server


@pytest.fixture
def page(browser: Any, service: Served) -> Iterator[Any]:
    yield from opened(browser, service)


def opened(browser: Any, service: Served, **options: Any) -> Iterator[Any]:
    """The page; at its end, nothing was asked of anybody else and nothing was wrong."""
    context = browser.new_context(permissions=["microphone"], **options)
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda problem: wrong.append(str(problem)))
    page.on("console", lambda line: wrong.append(line.text) if "Content Security" in line.text else None)
    page.on("request", lambda request: wrong.append(request.url) if not ours(request.url, service) else None)
    page.on("filechooser", lambda _: None)  # from now on choosers are caught, however soon one opens
    page.goto(service.url)
    yield page
    context.close()
    assert wrong == []


def ours(url: str, service: Served) -> bool:
    return url.startswith((f"{service.url}/", "data:", "blob:"))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "voice.wav"
    path.write_bytes(wav(speech(7.0)))
    return path


def drop(page: Any, content: bytes, name: str = "voice.wav") -> None:
    """As if a file was dragged onto the page."""
    page.evaluate(
        """([encoded, name]) => {
            const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, { type: "audio/wav" }));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
        }""",
        [base64.b64encode(content).decode(), name],
    )


def test_a_dropped_file_shows_what_the_recognizer_says(page: Any, recognizer: Recognizer) -> None:
    content = wav(speech(4.0))
    drop(page, content)
    expected, timeline = recognizer.predict(content), recognizer.timeline(content)
    expect(page.locator("#headline")).to_have_text(expected.emotion)
    bars = page.locator("#bars li")
    assert bars.count() == len(recognizer.emotions)
    assert bars.first.inner_text().split() == [
        expected.emotion, str(round(100 * max(expected.probabilities.values()))), "%"
    ]  # fmt: skip
    rows = page.locator("#rows tr")
    assert rows.count() == page.locator("#pieces button").count() == len(timeline.segments)
    for row, segment in zip(rows.all(), timeline.segments, strict=True):
        assert (segment.emotion or "no speech") in row.inner_text()
    assert page.locator("#picture polygon").count() == len(timeline.segments)
    assert page.locator("#picture rect").count() == len(timeline.start) * len(recognizer.emotions)
    assert page.locator("#error").inner_text() == ""


def test_silence_has_no_bars(page: Any) -> None:
    drop(page, wav(np.zeros(40_000, np.float32)))
    expect(page.locator("#headline")).to_have_text("no speech")
    assert page.locator("#bars li").count() == 0
    expect(page.locator("#rows tr")).to_contain_text(["no speech"])


def test_what_it_is_not_sure_of_is_shown_with_its_probabilities(browser: Any, small_run: Path) -> None:
    unsure = Recognizer.load(small_run)
    unsure.fitted.calibration = Calibration(threshold=1.0)
    with served(create_app(unsure)) as service:
        for page in opened(browser, service):
            drop(page, wav(speech(1.9)))
            expect(page.locator("#headline")).to_have_text("not sure")
            assert page.locator("#bars li").count() == len(unsure.emotions)
            expect(page.locator("#rows")).to_contain_text("not sure")
            expect(page.locator("#pieces")).to_contain_text("not sure")


def test_a_piece_sounds_when_clicked_and_falls_silent_at_its_end(page: Any, recording: Path) -> None:
    page.set_input_files("#file", recording)
    pieces = page.locator("#pieces button")
    expect(pieces.first).to_be_visible()
    pieces.first.click()
    expect(pieces.first).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#status")).to_have_text(re.compile(r"Playing 0:00\.\d to 0:0\d\.\d"))
    expect(page.locator("#rows button").first).to_have_attribute("aria-pressed", "true")
    pieces.first.click()
    expect(pieces.first).to_have_attribute("aria-pressed", "false")
    shortest = min(pieces.all(), key=lambda piece: piece.bounding_box()["width"])
    shortest.focus()
    page.keyboard.press("Enter")
    expect(shortest).to_have_attribute("aria-pressed", "true")
    expect(shortest).to_have_attribute("aria-pressed", "false")  # by itself


def test_the_keyboard_is_enough(page: Any, recording: Path) -> None:
    page.keyboard.press("Tab")
    expect(page.locator("#about")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#card")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    expect(page.locator("#about")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#file")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(recording)
    expect(page.locator("#result")).to_be_focused()
    page.keyboard.press("Tab")
    pieces = page.locator("#pieces button")
    expect(pieces.first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(pieces.nth(1)).to_be_focused()
    page.keyboard.press("Space")
    expect(pieces.nth(1)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(pieces.nth(1)).to_have_attribute("aria-pressed", "false")


def test_the_microphone_is_recorded(page: Any) -> None:
    page.click("#record")
    expect(page.locator("#record")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(2500)
    page.click("#record")
    expect(page.locator("#result")).to_be_visible()
    expect(page.locator("#record")).to_have_text(re.compile("Record"))
    assert re.fullmatch(r"the whole recording, 0:0[123]\.\d min", page.locator("#summary").inner_text())


def test_a_microphone_that_may_not_be_used_is_said(browser: Any, service: Served) -> None:
    for page in opened(browser, service):
        page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject({name: 'NotAllowedError'}) }")
        page.click("#record")
        expect(page.locator("#error")).to_have_text(re.compile("may not use the microphone"))


def test_what_is_wrong_is_said_in_one_sentence(page: Any) -> None:
    error = page.locator("#error")
    drop(page, b"no sound")
    expect(error).to_have_text(re.compile(r"^The audio: it is not audio.*\.$"))
    expect(page.locator("#result")).to_be_hidden()
    drop(page, bytes(1_200_000))
    expect(error).to_have_text("This recording has 1.2 MB, and the service takes 1 MB at most.")
    drop(page, wav(speech(1.0)))
    expect(page.locator("#result")).to_be_visible()
    expect(error).to_have_text("")


def test_the_card_and_the_limits_are_one_click_away(page: Any) -> None:
    page.click("#about")
    card = page.locator("#card")
    expect(card).to_contain_text("Do not use this to judge people")
    expect(card).to_contain_text("up to 1 MB and 600 s, any format")
    assert card.locator("#card-text li").count() > 3
    page.click("#close")
    expect(card).to_be_hidden()


def test_a_service_with_a_key_asks_for_it(browser: Any, recognizer: Recognizer, recording: Path) -> None:
    with served(create_app(recognizer, Settings(api_key=KEY))) as service:
        for page in opened(browser, service):
            expect(page.locator("#error")).to_have_text(re.compile("needs its key"))
            page.fill("#key", "wrong")
            page.keyboard.press("Enter")
            expect(page.locator("#key-form")).to_be_visible()
            page.fill("#key", KEY)
            page.keyboard.press("Enter")
            expect(page.locator("#key-form")).to_be_hidden()
            page.set_input_files("#file", recording)
            expect(page.locator("#result")).to_be_visible()


@pytest.mark.parametrize(
    "options",
    [
        {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True},
        {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark", "reduced_motion": "reduce"},
    ],
    ids=["phone", "dark and still"],
)
def test_it_fits(browser: Any, service: Served, recording: Path, options: dict[str, Any]) -> None:
    for page in opened(browser, service, **options):
        page.set_input_files("#file", recording)
        expect(page.locator("#result")).to_be_visible()
        width = options["viewport"]["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for control in page.locator("header button, .big, td button").all():
            box = control.bounding_box()
            assert box["height"] >= 44
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        ink, paper = page.evaluate(
            "['color', 'backgroundColor'].map((name) => getComputedStyle(document.body)[name].match(/\\d+/g)[0] / 255)"
        )
        assert abs(ink - paper) > 0.7
        assert (paper < 0.5) == ("color_scheme" in options)
        if "reduced_motion" in options:
            assert page.evaluate("document.getAnimations().length") == 0


def test_everything_has_a_name(page: Any, recording: Path) -> None:
    page.set_input_files("#file", recording)
    expect(page.locator("#result")).to_be_visible()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input")]
            .filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
            .map((one) => one.outerHTML)"""
    )
    assert nameless == []
    assert page.locator("#error").get_attribute("role") == "alert"
    assert page.locator("#status").get_attribute("role") == "status"
