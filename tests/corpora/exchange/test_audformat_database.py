"""audformat databases: several tables, splits, schemes that know more of a label, and nothing that could run code."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pandas as pd
import pytest

from unheard.corpora import Corpus
from unheard.corpora.exchange import export_corpus, import_corpus
from unheard.errors import InputError

audformat = pytest.importorskip("audformat")
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")  # of pandas, in the library
FILES = ["wav/a.wav", "wav/b.wav", "wav/c.wav"]


def database() -> object:
    """As EmoDB's is published: files with speakers, emotions in another table and again in one for each split."""
    db = audformat.Database("emodb", languages=["deu"], usage="unrestricted")
    db.schemes["emotion"] = audformat.Scheme(labels=["anger", "neutral", "sadness", "awe"])
    db.schemes["confidence"] = audformat.Scheme("float")
    db.schemes["speaker"] = audformat.Scheme("int", labels={3: {"gender": "male", "age": 31}, 8: {"gender": "female"}})
    db.schemes["duration"] = audformat.Scheme("time")
    db.schemes["spontaneous"] = audformat.Scheme("bool")
    for split, kind in (("train", "train"), ("test", "test"), ("odd", "other")):
        db.splits[split] = audformat.Split(kind)
    index = audformat.filewise_index(FILES)
    add(
        db,
        "files",
        index,
        speaker=[3, 8, 8],
        duration=pd.to_timedelta([1.5, 2, None], unit="s"),
        spontaneous=[True, None, False],
    )
    add(db, "emotion", index, emotion=["anger", "awe", None], confidence=[0.5, None, 1.0])
    for number, split in ((0, "train"), (1, "test"), (2, "odd")):
        some = audformat.filewise_index(FILES[number : number + 1])
        for kind in ("gold", "silver"):
            add(db, f"emotion.{split}.{kind}", some, split, emotion=[["anger", "awe", None][number]])
    return db


def add(db: object, name: str, index: pd.Index, split: str | None = None, **columns: object) -> None:
    db[name] = audformat.Table(index, split_id=split)  # type: ignore[index]
    for column, values in columns.items():
        db[name][column] = audformat.Column(scheme_id=column)  # type: ignore[index]
        db[name][column].set(values)  # type: ignore[index]


@pytest.mark.parametrize("storage", ["csv", "parquet"])
def test_a_database_of_several_tables(storage: str, tmp_path: Path) -> None:
    database().save(str(tmp_path), storage_format=storage)  # type: ignore[attr-defined]
    found = import_corpus(tmp_path)
    table = found.corpus.table
    assert table["audio"].tolist() == FILES
    assert table["speaker"].tolist() == ["3", "8", "8"]
    assert table["gender"].tolist() == ["male", "female", "female"]
    assert table["emotion"].fillna("-").tolist() == ["angry", "other", "-"]
    assert table["label"].fillna("-").tolist() == ["anger", "awe", "-"]
    assert table["duration"].fillna(0).tolist() == [1.5, 2, 0]
    assert table["confidence"].fillna(0).tolist() == [0.5, 0, 1]
    assert table["spontaneous"].fillna("-").tolist() == ["True", "-", "False"]
    assert table["age"].fillna(0).tolist() == [31, 0, 0]
    assert set(table["language"]) == {"de"}
    assert set(table["corpus"]) == {"emodb"}
    assert found.folds == {"given": {"train": ("wav/a.wav",), "test": ("wav/b.wav",)}}
    assert [sentence for sentence in found.lost if "split" in sentence] == [
        f"{tmp_path}/db.yaml: the split odd of the table emotion.odd.{kind} is neither train, dev nor test"
        for kind in ("gold", "silver")
    ]


