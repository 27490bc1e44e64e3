import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr

from unheard.audit.audit import audit
from unheard.audit.likeness import with_likeness
from unheard.corpora import Corpus
from unheard.protocols.fold import Fold
from unheard.seeds import generator

RATE = 16_000


def sound(name, seconds=1.5):
    """Noise in bands that come and go."""
    random = generator(0, "sound", name)
    time = np.arange(int(seconds * RATE)) / RATE
    made = np.zeros(len(time))
    for hertz in np.geomspace(260, 1_900, 24):
        knots = random.uniform(0, 1, int(seconds / 0.1) + 3) ** 3
        made += np.interp(time, np.arange(len(knots)) * 0.1, knots) * np.sin(
            2 * np.pi * hertz * time + random.uniform(0, 6)
        )
    return 0.02 * made


@pytest.fixture
def folder(tmp_path):
    a = sound("a")
    soundfile.write(tmp_path / "a.wav", a, RATE)
    soundfile.write(tmp_path / "louder.flac", 2 * a, RATE)
    soundfile.write(tmp_path / "half.wav", a[: len(a) * 2 // 3], RATE)
    soundfile.write(tmp_path / "44.wav", soxr.resample(a, RATE, 44_100), 44_100)
    soundfile.write(tmp_path / "b.wav", sound("b"), RATE)
    soundfile.write(tmp_path / "long.wav", np.concatenate([sound("c"), a, sound("d")]), RATE)
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    (tmp_path / "broken.wav").write_bytes(b"no audio")
    return tmp_path


def corpus(folder, names, **columns):
    return Corpus.from_table(pd.DataFrame({"audio": names}).assign(**columns), folder)


def numbers(*corpora):
    return [made.table["likeness"].tolist() for made in with_likeness(*corpora, workers=2)]


def test_copies_have_one_number(folder):
    names = ["a.wav", "b.wav", "louder.flac", "silence.wav", "half.wav", "44.wav", "long.wav"]
    [[a, b, louder, silence, half, other_rate, long]] = numbers(corpus(folder, names))
    assert a == louder == half == other_rate == long
    assert len({a, b, silence}) == 3


def test_what_cannot_be_read_has_no_number_and_is_counted(folder):
    made = corpus(folder, ["a.wav", "broken.wav", "missing.wav"])
    [found] = with_likeness(made)
    assert found.table["likeness"].isna().tolist() == [False, True, True]
    assert audit(found).unread == 2
    assert "likeness" not in made.table


def test_parts_of_a_recording_are_told_apart(folder):
    names = ["long.wav", "long.wav", "long.wav", "a.wav"]
    parts = corpus(folder, names, start=[0.0, 1.5, 3.0, np.nan], end=[1.5, 3.0, np.nan, np.nan])
    [[before, part, after, a]] = numbers(parts)
    assert part == a
    assert len({before, part, after}) == 3


def test_numbers_hold_over_several_corpora(folder):
    [[b, a], [louder, silence]] = numbers(
        corpus(folder, ["b.wav", "a.wav"]), corpus(folder, ["louder.flac", "silence.wav"])
    )
    assert a == louder
    assert len({a, b, silence}) == 3


def test_the_audit_names_a_copy_in_test_and_train(folder):
    made = corpus(folder, ["a.wav", "b.wav", "44.wav"], speaker=["one", "two", "three"], id=["a", "b", "a at 44.1 kHz"])
    [found] = with_likeness(made.with_digests())
    result = audit(found, None, [Fold("1", [0, 1], [], [2])])
    assert result.verdict.startswith("LEAKING: 1 of 1 test recording is nearly the same as one in training")
    assert result.broken == (
        "1 near-identical recording of test in train of the same fold, but no recording may be in two parts of a fold",
    )
    assert "nearly the same recording in test and in train: a at 44.1 kHz and a" in result.warnings
    assert result.alike == (("a", "a at 44.1 kHz"),)
