"""Fixed features are computed once, lie on disk, and belong to settings and to what is heard."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import unheard.frontends.store as store_module
from unheard.audio import read_audio
from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.frontends.mfcc import Mfcc
from unheard.frontends.store import FeatureStore
from unheard.recipe import Recipe
from unheard.seeds import generator

SETTINGS = Recipe.load("tdnn").front_end.settings


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the recordings that were read to compute from, in order."""
    names: list[str] = []

    def counted(path: Path, **part: float | None) -> np.ndarray:
        names.append(path.name)
        return read_audio(path, **part)

    monkeypatch.setattr(store_module, "read_audio", counted)
    return names


def noises(folder: Path, count: int) -> Corpus:
    """Recordings of a third of a second, all different."""
    folder.mkdir(exist_ok=True)
    lines = ["audio,speaker"]
    for i in range(count):
        soundfile.write(folder / f"{i:03}.wav", 0.1 * generator(0, "noise", i).standard_normal(5000), 16000)
        lines.append(f"{i:03}.wav,s")
    (folder / "manifest.csv").write_text("\n".join(lines))
    return Corpus.read(folder).with_digests()


def features(folder: Path, corpus: Corpus, **settings: object) -> list[np.ndarray]:
    return list(FeatureStore(folder).features("mfcc", SETTINGS | settings, corpus))


def test_features_are_those_of_the_front_end_memory_mapped(cache: Path, tiny_corpus: Corpus):
    corpus = tiny_corpus.with_digests()
    stored = FeatureStore(cache).features("mfcc", SETTINGS, corpus)
    assert len(stored) == len(corpus)
    for row, values in enumerate(stored):
        waveform = read_audio(corpus.audio_path(row))
        expected, _ = Mfcc().fixed(torch.from_numpy(waveform)[None], torch.tensor([len(waveform)]))
        np.testing.assert_array_equal(values, expected[0].numpy())
        assert values.dtype == np.float32
        assert isinstance(values, np.memmap)
        assert not values.flags.writeable
    np.testing.assert_array_equal(stored[-1], stored[len(corpus) - 1])


def test_features_are_computed_once(cache: Path, tiny_corpus: Corpus, reads: list[str]):
    corpus = tiny_corpus.with_digests()
    first = features(cache, corpus)
    assert sorted(reads) == sorted(corpus.table["audio"])
    reads.clear()
    second = features(cache, corpus)
    reordered = features(cache, corpus.take(range(len(corpus) - 1, -1, -1)))
    assert not reads
    for one, other, turned in zip(first, second, reversed(reordered), strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, turned)


def test_a_longer_corpus_computes_only_what_is_new(cache: Path, tiny_corpus: Corpus, reads: list[str]):
    corpus = tiny_corpus.with_digests()
    features(cache, corpus.take(range(5)))
    reads.clear()
    features(cache, corpus)
    assert reads == corpus.table["audio"].tolist()[5:]


def test_the_content_counts_and_not_the_name(cache: Path, tmp_path: Path, reads: list[str]):
    corpus = noises(tmp_path / "a", 3)
    features(cache, corpus)
    (tmp_path / "b").mkdir()
    for one, other in (("000", "x"), ("001", "y"), ("002", "000")):
        shutil.copy(tmp_path / "a" / f"{one}.wav", tmp_path / "b" / f"{other}.wav")
    (tmp_path / "b" / "manifest.csv").write_text("audio\nx.wav\ny.wav\n000.wav\n")
    reads.clear()
    features(cache, Corpus.read(tmp_path / "b").with_digests())
    assert not reads
    soundfile.write(tmp_path / "a" / "001.wav", np.zeros(5000), 16000)
    features(cache, Corpus.read(tmp_path / "a").with_digests())
    assert reads == ["001.wav"]


def test_the_same_recording_twice_is_computed_once(cache: Path, tmp_path: Path, reads: list[str]):
    noises(tmp_path, 1)
    shutil.copy(tmp_path / "000.wav", tmp_path / "twin.wav")
    (tmp_path / "manifest.csv").write_text("audio\n000.wav\ntwin.wav\n")
    one, twin = features(cache, Corpus.read(tmp_path).with_digests())
    assert reads == ["000.wav"]
    np.testing.assert_array_equal(one, twin)


@pytest.mark.parametrize("change", [{"bands": 30}, {"activity": "none"}, {"normalize": "sliding"}, {"deltas": 0}])
def test_other_settings_are_other_features(cache: Path, tiny_corpus: Corpus, reads: list[str], change: dict):
    corpus = tiny_corpus.with_digests().take([0, 1])
    features(cache, corpus)
    features(cache, corpus, **change)
    assert len(reads) == 4
    features(cache, corpus)
    features(cache, corpus, **change)
    assert len(reads) == 4


def test_a_setting_that_fixed_does_not_depend_on_changes_nothing(
    cache: Path, tiny_corpus: Corpus, reads: list[str], monkeypatch: pytest.MonkeyPatch
):
    corpus = tiny_corpus.with_digests().take([0])
    monkeypatch.setattr(Mfcc, "fixed_settings", tuple(name for name in Mfcc.fixed_settings if name != "normalize"))
    features(cache, corpus)
    features(cache, corpus, normalize="global")
    assert len(reads) == 1


