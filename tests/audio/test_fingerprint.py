import io

import numpy as np
import pytest
import soundfile
import soxr

from conftest import data_folder
from unheard.audio import read_audio
from unheard.audio.fingerprint import copies, fingerprint
from unheard.corpora import Corpus
from unheard.seeds import generator

RATE = 16_000


def babble(seed, seconds=2.0):
    """Like speech: a voice whose pitch, formants and loudness wander, over a little noise."""
    random = generator(seed, "babble")
    time = np.arange(int(seconds * RATE)) / RATE

    def wander(low, high, each=0.12):
        knots = random.uniform(low, high, int(seconds / each) + 3)
        return np.interp(time, np.arange(len(knots)) * each, knots)

    phase = 2 * np.pi * np.cumsum(wander(90, 240)) / RATE
    first, second, loudness = wander(250, 900), wander(900, 2300), wander(0, 1)
    sound = np.zeros(len(time))
    for k in range(1, 30):
        pitch = k * np.gradient(phase) * RATE / 2 / np.pi
        gain = np.exp(-(((pitch - first) / 120) ** 2)) + 0.5 * np.exp(-(((pitch - second) / 200) ** 2))
        sound += gain * np.sin(k * phase)
    return (0.1 * loudness * sound + 2e-4 * random.standard_normal(len(time))).astype(np.float32)


def resampled(sound, rate):
    return soxr.resample(soxr.resample(sound, RATE, rate), rate, RATE).astype(np.float32)


def coded(sound, **codec):
    file = io.BytesIO()
    soundfile.write(file, np.clip(sound, -1, 1), RATE, **codec)
    return read_audio(file.getvalue())


def noisy(sound, decibels):
    noise = generator(0, "noise", len(sound)).standard_normal(len(sound))
    return (sound + noise * np.sqrt(np.mean(sound**2)) * 10 ** (-decibels / 20)).astype(np.float32)


def mp3(sound):
    return coded(sound, format="MP3", subtype="MPEG_LAYER_III")


ALTERED = {
    "the same": lambda sound: sound,
    "20 dB softer": lambda sound: np.round(sound * 0.1 * 32768).astype(np.float32) / 32768,
    "6 dB louder, clipped": lambda sound: np.clip(2 * sound, -0.5, 0.5),
    "8 kHz": lambda sound: resampled(sound, 8_000),
    "44.1 kHz": lambda sound: resampled(sound, 44_100),
    "MP3": mp3,
    "Vorbis": lambda sound: coded(sound, format="OGG", subtype="VORBIS"),
    "Opus": lambda sound: coded(sound, format="OGG", subtype="OPUS"),
    "noise 25 dB below": lambda sound: noisy(sound, 25),
    "beginning cut": lambda sound: sound[4_801:],
    "both ends cut": lambda sound: sound[1_234:-2_345],
    "padded": lambda sound: np.pad(sound, (4_873, 3_000)),
    "a piece": lambda sound: sound[len(sound) * 3 // 10 : len(sound) * 8 // 10],
    "cut, MP3 and noise": lambda sound: noisy(mp3(sound[3_333:]), 30),
}


def found(sounds):
    return {tuple(map(int, pair)) for pair in copies([fingerprint(sound) for sound in sounds])}


@pytest.fixture(scope="module")
def originals():
    return [babble(seed) for seed in range(30)]


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_copies_are_found_and_nothing_else(alter, originals):
    altered = [alter(sound) for sound in originals[:10]]
    assert found([*originals, *altered]) == {(index, 30 + index) for index in range(10)}


def test_different_recordings_are_no_copies(originals):
    assert found([*originals, *(sound[::-1] for sound in originals)]) == set()


def test_another_take_at_another_pace_is_no_copy(originals):
    assert found([originals[0], soxr.resample(originals[0], RATE, 15_000)]) == set()


def test_copies_of_silence_tones_and_noise_do_not_match_everything():
    random = generator(0, "noise")
    time = np.arange(2 * RATE) / RATE
    silence = [np.zeros(RATE * seconds, np.float32) for seconds in (1, 2, 3)]
    tones = [(0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32) for hertz in (440, 441, 440, 1_000)]
    noise = [(0.1 * random.standard_normal(2 * RATE)).astype(np.float32) for _ in range(20)]
    assert found([*silence, *tones, *noise]) == set()


def test_the_same_pause_in_two_recordings_makes_no_copies(originals):
    hum = (0.001 * np.sin(2 * np.pi * 50 * np.arange(2 * RATE) / RATE)).astype(np.float32)
    assert found([np.concatenate([sound, hum]) for sound in originals[:8]]) == set()


def test_many_copies_are_all_connected(originals):
    pairs = found([originals[index % 2] for index in range(60)])
    assert {(one % 2, other % 2) for one, other in pairs} == {(0, 0), (1, 1)}
    reached = {0, 1}
    for _ in range(60):
        reached |= {other for pair in pairs for one, other in (pair, pair[::-1]) if one in reached}
    assert reached == set(range(60))


def test_a_piece_of_a_long_recording_is_found(originals):
    assert found([np.concatenate(originals), originals[17][8_000:24_000], babble(99)]) == {(0, 1)}


@pytest.mark.parametrize("samples", [0, 1, 100, 255, 256, 767, 768, 769])
def test_recordings_shorter_than_a_frame(samples):
    words = fingerprint(np.ones(samples, np.float32))
    assert words.dtype == np.uint32
    assert len(words) == max(0, 1 + samples // 256 - 3)
    assert found([np.ones(samples, np.float32)] * 2) == set()
    assert len(copies([])) == 0


def corpora():
    folder = data_folder("UNHEARD_CORPORA")
    return sorted(path.parent for path in folder.glob("*/manifest.csv")) if folder else []


@pytest.mark.skipif(not corpora(), reason="UNHEARD_CORPORA names no folder with corpora")
def test_real_recordings_and_their_copies():
    sounds = []
    for folder in corpora():
        corpus = Corpus.read(folder)
        rows = range(0, len(corpus), max(1, len(corpus) // 40))
        sounds += [read_audio(corpus.audio_path(row)) for row in rows]
    altered = [noisy(mp3(sound[1_600:]), 25) for sound in sounds[::4]]
    pairs = found([*sounds, *altered])
    wanted = {(4 * index, len(sounds) + index) for index in range(len(altered))}
    assert len(wanted & pairs) >= 0.97 * len(wanted)
    everything = [*sounds, *altered]
    for one, other in pairs - wanted:  # whatever else is found has the same samples
        assert correlation(everything[one], everything[other]) > 0.8, (one, other)


def correlation(one, other):
    """Of two waveforms where they fit best."""
    from scipy.signal import correlate

    shift = int(np.abs(correlate(one, other, method="fft")).argmax()) - len(other) + 1
    begin, end = max(0, shift), min(len(one), len(other) + shift)
    return abs(np.corrcoef(one[begin:end], other[begin - shift : end - shift])[0, 1])
