"""What `read_audio` makes of files, bytes and arrays that are generated here."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.audio import SAMPLE_RATE, decode, duration, read_audio
from unheard.errors import InputError

Array = npt.NDArray[np.float32]
#: A step of 16 bits, rounded to either side.
QUANTUM = 4e-5


def speechlike(rate: int, seconds: float = 1.0, seed: int = 0) -> Array:
    """Noise below 3 kHz and below half the rate, its loudness changing, never beyond ±0.5."""
    samples = round(rate * seconds)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    spectrum[np.fft.rfftfreq(samples, 1 / rate) > min(3_000, 0.4 * rate)] = 0
    noise = np.fft.irfft(spectrum, samples) * (1.1 + np.sin(2 * np.pi * 3 * np.arange(samples) / rate))
    return (0.5 * noise / np.abs(noise).max()).astype(np.float32)


def encoded(samples: npt.NDArray[np.float64] | Array, rate: int, form: str, subtype: str | None = None) -> bytes:
    """As the bytes of a file; ``samples`` is [samples] or [samples, channels]."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


def by_ffmpeg(samples: Array, rate: int, container: str, codec: str, folder: Path, **options: str) -> bytes:
    path = folder / "encoded"
    with av.open(path, "w", format=container, options=options) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        size = stream.codec_context.frame_size or 1024
        to_codec = av.AudioResampler(format=stream.format, layout="mono", rate=rate, frame_size=size)
        for part in [*to_codec.resample(frame), *to_codec.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return path.read_bytes()


def with_data_size(wav: bytes, size: int) -> bytes:
    place = wav.index(b"data") + 4
    return wav[:place] + struct.pack("<I", size) + wav[place + 4 :]


def correlation(one: Array, other: Array) -> float:
    """The highest correlation over all delays."""
    size = len(one) + len(other)
    across = np.fft.irfft(np.fft.rfft(one, size) * np.fft.rfft(other, size).conj(), size)
    return float(across.max() / np.linalg.norm(one) / np.linalg.norm(other))


WAVE = speechlike(SAMPLE_RATE)


@pytest.mark.parametrize(
    ("form", "subtype", "tolerance"),
    [
        ("WAV", "PCM_16", QUANTUM),
        ("WAV", "PCM_24", 1e-6),
        ("WAV", "PCM_32", 1e-6),
        ("WAV", "FLOAT", 0),
        ("WAV", "DOUBLE", 0),
        ("WAV", "PCM_U8", 0.01),
        ("WAV", "ULAW", 0.02),
        ("WAV", "IMA_ADPCM", 0.2),
        ("RF64", "PCM_16", QUANTUM),
        ("AIFF", "PCM_16", QUANTUM),
        ("CAF", "PCM_16", QUANTUM),
        ("W64", "PCM_16", QUANTUM),
        ("AU", "FLOAT", 0),
        ("FLAC", "PCM_16", QUANTUM),
        ("OGG", "VORBIS", 0.2),
    ],
)
def test_a_16_khz_file_comes_back_as_it_was_written(form: str, subtype: str, tolerance: float) -> None:
    waveform = read_audio(encoded(WAVE, SAMPLE_RATE, form, subtype))
    assert waveform.dtype == np.float32
    assert waveform.ndim == 1
    assert abs(len(waveform) - len(WAVE)) < 2048
    np.testing.assert_allclose(waveform[: len(WAVE)], WAVE, rtol=0, atol=tolerance)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_another_rate_is_resampled(rate: int) -> None:
    # The same band-limited sound on both grids: a sum of sines, faded at its ends.
    def sound(at: int) -> npt.NDArray[np.float64]:
        time = np.arange(at) / at
        sines = sum(np.sin(2 * np.pi * hertz * time + hertz) for hertz in (150, 700, 2_000, 3_000))
        return np.asarray(0.1 * sines * np.sin(np.pi * time) ** 2)

    waveform = read_audio(encoded(sound(rate), rate, "WAV", "FLOAT"))
    assert len(waveform) == SAMPLE_RATE
    np.testing.assert_allclose(waveform, sound(SAMPLE_RATE), atol=2e-4)


@pytest.mark.parametrize(
    ("container", "codec", "options", "least"),
    [
        ("mp4", "aac", {}, 0.97),
        ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}, 0.97),
        ("mp4", "alac", {}, 0.999),
        ("adts", "aac", {}, 0.97),
        ("webm", "libopus", {}, 0.95),
        ("mp3", "libmp3lame", {}, 0.97),
        ("mp3", "libmp3lame", {"write_xing": "0"}, 0.97),
        ("wav", "libmp3lame", {}, 0.97),
        ("matroska", "pcm_s16le", {}, 0.999),
        ("mpegts", "aac", {}, 0.97),
    ],
)
def test_ffmpeg_reads_what_libsndfile_cannot(
    container: str, codec: str, options: dict[str, str], least: float, tmp_path: Path
) -> None:
    file = by_ffmpeg(speechlike(48_000), 48_000, container, codec, tmp_path, **options)
    waveform = read_audio(file)
    assert len(waveform) == pytest.approx(SAMPLE_RATE, abs=0.11 * SAMPLE_RATE)
    assert correlation(waveform, read_audio(speechlike(48_000), rate=48_000)) > least
    assert duration(file) == pytest.approx(len(waveform) / SAMPLE_RATE, abs=1e-3)


