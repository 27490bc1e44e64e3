"""Kaldi data directories as its recipes write them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from unheard.corpora import Corpus
from unheard.corpora.exchange import export_corpus, import_corpus
from unheard.errors import InputError


def directory(place: Path, **files: str) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (place / name.replace("_scp", ".scp")).write_text(text, encoding="utf-8")
    return place


def test_recordings_segments_speakers_and_further_files(tmp_path: Path) -> None:
    place = directory(
        tmp_path,
        wav_scp="r1 flac -c -d -s audio/r1.flac |\nr2 sph2pipe -f wav -p -c 1 '/data/r 2.sph' |\nr3 /data/r 3.wav\n",
        segments="u1 r1 0.00 1.50\nu2 r1 1.50 -1\nu3 r2 0 2\nu4 r3 0 2.5\n",
        utt2spk="u1 s1\nu2 s2\nu3 s1\nu4 u4\n",
        spk2gender="s1 f\ns2 m\n",
        spk2age="s1 30\n",
        text="u1 guten  Tag\nu2\nu3 ja\n",
        utt2emo="u1 ang\nu3 neu\n",
        utt2mood="u2 odd day\n",
        feats_scp="u1 x.ark:1\n",
    )
    found = import_corpus(place)
    table = found.corpus.table.set_index("id")
    assert table["audio"].tolist() == ["audio/r1.flac", "audio/r1.flac", "/data/r 2.sph", "/data/r 3.wav"]
    assert table["start"].tolist() == [0, 1.5, 0, 0]
    assert table["end"].fillna(-1).tolist() == [1.5, -1, 2, 2.5]
    assert table["speaker"].fillna("-").tolist() == ["s1", "s2", "s1", "-"]
    assert table["gender"].fillna("-").tolist() == ["female", "male", "female", "-"]
    assert table["age"].fillna("-").tolist() == ["30", "-", "30", "-"]
    assert table["text"].fillna("-").tolist() == ["guten  Tag", "-", "ja", "-"]
    assert table["emotion"].fillna("-").tolist() == ["angry", "-", "neutral", "-"]
    assert table["mood"].dropna().to_dict() == {"u2": "odd day"}
    assert found.folds == {}
    assert found.lost == (f"{place / 'feats.scp'}: features are not read; make them again from the recordings",)


def test_directories_are_parts(tmp_path: Path) -> None:
    for part, name in (("train", "a"), ("dev", "b"), ("test", "c")):
        directory(tmp_path / part, wav_scp=f"{name} {name}.wav\n", utt2spk=f"{name} s{name}\n")
    (tmp_path / "lang").mkdir()
    found = import_corpus(tmp_path)
    assert found.folds == {"given": {"train": ("a",), "dev": ("b",), "test": ("c",)}}
    directory(tmp_path / "extra", wav_scp="d d.wav\n")
    with pytest.raises(InputError, match='extra: "extra" is no part of a split known here'):
        import_corpus(tmp_path)


def test_a_command_without_a_recording(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='the command of "a" names no recording'):
        import_corpus(directory(tmp_path, wav_scp="a cat 'x |\n"))


def test_what_is_written_is_as_kaldi_wants_it(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "id": ["b-1", "B-1", "ä-1"], "audio": ["x.wav", "x.wav", "y z.flac"], "start": [1.0, 0.0, None],
            "end": [2.0, 1.0, None], "speaker": ["b", "b", None], "gender": ["female", "male", "male"],
            "text": ["two\nlines", None, "x"], "valence": [1.0, None, 2.0],
        }
    )  # fmt: skip
    lost = export_corpus(Corpus.from_table(table, tmp_path / "in"), tmp_path / "out", "kaldi")
    assert {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "out").iterdir()} == {
        "wav.scp": f"b-1 {tmp_path}/in/x.wav\nä-1 flac -c -d -s '{tmp_path}/in/y z.flac' |\n",
        "segments": "B-1 b-1 0.0 1.0\nb-1 b-1 1.0 2.0\nä-1 ä-1 0.0 -1.0\n",
        "utt2spk": "B-1 b\nb-1 b\nä-1 ä-1\n",
        "spk2utt": "b B-1 b-1\nä-1 ä-1\n",
        "spk2gender": "ä-1 m\n",
        "text": "b-1 two lines\nä-1 x\n",
    }
    assert lost == (
        'Kaldi: the column "valence" has no place',
        "Kaldi: the gender of 1 speakers is not that of all their utterances, and is lost",
        'Kaldi: line breaks in the column "text" become blanks',
    )


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"id": ["a b"]}, 'the id "a b" holds a blank'),
        ({"id": ["a"], "speaker": ["Anna B"]}, 'the speaker "Anna B" holds a blank'),
        ({"id": ["a"], "audio": ["x |"]}, "Kaldi cannot read a path like"),
    ],
)
def test_what_kaldi_forbids(columns: dict[str, list[str]], sentence: str, tmp_path: Path) -> None:
    corpus = Corpus.from_table(pd.DataFrame({"audio": ["a.wav"]} | columns), tmp_path)
    with pytest.raises(InputError, match=sentence):
        export_corpus(corpus, tmp_path / "out", "kaldi")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("files", [{"wav_scp": ""}, {"wav_scp": "a a.wav\n", "segments": ""}])
def test_a_directory_without_an_utterance(files: dict[str, str], tmp_path: Path) -> None:
    place = directory(tmp_path, **files)
    with pytest.raises(InputError, match="there is no utterance in it"):
        import_corpus(place)