def test_another_version_of_the_arithmetic_computes_again(
    cache: Path, tiny_corpus: Corpus, reads: list[str], monkeypatch: pytest.MonkeyPatch
):
    corpus = tiny_corpus.with_digests().take([0])
    features(cache, corpus)
    monkeypatch.setattr(Mfcc, "version", Mfcc.version + 1)
    features(cache, corpus)
    assert len(reads) == 2


def test_parts_of_one_recording_are_entries_of_their_own(cache: Path, tmp_path: Path, reads: list[str]):
    soundfile.write(tmp_path / "long.wav", 0.1 * generator(0, "long").standard_normal(32000), 16000)
    (tmp_path / "manifest.csv").write_text(
        "id,audio,start,end\na,long.wav,,\nb,long.wav,0.5,\nc,long.wav,1,1.5\nd,long.wav,1,2\n"
    )
    corpus = Corpus.read(tmp_path).with_digests()
    stored = features(cache, corpus, activity="none")
    # Frames every 10 ms that lie within: 2 s, 1.5 s, 0.5 s, 1 s.
    assert [len(values) for values in stored] == [198, 148, 48, 98]
    assert len(reads) == 4
    np.testing.assert_array_equal(stored[3][:48, :13], stored[2][:, :13])
    features(cache, corpus, activity="none")
    assert len(reads) == 4

    whole = replace(corpus, table=corpus.table.iloc[:1].drop(columns=["start", "end"]))
    np.testing.assert_array_equal(features(cache, whole, activity="none")[0], stored[0])
    assert len(reads) == 4  # no start and no end is the whole recording


def test_an_interruption_loses_only_the_shard_under_way(
    cache: Path, tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
):
    corpus = noises(tmp_path / "noises", 40)  # shards of 16, 16 and 8
    counted = store_module.read_audio

    def interrupted(path: Path, **part: float | None) -> np.ndarray:
        if path.name == "037.wav":
            raise KeyboardInterrupt
        return counted(path, **part)

    monkeypatch.setattr(store_module, "read_audio", interrupted)
    with pytest.raises(KeyboardInterrupt):
        features(cache, corpus)
    monkeypatch.setattr(store_module, "read_audio", counted)
    reads.clear()
    stored = features(cache, corpus)
    assert reads == [f"{i:03}.wav" for i in range(32, 40)]
    for one, other in zip(stored, features(tmp_path / "another", corpus), strict=True):
        np.testing.assert_array_equal(one, other)


def test_half_a_shard_is_no_shard(cache: Path, tiny_corpus: Corpus, reads: list[str]):
    corpus = tiny_corpus.with_digests()
    expected = features(cache, corpus)
    (folder,) = cache.iterdir()
    (index,) = folder.glob("*.json")
    index.rename(index.with_suffix(".json.tmp"))  # as a kill before the last step leaves it
    (folder / "other.npy").write_bytes(b"half")
    reads.clear()
    for one, other in zip(features(cache, corpus), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(reads) == len(corpus)


def test_a_broken_recording_is_named_and_the_others_stay(cache: Path, tmp_path: Path, reads: list[str]):
    noises(tmp_path, 18)
    (tmp_path / "017.wav").write_bytes(b"no sound")
    corpus = Corpus.read(tmp_path).with_digests()
    with pytest.raises(InputError) as problem:
        features(cache, corpus)
    assert str(problem.value).startswith(f'{tmp_path / "manifest.csv"}, utterance "017.wav": {tmp_path / "017.wav"}: ')
    reads.clear()
    features(cache, corpus.take(range(16)))
    assert not reads


WORK = """
import sys
from unheard.corpora import Corpus
from unheard.frontends.store import FeatureStore
from unheard.recipe import Recipe
corpus, settings = Corpus.read(sys.argv[1]).with_digests(), Recipe.load("tdnn").front_end.settings
print("ready", flush=True)
sys.stdin.readline()
FeatureStore(sys.argv[2]).features("mfcc", settings, corpus)
"""


def test_two_processes_may_write_at_once(cache: Path, tmp_path: Path, reads: list[str]):
    corpus = noises(tmp_path / "noises", 40)
    command = [sys.executable, "-c", WORK, str(corpus.folder), str(cache)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        other.stdin.write("go\n")
        other.stdin.flush()
        features(cache, corpus)
        assert other.wait(timeout=120) == 0
    reads.clear()
    stored = features(cache, corpus)
    assert not reads
    for one, alone in zip(stored, features(tmp_path / "alone", corpus), strict=True):
        np.testing.assert_array_equal(one, alone)


def test_a_vector_per_utterance_is_kept_too(cache: Path, tiny_corpus: Corpus):
    pytest.importorskip("opensmile")
    settings = Recipe.load("egemaps-svm").front_end.settings
    stored = FeatureStore(cache).features("opensmile", settings, tiny_corpus.with_digests().take([0, 1]))
    assert [values.shape for values in stored] == [(1, 88), (1, 88)]
