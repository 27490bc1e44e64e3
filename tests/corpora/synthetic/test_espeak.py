from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest

from unheard.corpora.synthetic import SENTENCES
from unheard.corpora.synthetic.espeak import LANGUAGE_FILES, Espeak, Voice
from unheard.errors import InputError

PLAIN = ((100.0, 100.0, 100.0),) * 9


def test_without_the_wheel_one_sentence_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(InputError, match=r"pip install 'unheard\[demo\]'"), Espeak():
        pass
    monkeypatch.undo()
    with Espeak() as engine:  # a failed start leaves the engine free
        assert engine.say("Yes.", Voice("en", 100, 140, PLAIN), 170).size


def test_an_engine_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def espeak_Initialize(self, *_: object) -> int:  # noqa: N802
            return 0

    monkeypatch.setattr(ctypes, "CDLL", lambda path: Silent())
    with pytest.raises(InputError, match=r"does not start.*160 characters"), Espeak():
        pass


def test_a_library_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: str) -> ctypes.CDLL:
        raise OSError("wrong architecture")

    monkeypatch.setattr(ctypes, "CDLL", broken)
    with pytest.raises(InputError, match="wrong architecture"), Espeak():
        pass


def test_what_was_said_before_changes_nothing() -> None:
    texts = [(language, text) for language, two in SENTENCES.items() for part in two for text in part]
    said: list[dict[tuple[str, str], bytes]] = [{}, {}]
    for heard, order in zip(said, (texts, texts[::-1]), strict=True):
        with Espeak() as engine:
            for count, (language, text) in enumerate(order):
                heard[language, text] = engine.say(text, Voice(language, 100, 140, PLAIN), 170).tobytes()
                if count % 5 == 0:
                    engine.say("Interlude."[: count % 9 + 1], Voice("en", 190, 280, PLAIN), 230)
    assert said[0] == said[1]


@pytest.mark.parametrize("language", LANGUAGE_FILES)
def test_every_language_speaks(language: str) -> None:
    with Espeak() as engine:
        wave = engine.say("Radio, piano, sofa.", Voice(language, 100, 140, PLAIN), 170)
    assert 0.5 < wave.size / engine.sample_rate < 4
    assert 0.05 < np.abs(wave).max() < 1


def test_pitch_rate_and_formants_are_heard() -> None:
    text = "The shop around the corner opens at ten."
    with Espeak() as engine:
        rate = engine.sample_rate
        low = engine.say(text, Voice("en", 100, 102, PLAIN), 170)
        high = engine.say(text, Voice("en", 200, 204, PLAIN), 170)
        fast = engine.say(text, Voice("en", 100, 102, PLAIN), 240)
        short = engine.say(text, Voice("en", 100, 102, ((120.0, 100.0, 100.0),) * 9), 170)
    assert fast.size < 0.85 * low.size
    assert 1.85 < pitch(high, rate) / pitch(low, rate) < 2.15
    assert centroid(short, rate) > 1.08 * centroid(low, rate)


def pitch(wave: np.ndarray, rate: int) -> float:
    """The best lag of the whole sentence's autocorrelation, which a flat melody allows."""
    power = np.abs(np.fft.rfft(wave, 2 * wave.size)) ** 2
    correlation = np.fft.irfft(power)
    lags = np.arange(rate // 300, rate // 80)
    return float(rate / lags[correlation[lags].argmax()])


def centroid(wave: np.ndarray, rate: int) -> float:
    power = np.abs(np.fft.rfft(wave)) ** 2
    return float((power * np.fft.rfftfreq(wave.size, 1 / rate)).sum() / power.sum())