def test_an_mp3_of_varying_bit_rate_is_read_to_its_end() -> None:
    rate = 44_100
    sound = np.concatenate([1e-4 * speechlike(rate, 4), speechlike(rate, 4)])
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5)
    whole = file.getvalue()
    tag = min(place for name in (b"Xing", b"Info") if (place := whole.find(name)) >= 0)
    unlabelled = whole[:tag] + bytes(120) + whole[tag + 120 :]
    for data in (whole, unlabelled):
        assert len(read_audio(data)) == pytest.approx(8 * SAMPLE_RATE, abs=0.1 * SAMPLE_RATE)


@pytest.mark.parametrize("name", ["sound.mp3", "sound.raw", "sound.txt", "sound", "söund 1.wav"])
def test_the_content_decides_not_the_extension(name: str, tmp_path: Path) -> None:
    for form in ("WAV", "FLAC", "MP3"):
        data = encoded(WAVE, SAMPLE_RATE, form)
        (tmp_path / name).write_bytes(data)
        for source in (tmp_path / name, str(tmp_path / name)):
            np.testing.assert_array_equal(read_audio(source), read_audio(data))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[encoded(WAVE, SAMPLE_RATE, "FLAC")])
    writer.start()
    np.testing.assert_allclose(read_audio(pipe), WAVE, atol=QUANTUM)
    writer.join()


# ---------------------------------------------------------------------------------------------------- channels


@given(channels=st.integers(1, 8), seed=st.integers(0, 99), rate=st.sampled_from([8_000, 16_000, 44_100]))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_identical_channels_are_the_channel(channels: int, seed: int, rate: int) -> None:
    sound = speechlike(rate, 0.3, seed)
    mono = read_audio(sound, rate=rate)
    np.testing.assert_allclose(read_audio(np.stack([sound] * channels), rate=rate), mono, atol=1e-6)
    file = encoded(np.stack([sound] * channels, axis=1), rate, "WAV", "FLOAT")
    np.testing.assert_allclose(read_audio(file), mono, atol=1e-6)


@pytest.mark.parametrize("other", [-1.0, -0.9, -0.5])
def test_channels_that_cancel_each_other_do_not_become_silence(other: float) -> None:
    stereo = np.stack([WAVE, np.float32(other) * WAVE])
    np.testing.assert_array_equal(read_audio(stereo), WAVE)
    np.testing.assert_allclose(read_audio(encoded(stereo.T, SAMPLE_RATE, "WAV")), WAVE, atol=QUANTUM)


