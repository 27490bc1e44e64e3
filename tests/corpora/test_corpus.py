"""The utterance table: what is written is read, and what is wrong in a manifest gets one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from unheard.corpora import EMOTIONS, Corpus
from unheard.corpora.corpus import COLUMNS, GENDERS, NUMBERS
from unheard.errors import InputError

# Any text that a file in UTF-8 can hold, after the blanks around it are taken off.
texts = some.text(some.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8) | some.sampled_from(
    [
        "NA",
        "nan",
        "None",
        "null",
        "001",
        "1.0",
        "1e5",
        "-",
        "True",
        'say "hi"',
        "a,b",
        "a;b",
        "'",
        "#",
        "two\nlines",
        "a\rb",
    ]
)
numbers = some.floats(allow_nan=False, allow_infinity=False)
seconds = some.floats(0, 1e5)


@some.composite
def tables(draw: some.DrawFn) -> pd.DataFrame:
    rows = draw(some.integers(1, 4))
    values: dict[str, some.SearchStrategy] = {
        "emotion": some.sampled_from(EMOTIONS), "gender": some.sampled_from(GENDERS),
        "start": seconds, "duration": seconds,
    }  # fmt: skip
    table = {"audio": [f"{row}.wav" for row in range(rows)]}
    for column in draw(some.lists(some.sampled_from(COLUMNS), unique=True)):
        if column in ("audio", "end"):
            continue
        value = values.get(column, numbers if column in NUMBERS else texts)
        filled = some.lists(value if column == "id" else some.none() | value, min_size=rows, max_size=rows)
        table[column] = draw(filled)
    if "id" in table:
        table["id"] = [f"{row}{value}" for row, value in enumerate(table["id"])]
    if "start" in table:
        table["end"] = [None if start is None else start + 1 for start in table["start"]]
    return pd.DataFrame(table, columns=draw(some.permutations(list(table))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("manifests")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@given(table=tables())
def test_what_is_written_is_read(folder: Path, ending: str, table: pd.DataFrame):
    corpus = Corpus.from_table(table, folder)
    manifest = folder / f"manifest.{ending}"
    corpus.write(manifest)
    again = Corpus.read(manifest, check_audio=False)
    pd.testing.assert_frame_equal(again.table, corpus.table, check_exact=True)
    assert again.hash == corpus.hash
    for column in set(table) - {"id", "audio", "end"}:
        for given_value, kept in zip(table[column], again.table[column], strict=True):
            if column in NUMBERS:
                assert kept == given_value or (pd.isna(given_value) and np.isnan(kept))
            else:
                text = "" if pd.isna(given_value) else given_value.strip()
                assert (kept if isinstance(kept, str) else "") == re.sub("\r\n?", "\n", text)


def write(folder: Path, content: str | bytes, name: str = "manifest.csv") -> Path:
    for recording in "abc":
        (folder / f"{recording}.wav").write_bytes(recording.encode())
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder: Path, content: str | bytes) -> pd.DataFrame:
    return Corpus.read(write(folder, content)).table


WRONG = {
    "empty file": ("", ": this is not a readable manifest (No columns", "header and one row per utterance"),
    "blank lines": ("\n\n", ": this is not a readable manifest (No columns", "header and one row per utterance"),
    "header only": ("audio,speaker,emotion\n", ": there is no utterance in it", "one row per utterance"),
    "header and blanks": ("audio,speaker\n\n,\n\n", ": there is no utterance in it", "one row per utterance"),
    "no audio column": (
        "file,speaker\na.wav,s\n",
        ': the column "audio"',
        "add it; its columns, separated by commas, are file",
    ),
    "semicolons": ("audio;speaker\na.wav;s\n", ': the column "audio"', "separated by commas, are audio;speaker"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", ": this is not a readable manifest", "save it as CSV"),
    "latin-1": ("audio,text\na.wav,été\n".encode("latin-1"), ": this is not a readable manifest", "in UTF-8"),
    "a web page": ("<html>\n<body>no</body></html>\n", ': the column "audio"', "its columns"),
    "open quote": ('audio,speaker\n"a.wav,s\n', ": this is not a readable manifest", "save it as CSV"),
    "one row too long": (
        "audio,speaker\na.wav,s\nb.wav,t,2\n",
        ": this is not a readable manifest",
        "in line 3, saw 3",
    ),
    "all rows too long": (
        "audio,speaker\na.wav,s,1\nb.wav,t,2\n",
        ": this is not a readable",
        "more values than its header",
    ),
    "unknown emotion": (
        "audio,emotion\na.wav,sad\nb.wav,anger\n",
        ', line 3: there is no emotion "anger"',
        'did you mean "angry"?',
    ),
    "emotion in capitals": (
        "audio,emotion\na.wav,Angry\n",
        ', line 2: there is no emotion "Angry"',
        'did you mean "angry"?',
    ),
    "unknown gender": ("audio,gender\na.wav,f\n", ', line 2: there is no gender "f"', "it is one of female, male"),
    "absent file": (
        "audio\na.wav\nz.wav\n",
        ', line 3: the audio file "z.wav" does not exist',
        "put it there or remove the row",
    ),
    "no audio in a row": ("audio,speaker\na.wav,s\n,t\n", ", line 3: the utterance has no audio", "name its recording"),
    "blank line": ("audio,speaker\na.wav,s\n\nb.wav,t\n", ", line 3: the utterance has no audio", "remove the row"),
    "no id in a row": ("id,audio\n1,a.wav\n,b.wav\n", ", line 3: the utterance has no id", "give it one"),
    "same row twice": (
        "audio\na.wav\nb.wav\na.wav\n",
        ', line 4: the id "a.wav" stands in line 2 already',
        "remove one",
    ),
    "same id twice": ("id,audio\n1,a.wav\n1,b.wav\n", ', line 3: the id "1" stands in line 2 already', "remove one"),
    "same recording twice": (
        "id,audio\n1,a.wav\n2,a.wav\n",
        ', line 3: the recording "a.wav" stands in line 2',
        "remove one",
    ),
    "same part twice": (
        "id,audio,start,end\n1,a.wav,0,1\n2,a.wav,1,2\n3,a.wav,1,2\n",
        ', line 4: the recording "a.wav" stands in line 3',
        "remove",
    ),
    "word for a number": (
        "audio,start\na.wav,1\nb.wav,abc\n",
        ', line 3: the start "abc" is not a number',
        "decimal point",
    ),
    "decimal comma": ('audio,valence\na.wav,"1,5"\n', ', line 2: the valence "1,5" is not a number', "decimal point"),
    "infinite": ("audio,valence\na.wav,inf\n", ', line 2: the valence "inf" is not a number', "leave it empty"),
    "start below zero": (
        "audio,start\na.wav,-1\n",
        ", line 2: the utterance starts before its recording",
        "0 s or later",
    ),
    "end before start": (
        "audio,start,end\na.wav,0,1\nb.wav,3,2\n",
        ", line 3: the utterance ends before it starts",
        "later than",
    ),
    "nothing between": (
        "audio,end\na.wav,0\n",
        ", line 2: the utterance ends before it starts",
        "later than the start",
    ),
    "after a text of two lines": (
        'audio,text,emotion\na.wav,"two\nlines",sad\nb.wav,x,anger\n',
        ', line 4: there is no emotion "anger"',
        "did you mean",
    ),
}


@pytest.mark.parametrize(("content", "wrong", "remedy"), WRONG.values(), ids=WRONG)
def test_a_wrong_manifest_gets_one_sentence(tmp_path: Path, content: str | bytes, wrong: str, remedy: str):
    path = write(tmp_path, content)
    with pytest.raises(InputError) as problem:
        Corpus.read(path)
    sentence = str(problem.value)
    assert sentence.startswith(f"{path}{wrong}")
    assert remedy in sentence
    assert "\n" not in sentence


def test_an_absent_or_broken_manifest_gets_one_sentence(tmp_path: Path):
    for path in (tmp_path / "no.csv", tmp_path):
        with pytest.raises(InputError, match="there is no such manifest; write one"):
            Corpus.read(path)
    with pytest.raises(InputError, match="this is not a readable manifest"):
        Corpus.read(write(tmp_path, b"PAR1 no", "manifest.parquet"))


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ({"speaker": ["s"]}, 'the table: the column "audio"'),
        ({"audio": []}, "the table: there is no utterance in it"),
        ({"audio": ["a", None]}, "the table, line 3: the utterance has no audio"),
        ({"audio": ["a"], "start": ["x"]}, 'the table, line 2: the start "x" is not a number'),
        ({"audio": ["a"], "emotion": [3]}, 'the table, line 2: there is no emotion "3"'),
    ],
)
def test_a_wrong_table_gets_one_sentence(table: dict, wrong: str):
    with pytest.raises(InputError, match=wrong):
        Corpus.from_table(pd.DataFrame(table), ".")


def test_names_stay_as_they_are_written(tmp_path: Path):
    table = read(tmp_path, "audio,speaker,session\na.wav,NA,001\nb.wav,nan,1.0\nc.wav,None,null\n")
    assert table["speaker"].tolist() == ["NA", "nan", "None"]
    assert table["session"].tolist() == ["001", "1.0", "null"]
    assert read(tmp_path, "audio,speaker\na.wav,001\nb.wav,002\n")["speaker"].tolist() == ["001", "002"]


def test_what_is_empty_is_missing(tmp_path: Path):
    table = read(tmp_path, "audio,speaker,emotion,start,valence\na.wav, ,,,\nb.wav\nc.wav,s,sad,0,1\n")
    assert table.iloc[:2, 2:].isna().all(axis=None)
    assert table.iloc[2].tolist() == ["c.wav#0.000", "c.wav", 0.0, "s", "sad", 1.0]


@pytest.mark.parametrize(
    "content", ["audio,speaker\r\na.wav,s\r\n", "\ufeffaudio,speaker\na.wav,s\n", "audio,speaker\na.wav,s\n\n\n"]
)
def test_other_programs_ways_to_write_are_read(tmp_path: Path, content: str):
    assert read(tmp_path, content).to_dict("list") == {"id": ["a.wav"], "audio": ["a.wav"], "speaker": ["s"]}


def test_columns_come_in_their_order_and_others_after_them(tmp_path: Path):
    table = read(tmp_path, "rater,emotion,audio,speaker\n007,sad,a.wav,s\n")
    assert list(table) == ["id", "audio", "speaker", "emotion", "rater"]
    assert table["rater"].tolist() == ["007"]


def test_parts_of_one_recording_are_utterances(tmp_path: Path):
    corpus = Corpus.read(write(tmp_path, "audio,start,end\na.wav,0,1\na.wav,1,2.5\nb.wav,,\n"))
    assert corpus.table["id"].tolist() == ["a.wav#0.000-1.000", "a.wav#1.000-2.500", "b.wav"]
    assert corpus.audio_path(1) == tmp_path / "a.wav"


def test_a_folder_stands_for_its_manifest_and_a_corpus_is_called_after_it(tmp_path: Path):
    write(tmp_path, "audio\na.wav\n")
    assert Corpus.read(tmp_path).name == tmp_path.name
    write(tmp_path, "audio,corpus\na.wav,two\nb.wav,one\nc.wav,\n")
    assert Corpus.read(tmp_path).name == "one + two"
    assert not Corpus.read(tmp_path).synthetic
    write(tmp_path, "audio,corpus\na.wav,two\nb.wav,synthetic\n")
    assert Corpus.read(tmp_path).synthetic


def test_audio_that_is_not_there_is_accepted_on_request(tmp_path: Path):
    assert len(Corpus.read(write(tmp_path, "audio\nz.wav\n"), check_audio=False)) == 1


def test_a_column_that_is_missing_or_empty_gets_one_sentence(tmp_path: Path):
    path = write(tmp_path, "audio,speakers,emotion\na.wav,s,\n")
    corpus = Corpus.read(path)
    assert corpus.column("speakers").tolist() == ["s"]
    with pytest.raises(InputError, match='the column "speaker" is missing; did you mean "speakers"'):
        corpus.column("speaker")
    with pytest.raises(InputError, match='the column "emotion" is empty; fill it in'):
        corpus.column("emotion")


def test_taking_rows_leaves_the_corpus_as_it_was(tmp_path: Path):
    corpus = Corpus.read(write(tmp_path, "audio,speaker\na.wav,s\nb.wav,t\nc.wav,s\n"))
    assert corpus.take([2, 0]).table["audio"].tolist() == ["c.wav", "a.wav"]
    assert corpus.take(corpus.table["speaker"] == "s").table["audio"].tolist() == ["a.wav", "c.wav"]
    assert corpus.take([2]).audio_path(0) == tmp_path / "c.wav"
    assert len(corpus) == 3


def test_digests_and_hash_follow_the_content(tmp_path: Path):
    path = write(tmp_path, "id,audio,speaker\n1,a.wav,s\n2,b.wav,t\n")
    corpus = Corpus.read(path).with_digests()
    assert corpus.table["digest"].str.len().tolist() == [64, 64]
    assert corpus.with_digests() is corpus

    (tmp_path / "moved.wav").write_bytes(b"a")
    moved = Corpus.read(write(tmp_path, "id,audio,speaker\n1,moved.wav,s\n2,b.wav,t\n")).with_digests()
    assert moved.table["digest"].tolist() == corpus.table["digest"].tolist()
    assert moved.hash == corpus.hash

    assert Corpus.read(write(tmp_path, "id,audio,speaker\n1,a.wav,t\n2,b.wav,t\n")).with_digests().hash != corpus.hash
    path = write(tmp_path, "id,audio,speaker\n1,a.wav,s\n2,b.wav,t\n")
    (tmp_path / "a.wav").write_bytes(b"changed")
    assert Corpus.read(path).with_digests().hash != corpus.hash


def test_what_is_empty_is_missing_in_every_column(tmp_path: Path):
    corpus = Corpus.read(write(tmp_path, "audio,speaker,accent\na.wav,s,north\nb.wav,,\n"))
    assert corpus.table["accent"].isna().tolist() == corpus.table["speaker"].isna().tolist() == [False, True]


def test_digests_in_a_manifest_are_not_believed(tmp_path: Path):
    path = write(tmp_path, f"audio,speaker,digest\na.wav,s,{'0' * 64}\nb.wav,t,{'0' * 64}\n")
    assert Corpus.read(path).with_digests().table["digest"].is_unique
    assert Corpus.read(path, check_audio=False).table["digest"].tolist() == ["0" * 64] * 2


def test_an_interrupted_write_leaves_the_old_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write(tmp_path, "audio,speaker\na.wav,s\nb.wav,t\n")
    corpus = Corpus.read(path)

    def interrupted(table: pd.DataFrame, file: Path, **options: object) -> None:
        Path(file).write_text("audio,sp")
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_csv", interrupted)
    with pytest.raises(KeyboardInterrupt):
        corpus.write(path)
    assert len(Corpus.read(path)) == 2


def test_a_moved_corpus_finds_the_same_recordings(tmp_path: Path, make_tiny_corpus):
    folder = tmp_path / "one"
    folder.mkdir()
    corpus = make_tiny_corpus(folder)
    for there in (tmp_path, tmp_path / "two" / "deep", folder):
        moved = corpus.moved_to(there)
        there.mkdir(parents=True, exist_ok=True)
        moved.write(there / "moved.csv")
        assert Corpus.read(there / "moved.csv").table["id"].tolist() == corpus.table["id"].tolist()