def test_what_is_said_of_a_file_holds_for_its_segments(tmp_path: Path) -> None:
    db = database()
    index = audformat.segmented_index(FILES[:1] * 2, ["0s", "1s"], ["1s", pd.NaT])
    add(db, "segments", index, emotion=["sadness", "neutral"])
    for name in ("emotion", "emotion.train.gold", "emotion.train.silver"):
        db.drop_tables(name)  # type: ignore[attr-defined]
    add(db, "emotion.train", audformat.filewise_index(FILES[:1]), "train", confidence=[1.0])
    db.save(str(tmp_path))  # type: ignore[attr-defined]
    found = import_corpus(tmp_path)
    table = found.corpus.table.sort_values("id")
    assert table["id"].tolist() == ["wav/a.wav#0.000-1.000", "wav/a.wav#1.000", "wav/b.wav", "wav/c.wav"]
    assert table["emotion"].fillna("-").tolist() == ["sad", "neutral", "other", "-"]
    assert table["gender"].tolist() == ["male", "male", "female", "female"]
    assert found.folds["given"]["train"] == ("wav/a.wav#0.000-1.000", "wav/a.wav#1.000")


def test_labels_in_a_table_of_their_own(tmp_path: Path) -> None:
    db = audformat.Database("mine")
    db["people"] = audformat.MiscTable(pd.Index(["s1", "s2"], name="speaker", dtype="string"))
    db.schemes["gender"] = audformat.Scheme("str")
    db["people"]["gender"] = audformat.Column(scheme_id="gender")
    db["people"]["gender"].set(["female", "male"])
    db["rooms"] = audformat.MiscTable(pd.Index(["r"], name="room", dtype="string"))
    db.schemes["speaker"] = audformat.Scheme("str", labels="people")
    add(db, "files", audformat.filewise_index(FILES), speaker=["s2", "s1", None])
    db.save(str(tmp_path))
    found = import_corpus(tmp_path)
    assert found.corpus.table["gender"].fillna("-").tolist() == ["male", "female", "-"]
    assert found.lost == (f"{tmp_path}/db.yaml: the table rooms is of no recordings, and left out",)


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path(MARK[0]),)


MARK = [""]


def test_nothing_in_the_files_is_run(tmp_path: Path) -> None:
    MARK[0] = str(tmp_path / "was-run")
    folder = tmp_path / "db"
    database().save(str(folder))  # type: ignore[attr-defined]
    (folder / "db.files.pkl").write_bytes(pickle.dumps(Hostile()))
    assert len(import_corpus(folder).corpus) == 3
    assert (folder / "db.files.pkl").is_file()
    (folder / "db.files.parquet").unlink()
    with pytest.raises(InputError, match=r"there is no db.files.parquet or .csv"):
        import_corpus(folder)
    with (folder / "db.yaml").open("a") as file:
        file.write(f"\nauthor: !!python/object/apply:os.mkdir ['{MARK[0]}']\n")
    with pytest.raises(InputError, match="no audformat header"):
        import_corpus(folder)
    assert not Path(MARK[0]).exists()


def test_the_library_reads_what_is_written(tiny_corpus: Corpus, tmp_path: Path) -> None:
    corpus = Corpus.from_table(tiny_corpus.table.assign(duration=0.5, file="x", rank=3), tiny_corpus.folder)
    lost = export_corpus(corpus, tmp_path, "audformat", copy_audio=True)
    assert lost == ('audformat: the column "file" has no place, since this name means the recording',)
    db = audformat.Database.load(str(tmp_path))
    assert db.is_portable
    assert set(db.files) == set(tiny_corpus.table["audio"])
    frame = db["utterances"].get()
    assert frame["emotion"].tolist() == tiny_corpus.table["emotion"].tolist()
    assert (frame["duration"] == pd.Timedelta(seconds=0.5)).all()
    assert set(frame) == {"speaker", "gender", "emotion", "corpus", "duration", "rank"}
    assert import_corpus(tmp_path).corpus.table["rank"].tolist() == [3] * len(corpus)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    database().save(str(tmp_path))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "audformat", None)
    with pytest.raises(InputError, match=r"pip install 'unheard\[audformat\]'"):
        import_corpus(tmp_path)


@pytest.mark.parametrize("name", ["../secret", "a\\b"])
def test_a_table_is_no_path(name: str, tmp_path: Path) -> None:
    header = (
        f"name: x\nsource: x\nusage: other\nlanguages: []\ntables:\n  {name}:\n    type: filewise\n    columns: {{}}\n"
    )
    (tmp_path / "db.yaml").write_text(header)
    with pytest.raises(InputError, match="is not called as a file can be"):
        import_corpus(tmp_path, "audformat")