def test_a_voice_on_one_of_six_channels_keeps_its_level() -> None:
    surround = np.zeros((6, len(WAVE)), np.float32)
    surround[2] = WAVE
    np.testing.assert_allclose(read_audio(surround), WAVE, atol=1e-7)


@given(level=st.floats(0.01, 1))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_the_two_sides_of_a_call_are_both_kept(level: float) -> None:
    caller, agent = WAVE, np.float32(level) * speechlike(SAMPLE_RATE, seed=1)
    np.testing.assert_allclose(read_audio(np.stack([caller, agent])), (caller + agent) / 2, atol=1e-6)


def test_more_channels_than_ffmpeg_has_planes_for(tmp_path: Path) -> None:
    # libsndfile refuses a CAF file that is cut off, so this one goes to FFmpeg.
    channels = np.stack([WAVE] * 31, axis=1)
    waveform = read_audio(encoded(channels, SAMPLE_RATE, "CAF", "PCM_16")[: -2 * 31 * 100])
    np.testing.assert_allclose(waveform, WAVE[: len(waveform)], atol=QUANTUM)
    assert len(waveform) > 15_000


# ---------------------------------------------------------------------------------------------------- parts

PARTS = {
    "array": (speechlike(44_100, 5), 44_100),
    "wav": (encoded(speechlike(44_100, 5), 44_100, "WAV"), None),
    "flac": (encoded(speechlike(11_025, 5), 11_025, "FLAC"), None),
    "vorbis": (encoded(speechlike(16_000, 5), 16_000, "OGG"), None),
    "mp3": (encoded(speechlike(22_050, 5), 22_050, "MP3"), None),
    "odd rate": (speechlike(15_999, 5), 15_999),
}


@pytest.mark.parametrize("kind", PARTS)
@given(start=st.floats(0, 4.8), length=st.floats(0.05, 5))
@settings(max_examples=12, deadline=None, derandomize=True)
def test_a_part_is_the_slice_of_the_whole(kind: str, start: float, length: float) -> None:
    source, rate = PARTS[kind]
    whole = read_audio(source, rate=rate)
    end = min(start + length, len(whole) / SAMPLE_RATE)
    part = read_audio(source, rate=rate, start=start, end=end)
    expected = whole[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
    assert abs(len(part) - len(expected)) <= 1
    shorter = min(len(part), len(expected))
    np.testing.assert_allclose(part[:shorter], expected[:shorter], atol=1e-4)


@given(rate=st.integers(1_000, 200_000), samples=st.integers(1, 4_000))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_resampling_keeps_the_duration(rate: int, samples: int) -> None:
    expected = samples * SAMPLE_RATE / rate
    if expected >= 1:
        assert abs(len(read_audio(np.full(samples, 0.1), rate=rate)) - expected) <= 1


def test_a_part_does_not_decode_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 120
    file = encoded(np.tile(WAVE, seconds), SAMPLE_RATE, "FLAC")
    decoded = 0
    blocks = decode.SoundFileDecoder.blocks

    def counted(self: decode.SoundFileDecoder, first: int, stop: int | None) -> Iterator[Array]:
        nonlocal decoded
        for block in blocks(self, first, stop):
            decoded += len(block)
            yield block

    monkeypatch.setattr(decode.SoundFileDecoder, "blocks", counted)
    part = read_audio(file, start=100.25, end=100.75)
    np.testing.assert_allclose(part, WAVE[4_000:12_000], atol=QUANTUM)
    assert decoded <= 4 * SAMPLE_RATE


def test_an_end_that_was_rounded_up_is_the_end() -> None:
    np.testing.assert_array_equal(read_audio(WAVE, end=1.05), WAVE)


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (-1, None, "starts at 0"),
        (float("nan"), None, "starts at 0"),
        (0.5, 0.5, "must end after"),
        (0.5, 0.2, "must end after"),
        (0, float("inf"), "must end after"),
        (1.0, None, "behind its end"),
        (1e300, None, "behind its end"),
        (0.2, 1.2, "beyond its end at 1.000 s"),
        (0.2, 0.20001, "not a single sample"),
    ],
)
def test_a_part_that_is_not_there(start: float, end: float | None, says: str) -> None:
    for source in (WAVE, encoded(WAVE, SAMPLE_RATE, "WAV"), encoded(WAVE, SAMPLE_RATE, "OGG")):
        with pytest.raises(InputError, match=says):
            read_audio(source, start=start, end=end)


