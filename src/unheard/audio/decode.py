"""Decoders: a recording → blocks of samples [frames, channels], whichever library can read it.

libsndfile (through soundfile) comes first, FFmpeg (through PyAV) reads what libsndfile cannot, and MP3: where an MP3
does not say how long it is, libsndfile guesses from the first bit rate and stops there, which may be a third of it.
Both get an open file without a name, so that only the content decides what it is.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import av
import av.container
import numpy as np
import numpy.typing as npt
import soundfile

from unheard.errors import InputError

Samples = npt.NDArray[np.float32]

#: Samples (frames × channels) that are decoded at once, so that memory does not grow with what a header claims.
BLOCK = 1 << 20
#: A header's size may promise this much more than there is (seconds): some writers count the header in.
CARELESS = 0.01
#: As much for a count of frames, in which encoders leave out or add what a codec begins and ends with.
PADDING = 0.1
#: The chunk that holds the samples, in WAV and in AIFF.
SAMPLES = (b"data", b"SSND")
#: From this on (SoX; FFmpeg has 0xFFFFFFFF) the size of a chunk means that it was written into a pipe, size unknown.
UNKNOWN = 0x7FFFF000
#: What FFmpeg may open. Never playlists, which would make it open other files and addresses.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,aac,ogg,asf,amr,wav,w64,caf,aiff,au,flac,mp3,ac3,eac3,ape,flv,mpeg,"
    "mpegts,nistsphere,tta,wv"
)


class Decoder(Protocol):
    """A recording that is open."""

    rate: int
    #: How many frames the recording has, where it says so before it is decoded.
    frames: int | None

    def blocks(self, first: int, stop: int | None) -> Iterator[Samples]:
        """The frames from ``first`` up to ``stop`` (or to the end), in blocks [frames, channels]; may be called again.

        Raises:
            InputError: the recording is damaged.
        """


@contextmanager
def opened(source: str | Path | bytes) -> Iterator[tuple[IO[bytes], str]]:
    """The recording as a seekable file without a name, and what error sentences call it.

    Raises:
        InputError: there is no such file, or it may not be read.
    """
    if isinstance(source, bytes):
        yield io.BytesIO(source), "the audio"
        return
    name = str(source)
    try:
        # By descriptor: soundfile would look at the extension of a file that has a name.
        file = os.fdopen(os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0)), "rb")
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such audio file") from None
    except (OSError, ValueError) as problem:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or problem
        raise InputError(f"{name}: an audio file was expected, but it cannot be opened ({reason})") from None
    with file:
        yield (file if file.seekable() else io.BytesIO(file.read())), name


def open_decoder(file: IO[bytes], name: str) -> Decoder:
    """The decoder for what the file holds.

    Raises:
        InputError: it is no audio, its header is broken, or it promises more than the file holds.
    """
    head = _checked_head(file, name)
    if not _is_mpeg(head):
        try:
            return SoundFileDecoder(file, name)
        except soundfile.LibsndfileError:
            pass
    if any(held < promised for chunk, promised, held in _chunks(file) if chunk not in SAMPLES):
        raise _not_audio(name)  # FFmpeg would set aside the memory that such a chunk claims
    return FFmpegDecoder(file, name)


class _Sound(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is read from front to back."""

    def seekable(self) -> bool:
        # Otherwise soundfile seeks after every read to where it is already, at which lossy codecs lose what they carry
        # over from frame to frame.
        return False

    @property
    def seeks_exactly(self) -> bool:
        return bool(super().seekable()) and self.format != "OGG"


