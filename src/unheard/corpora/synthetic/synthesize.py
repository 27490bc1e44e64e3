"""The synthetic corpus: speakers, emotions and sentences brought together, spoken, recorded and written."""

from __future__ import annotations

import functools
import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from tqdm import tqdm

from unheard.corpora.corpus import Corpus
from unheard.corpora.synthetic.assignment import assign_emotions
from unheard.corpora.synthetic.emotions import EXPRESSIONS, Cues, perform
from unheard.corpora.synthetic.espeak import Espeak, Voice
from unheard.corpora.synthetic.sentences import SENTENCES
from unheard.corpora.synthetic.sound import SAMPLE_RATE, record
from unheard.corpora.synthetic.speakers import Speaker, draw_speaker
from unheard.errors import InputError, did_you_mean
from unheard.processes import end_with_parent
from unheard.seeds import generator


def synthesize(
    folder: str | Path,
    *,
    speakers: int = 20,
    utterances: int = 20,
    emotions: Sequence[str] = ("angry", "happy", "neutral", "sad"),
    bias: float = 0.5,
    languages: Sequence[str] = tuple(SENTENCES),
    seed: int = 0,
    workers: int = 1,
    force: bool = False,
) -> Corpus:
    """Speak a corpus into ``folder``: ``manifest.csv`` and ``audio/<speaker>/<id>.flac`` (16 kHz, mono, 16 bit).

    The same arguments give the same files, byte for byte, on one machine with one version of the libraries, whatever
    the number of ``workers``. Another seed gives other speakers, with other names.

    Args:
        folder: Where to; it is made if need be.
        speakers: How many; even, as each session has a female and a male speaker.
        utterances: How many each speaker says, scripted and improvised turns alternating. The scripted sentences are
            the same for all speakers of a language.
        emotions: Which, from :data:`unheard.corpora.synthetic.EXPRESSIONS`.
        bias: How far the speaker predicts the emotion, from 0 (not at all) to 1 (each speaker has one emotion);
            see :func:`assign_emotions`.
        languages: Which, from :data:`unheard.corpora.synthetic.SENTENCES`; sessions take turns.
        seed: What is random depends on it.
        workers: How many processes speak; with more than one, call it under ``if __name__ == "__main__":``.
        force: Whether a corpus that lies in the folder may be replaced.

    Raises:
        InputError: an argument is not what it must be, the folder holds a corpus already, or espeak-ng is missing.
    """
    folder = Path(folder)
    _check(speakers, utterances, emotions, bias, languages, workers)
    manifest = folder / "manifest.csv"
    if manifest.exists() and not force:
        raise InputError(f"{manifest}: there is a corpus already; name another folder, or replace it with --force")
    plan = assign_emotions(speakers, utterances, emotions, bias, seed)
    people = [draw_speaker(index, tuple(languages), seed) for index in range(speakers)]
    rows: list[dict[str, Any]] = []
    with Espeak():  # fails here, before any process starts, where the engine is missing
        pass
    for spoken in tqdm(
        _each(functools.partial(_speak, folder, seed), people, plan, workers),
        "synthesizing", speakers, unit="speaker", delay=2, disable=None,
    ):  # fmt: skip
        rows += spoken
    corpus = Corpus.from_table(pd.DataFrame(rows), folder, str(manifest))
    corpus.write(manifest)
    return corpus


def _each(speak: Any, people: list[Speaker], plan: list[list[str]], workers: int) -> Iterable[list[dict[str, Any]]]:
    if workers == 1:
        yield from map(speak, people, plan)
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), end_with_parent) as pool:
        yield from pool.map(speak, people, plan)


def _speak(folder: Path, seed: int, speaker: Speaker, emotions: list[str]) -> list[dict[str, Any]]:
    """Speak and write one speaker's utterances; returns their rows."""
    (folder / "audio" / speaker.name).mkdir(parents=True, exist_ok=True)
    turns = _sentences(speaker, len(emotions), seed)
    rows = []
    with Espeak() as engine:
        for number, (emotion, (style, text)) in enumerate(zip(emotions, turns, strict=True), start=1):
            name = f"{speaker.name}_{number:03d}"
            audio = f"audio/{speaker.name}/{name}.flac"
            random = generator(seed, "synthetic", "utterance", name)
            shown = perform(emotion, speaker.habits[emotion], random)
            voice, rate = _voice(speaker, shown.cues)
            wave = record(engine.say(text, voice, rate), engine.sample_rate, speaker, shown.cues, random)
            soundfile.write(folder / audio, wave, SAMPLE_RATE, subtype="PCM_16")
            rows.append(
                {
                    "id": name, "audio": audio, "speaker": speaker.name, "gender": speaker.gender, "emotion": emotion,
                    "valence": shown.valence, "activation": shown.activation, "dominance": shown.dominance,
                    "session": speaker.session, "style": style, "text": text, "language": speaker.language,
                    "corpus": "synthetic", "duration": wave.size / SAMPLE_RATE,
                }
            )  # fmt: skip
    return rows


def _sentences(speaker: Speaker, count: int, seed: int) -> list[tuple[str, str]]:
    """(style, text) of each turn: the script in its order, between its sentences random ones."""
    sentences = SENTENCES[speaker.language]
    random = generator(seed, "synthetic", "sentences", speaker.name)
    improvised: list[str] = []
    while len(improvised) < count:
        improvised += random.permutation(sentences.improvised).tolist()
    return [
        ("improvised", improvised[turn // 2])
        if turn % 2
        else ("scripted", sentences.scripted[turn // 2 % len(sentences.scripted)])
        for turn in range(count)
    ]


def _voice(speaker: Speaker, cues: Cues) -> tuple[Voice, float]:
    """The engine's voice and its rate (words a minute) for an utterance."""
    pitch = speaker.pitch * 2 ** (cues.pitch / 12)
    span = float(np.clip(speaker.span * 2**cues.span, 1, 18))
    # The engine's sentences lie around 0.6 of the way from the lowest to the highest pitch.
    low, high = pitch * 2 ** (-0.6 * span / 12), pitch * 2 ** (0.4 * span / 12)
    rate = float(np.clip(speaker.rate * 2**cues.rate, 120, 280))
    return Voice(speaker.language, max(low, 45.0), high, speaker.formants), rate


def _check(
    speakers: int, utterances: int, emotions: Sequence[str], bias: float, languages: Sequence[str], workers: int
) -> None:
    if speakers < 2 or speakers % 2:
        raise InputError(
            f"speakers={speakers}: sessions pair a female and a male speaker, so give an even number from 2"
        )
    for name, number in (("utterances", utterances), ("workers", workers)):
        if number < 1:
            raise InputError(f"{name}={number}: give a whole number from 1")
    if not 0 <= bias <= 1:
        raise InputError(f"bias={bias}: give a number from 0 (balanced speakers) to 1 (one emotion per speaker)")
    for what, values, known in (("emotion", emotions, EXPRESSIONS), ("language", languages, SENTENCES)):
        if not values or len(set(values)) < len(values):
            raise InputError(f"{what}s={','.join(values)}: name each {what} once, at least one of {', '.join(known)}")
        for value in values:
            if value not in known:
                raise InputError(f'the synthetic corpus has no {what} "{value}"; {did_you_mean(value, known)}')
