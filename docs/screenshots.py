"""The pictures of the page in ``docs/img``: a recognizer, some recordings one after the other, and Chromium.

Run: ``python docs/screenshots.py MODEL RECORDING...``
"""

import io
import shutil
import socket
import sys
import threading
import time
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import sync_playwright

from unheard.audio import SAMPLE_RATE, read_audio
from unheard.recognizer import Recognizer
from unheard.serve import create_app
from unheard.serve.run import server_of

FOLDER = Path(__file__).parent / "img"
PAUSE = np.zeros(SAMPLE_RATE // 2, np.float32)
PICTURES = {
    "page.png": {"viewport": {"width": 960, "height": 1000}},
    "page-phone.png": {"viewport": {"width": 390, "height": 900}, "color_scheme": "dark", "is_mobile": True},
}


def main(model: str, *recordings: str) -> None:
    """Show the page what the recordings are, and take its pictures."""
    parts = [part for path in recordings for part in (read_audio(path), PAUSE)]
    file = io.BytesIO()
    soundfile.write(file, np.concatenate(parts), SAMPLE_RATE, format="WAV")
    taken = socket.create_server(("127.0.0.1", 0))
    server = server_of(create_app(Recognizer.load(model)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
    thread.start()
    while not server.started:
        time.sleep(0.05)
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, options in PICTURES.items():
            page = browser.new_page(**options, reduced_motion="reduce")
            page.goto(f"http://127.0.0.1:{taken.getsockname()[1]}")
            page.set_input_files("#file", {"name": "voice.wav", "mimeType": "audio/wav", "buffer": file.getvalue()})
            page.wait_for_selector("#result:not([hidden])", timeout=60_000)
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=FOLDER / name)
        browser.close()
    server.should_exit = True
    thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