class _Patient:
    """A file in which seeking to before its beginning does nothing; libsndfile asks for that in some broken files."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.readinto, self.tell, self.read = file.readinto, file.tell, file.read  # type: ignore[attr-defined]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return self._file.tell()


class SoundFileDecoder:
    """What libsndfile reads: WAV, FLAC, Ogg Vorbis and Opus, AIFF, AU, CAF, W64, …"""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        with self._sound() as sound:
            # No frames may also be a recorder that was cut off before it wrote the size, which FFmpeg reads.
            if sound.subtype.startswith("MPEG") or sound.frames == 0:
                raise soundfile.LibsndfileError(0, "left to FFmpeg: ")
            self.rate: int = sound.samplerate
            #: libsndfile says 2^63 − 1 where it cannot know.
            self.frames: int | None = sound.frames if sound.frames < 1 << 62 else None
        for chunk, promised, held in _chunks(file):
            if chunk in SAMPLES and held and self.frames:
                # libsndfile corrects the promise to what there is without a word.
                seconds = self.frames / self.rate
                if promised < UNKNOWN:
                    _check_promise(seconds * promised / held, seconds, CARELESS, name)
                break

    def _sound(self) -> _Sound:
        self._file.seek(0)
        return _Sound(_Patient(self._file))

    def blocks(self, first: int, stop: int | None) -> Iterator[Samples]:
        """See :meth:`Decoder.blocks`."""
        if self.frames is not None and first >= self.frames:
            return
        position = 0
        with self._sound() as sound:
            try:
                if first and sound.seeks_exactly:
                    position = sound.seek(first)
                while stop is None or position < stop:
                    size = max(1, BLOCK // sound.channels)
                    left = [end - position for end in (stop, self.frames) if end is not None and end > position]
                    block = sound.read(min([size, *left]), dtype="float32", always_2d=True)
                    if len(block) == 0:
                        break
                    yield block[max(0, first - position) :]
                    position += len(block)
            except soundfile.LibsndfileError:
                raise _damaged(self._name, position / self.rate) from None
        if self.frames is not None:
            wanted = self.frames if stop is None else min(stop, self.frames)
            _check_promise(wanted / self.rate, position / self.rate, PADDING, self._name)


class FFmpegDecoder:
    """What FFmpeg reads: MP3, AAC and ALAC in MP4, WebM, raw AAC, Speex, WMA, AMR, …

    Not all of these know where a given sample lies, so a part is decoded from the beginning on. Packets that cannot
    be decoded are left out, as players do, up to a tenth of a second of them.
    """

    frames: int | None = None

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        with self._container() as container:
            self.rate = container.streams.audio[0].codec_context.sample_rate
            self._promised = _promised_seconds(container, file)

    def _container(self) -> av.container.InputContainer:
        self._file.seek(0)
        try:
            container = av.open(self._file, "r", container_options={"format_whitelist": CONTAINERS})
        except (av.FFmpegError, ValueError):
            raise _not_audio(self._name) from None
        if not container.streams.audio:
            container.close()
            raise InputError(f"{self._name}: there is no audio in it; give a recording with a sound track")
        # Typed as never missing, but it is where FFmpeg does not know the codec.
        if (container.streams.audio[0].codec_context or None) is None:
            container.close()
            raise InputError(f"{self._name}: FFmpeg does not know its audio codec; convert it to WAV or FLAC")
        return container

    def blocks(self, first: int, stop: int | None) -> Iterator[Samples]:
        """See :meth:`Decoder.blocks`."""
        position = 0
        with self._container() as container:
            for block in _gathered(self._frames(container)):
                if position + len(block) > first:
                    yield block[max(0, first - position) : None if stop is None else stop - position]
                position += len(block)
                if stop is not None and position >= stop:
                    return
        if self._promised is not None:
            _check_promise(self._promised, position / self.rate, PADDING, self._name)

    def _frames(self, container: av.container.InputContainer) -> Iterator[Samples]:
        """What each of FFmpeg's frames holds: about a thousand samples [frames, channels]."""
        # Interleaved, because PyAV reads beyond its planes where there are more than eight.
        to_float = av.AudioResampler(format="flt", rate=self.rate)
        decoded = lost = 0.0
        try:
            for packet in container.demux(container.streams.audio[0]):
                try:
                    frames = packet.decode()
                except (av.FFmpegError, ValueError):
                    lost += float((packet.duration or 0) * (packet.time_base or 0))
                    if lost > PADDING:
                        raise
                    continue
                for frame in frames:
                    for part in to_float.resample(frame):
                        decoded += part.samples / self.rate
                        samples = np.asarray(part.to_ndarray(), dtype=np.float32)
                        yield samples.reshape(part.samples, -1)
        except (av.FFmpegError, ValueError):
            raise _damaged(self._name, decoded) from None


def _gathered(pieces: Iterator[Samples]) -> Iterator[Samples]:
    """The same samples in blocks that are worth the while."""
    gathered: list[Samples] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += piece.size
        if size >= BLOCK:
            yield np.concatenate(gathered)
            gathered, size = [], 0
    if gathered:
        yield np.concatenate(gathered)


def _checked_head(file: IO[bytes], name: str) -> bytes:
    """The first bytes; says what the file is where it plainly is no audio: nothing, a Git LFS pointer, a web page."""
    file.seek(0)
    head = file.read(512)
    if not head:
        raise InputError(f"{name}: it is empty (0 bytes); copy or download it again")
    if head.startswith(b"version https://git-lfs"):
        raise InputError(f"{name}: it is a Git LFS pointer, not the recording; run `git lfs pull` in its repository")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<html", b"<!doctype", b"<?xml")):
        raise InputError(f"{name}: it is a web page (HTML or XML), not audio; download the recording again")
    return head


def _is_mpeg(head: bytes) -> bool:
    """Whether this begins as MP3 and raw AAC do: an ID3 tag, or the eleven bits of a frame."""
    return head.startswith(b"ID3") or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")


def _chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a WAV or AIFF file: name, bytes that its header promises, bytes that the file has for it."""
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    order = {b"RIFF": "<", b"RIFX": ">", b"FORM": ">"}.get(file.read(4))
    position = 12
    while order and position + 8 <= end:
        file.seek(position)
        name, size = struct.unpack(f"{order}4sI", file.read(8))
        position += 8
        yield name, size, min(size, end - position)
        unfinished = name in SAMPLES and size == 0
        position = end if unfinished else position + size + size % 2


def _promised_seconds(container: av.container.InputContainer, file: IO[bytes]) -> float | None:
    """How long the header says it is, in containers whose header does say it; FFmpeg estimates it for the others."""
    stream = container.streams.audio[0]
    kind = container.format.name.split(",")[0]
    if kind not in ("mov", "matroska") and not (kind == "mp3" and _counts_its_frames(file)):
        return None
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and len(container.streams) == 1:
        return container.duration / av.time_base
    return None


def _counts_its_frames(file: IO[bytes]) -> bool:
    """Whether the first frame of an MP3 is a Xing or Info header."""
    file.seek(0)
    tag = file.read(10)
    # The size of an ID3 tag has seven bits in each of four bytes.
    size = 10 + sum(byte << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=False))
    file.seek(size if tag.startswith(b"ID3") else 0)
    frame = file.read(64)
    return b"Xing" in frame or b"Info" in frame


def _check_promise(promised: float, held: float, tolerance: float, name: str) -> None:
    if promised > held + tolerance:
        raise InputError(
            f"{name}: it is cut off: its header promises {promised:.3f} s, but it holds {held:.3f} s; "
            "copy or download it again"
        )


def _not_audio(name: str) -> InputError:
    return InputError(f"{name}: it is not audio, or its header is damaged: neither libsndfile nor FFmpeg can read it")


def _damaged(name: str, seconds: float) -> InputError:
    return InputError(f"{name}: it is damaged: decoding fails after {seconds:.3f} s; copy or download it again")