# ---------------------------------------------------------------------------------------------------- limits


def silence(seconds: int, form: str) -> bytes:
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", SAMPLE_RATE, 1, format=form) as sound:
        for _ in range(seconds):
            sound.write(np.zeros(SAMPLE_RATE, np.float32))
    return file.getvalue()


@pytest.mark.parametrize("form", ["FLAC", "OGG", "WAV"])
def test_a_header_that_says_too_much_is_refused_before_decoding(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = silence(3_601 if form == "FLAC" else 31, form)
    monkeypatch.setattr(decode.SoundFileDecoder, "blocks", None)
    with pytest.raises(InputError, match="longer than the limit of"):
        read_audio(file, limit=3600.0 if form == "FLAC" else 30.0)


def test_decoding_stops_at_the_limit_where_the_header_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = by_ffmpeg(np.zeros(600 * SAMPLE_RATE, np.float32), SAMPLE_RATE, "webm", "libopus", tmp_path)
    decoded = 0
    frames = decode.FFmpegDecoder._frames

    def counted(self: decode.FFmpegDecoder, container: av.container.InputContainer) -> Iterator[Array]:
        nonlocal decoded
        for frame in frames(self, container):
            decoded += len(frame)
            yield frame

    monkeypatch.setattr(decode.FFmpegDecoder, "_frames", counted)
    with pytest.raises(InputError, match="limit of 5 s; read a part of it, or raise the limit"):
        read_audio(file, limit=5)
    assert decoded / 48_000 < 5 + decode.BLOCK / 48_000 + 1
    with pytest.raises(InputError, match="limit of 5 s"):
        duration(file, limit=5)
    decoded = 0
    assert len(read_audio(file, start=2, end=7, limit=5)) == 5 * SAMPLE_RATE
    assert decoded / 48_000 < 8 + decode.BLOCK / 48_000 + 1


def test_the_limit_holds_for_parts_and_arrays() -> None:
    np.testing.assert_array_equal(read_audio(WAVE, limit=1.0), WAVE)
    with pytest.raises(InputError, match=r"limit of 0\.5 s"):
        read_audio(WAVE, limit=0.5)
    with pytest.raises(InputError, match=r"limit of 0\.5 s"):
        read_audio(WAVE, end=0.75, limit=0.5)
    assert len(read_audio(WAVE, start=0.5, limit=0.5)) == SAMPLE_RATE // 2


def test_a_header_that_claims_billions_of_frames_takes_no_memory() -> None:
    flac = bytearray(encoded(WAVE, SAMPLE_RATE, "FLAC"))
    flac[21] |= 0x0F  # the lower 36 of these bits are the number of samples in STREAMINFO
    flac[22:26] = b"\xff\xff\xff\xff"
    for limit in (3600.0, 1e9):
        with pytest.raises(InputError):
            read_audio(bytes(flac), limit=limit)


# ---------------------------------------------------------------------------------------------------- headers


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_wav_that_was_written_into_a_pipe_is_read(size: int) -> None:
    wav = with_data_size(encoded(WAVE, SAMPLE_RATE, "WAV", "PCM_16"), size)
    np.testing.assert_allclose(read_audio(wav), WAVE, atol=QUANTUM)


def test_a_flac_without_a_length_is_read() -> None:
    flac = bytearray(encoded(WAVE, SAMPLE_RATE, "FLAC"))
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)
    np.testing.assert_allclose(read_audio(bytes(flac)), WAVE, atol=QUANTUM)


@pytest.mark.parametrize(("form", "subtype"), [("WAV", "PCM_16"), ("WAV", "IMA_ADPCM"), ("AIFF", "PCM_24")])
def test_a_file_that_is_cut_off_says_how_much_it_holds(form: str, subtype: str) -> None:
    whole = encoded(speechlike(SAMPLE_RATE, 2), SAMPLE_RATE, form, subtype)
    with pytest.raises(InputError, match=r"promises 2\.\d+ s, but it holds (0.9|1.0)\d+ s"):
        read_audio(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cut off"):
        duration(whole[: len(whole) // 2])


def test_a_header_that_counts_itself_in_is_forgiven() -> None:
    wav = encoded(WAVE, SAMPLE_RATE, "WAV", "PCM_16")
    np.testing.assert_allclose(read_audio(with_data_size(wav, len(wav))), WAVE, atol=QUANTUM)


@pytest.mark.parametrize(("container", "codec"), [("mp3", "libmp3lame"), ("webm", "libopus"), ("mp4", "aac")])
def test_a_compressed_file_that_is_cut_off_is_an_error(container: str, codec: str, tmp_path: Path) -> None:
    file = by_ffmpeg(speechlike(48_000, 3), 48_000, container, codec, tmp_path)
    with pytest.raises(InputError):
        read_audio(file[: len(file) * 6 // 10])


def test_a_damaged_flac_is_an_error() -> None:
    flac = encoded(speechlike(SAMPLE_RATE, 2), SAMPLE_RATE, "FLAC")
    with pytest.raises(InputError, match="damaged"):
        read_audio(flac[: len(flac) // 2])


def test_a_chunk_that_claims_gigabytes_is_not_handed_to_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "FFmpegDecoder", None)
    wav = b"RIFF\xff\xff\xff\x7fWAVELIST\x00\x00\x00\xfaINFOISFT\x00\x00\x00\xf9Lavf"
    with pytest.raises(InputError, match="header is damaged"):
        read_audio(wav)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90798\n", "git lfs pull"),
        (b"\n<!DOCTYPE html><html>404</html>", "web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Error/>", "web page"),
        (b"RIFF", "header is damaged"),
        (encoded(WAVE, SAMPLE_RATE, "WAV")[:30], "header is damaged"),
        (encoded(WAVE[:0], SAMPLE_RATE, "WAV"), "not a single sample"),
        (encoded(WAVE[:0], SAMPLE_RATE, "FLAC"), "."),
        (np.random.default_rng(0).bytes(4_000), "not audio"),
        (b"path,speaker\na.wav,s1\n", "not audio"),
        (b"#EXTM3U\n#EXTINF:1,\nother.wav\n", "not audio"),
    ],
)
def test_what_is_no_audio_gets_one_sentence(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(content)
    for source, name in ((path, str(path)), (content, "the audio")):
        for function in (read_audio, duration):
            if says in ("not a single sample", ".") and function is duration:
                continue
            with pytest.raises(InputError, match=says) as problem:
                function(source)
            assert str(problem.value).startswith(f"{name}: ")
            assert "\n" not in str(problem.value)


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(encoded(WAVE, SAMPLE_RATE, "WAV"))
    secret = tmp_path / "secret.wav"
    for text in (
        f"ffconcat version 1.0\nfile '{secret}'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n",
    ):
        with pytest.raises(InputError, match="not audio"):
            read_audio(text.encode())


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such audio file"):
        read_audio(tmp_path / "absent.wav")
    with pytest.raises(InputError, match="cannot be opened"):
        read_audio(tmp_path)
    with pytest.raises(InputError, match="cannot be opened"):
        read_audio("a\0b.wav")


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_whatever_is_damaged_is_read_or_an_input_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    damaged = bytearray(DAMAGED[seed % len(DAMAGED)])
    for place in rng.integers(0, [64, 512, len(damaged)][seed % 3], size=5):
        damaged[place] = rng.integers(256)
    try:
        waveform = read_audio(bytes(damaged), limit=20)
    except InputError:
        return
    assert np.isfinite(waveform).all()


DAMAGED = [encoded(WAVE[:4_000], SAMPLE_RATE, form) for form in ("WAV", "FLAC", "OGG", "MP3", "AIFF")]


# ---------------------------------------------------------------------------------------------------- arrays


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint8, np.uint16])
def test_integers_are_scaled_to_one(dtype: type[np.integer]) -> None:
    info = np.iinfo(dtype)
    middle = 0 if info.min < 0 else (info.max + 1) // 2
    waveform = read_audio(np.array([info.min, middle, info.max], dtype))
    assert waveform[:2].tolist() == [-1, 0]
    assert 0.99 <= waveform[2] <= 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_taken_as_they_are(dtype: type[np.floating]) -> None:
    samples = np.array([-1.5, 0, 0.5], dtype)
    assert read_audio(samples).tolist() == [-1.5, 0, 0.5]


def test_the_result_is_no_view_of_the_array() -> None:
    samples = WAVE.copy()
    read_audio(samples)[:] = 0
    np.testing.assert_array_equal(samples, WAVE)


@pytest.mark.parametrize(
    ("array", "rate", "says"),
    [
        (np.zeros(0), None, "not a single sample"),
        (np.zeros((2, 0)), None, "not a single sample"),
        (np.zeros(()), None, "must be .samples. or .channels, samples., not a single number"),
        (np.zeros((100, 2)), None, "not 100 × 2; transpose it"),
        (np.zeros((1, 2, 100)), None, "not 1 × 2 × 100"),
        (np.array([0, np.nan]), None, "NaN or infinite"),
        (np.array([0, np.inf]), None, "NaN or infinite"),
        (np.array([0, np.nan] * 4_000), 8_000, "NaN or infinite"),
        (np.array([[0, np.nan], [0, 1]]), None, "NaN or infinite"),
        (np.array([0, 1e300]), None, "NaN or infinite"),
        (np.array([0, 20_000.0]), None, "reach 20000, but full scale is ±1"),
        (np.zeros(9, np.int64), None, "int64 samples have no known full scale"),
        (np.zeros(9, np.complex64), None, "complex64 samples"),
        (np.array(["a"]), None, "samples have no known full scale"),
        (np.zeros(9), 0, "0 samples per second"),
        (np.zeros(9), 2**31, "samples per second"),
        (np.zeros(9), 22_050.5, "whole number"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_arrays_that_are_no_audio(array: npt.NDArray[np.float64], rate: int | None, says: str) -> None:
    with pytest.raises(InputError, match=says) as problem:
        read_audio(array, rate=rate)
    assert str(problem.value).startswith("the array: ")


def test_other_things_are_no_audio() -> None:
    with pytest.raises(InputError, match="not list"):
        read_audio([0.0, 0.1])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="only given with an array"):
        read_audio(encoded(WAVE, SAMPLE_RATE, "WAV"), rate=8_000)


def test_files_that_hold_no_numbers() -> None:
    sound = WAVE.copy()
    sound[100] = np.nan
    with pytest.raises(InputError, match="NaN or infinite"):
        read_audio(encoded(sound, SAMPLE_RATE, "WAV", "FLOAT"))


def test_silence_is_audio() -> None:
    assert not read_audio(np.zeros((2, 100))).any()


@pytest.mark.parametrize(("form", "rate"), [("WAV", 44_100), ("FLAC", 8_000), ("OGG", 16_000)])
def test_duration_reads_only_the_header(form: str, rate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode.SoundFileDecoder, "blocks", None)
    assert duration(encoded(speechlike(rate, 1.5), rate, form)) == pytest.approx(1.5)


def test_the_samples_do_not_depend_on_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for form in ("FLAC", "OGG", "MP3"):
        file = encoded(np.stack([speechlike(44_100), speechlike(44_100, seed=1)], axis=1), 44_100, form)
        whole = read_audio(file)
        with monkeypatch.context() as patch:
            patch.setattr(decode, "BLOCK", 5_000)
            np.testing.assert_allclose(read_audio(file), whole, atol=1e-6)


def test_reading_needs_no_torch() -> None:
    code = "import sys, unheard.audio; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
