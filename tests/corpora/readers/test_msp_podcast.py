import csv
import json
from pathlib import Path

import pytest

from trees.msp_improv import silence
from unheard.corpora import CORPORA
from unheard.corpora.published import Flaw, prepare
from unheard.errors import InputError

MSP_PODCAST = CORPORA["msp-podcast"]
HEADER = ("FileName", "EmoClass", "EmoAct", "EmoVal", "EmoDom", "SpkrID", "Gender", "Split_Set")
LABELS = [
    ("MSP-PODCAST_0001_0008.wav", "N", "2.2", "4.0", "2.6", "Unknown", "Unknown", "Train"),
    ("MSP-PODCAST_0001_0019.wav", "H", "5.4", "6", "5.6", "39", "Female", "Train"),
    ("MSP-PODCAST_0023_0103.wav", "A", "6.0", "1.5", "6.2", "39", "Female", "Development"),
    ("MSP-PODCAST_0023_0104_0001.wav", "S", "2.0", "2.0", "2.8", "40", "Male", "Validation"),
    ("MSP-PODCAST_0408_0129.wav", "U", "5.0", "4.4", "4.8", "41", "Male", "Test1"),
    ("MSP-PODCAST_0408_0130.wav", "F", "4.6", "2.4", "3.4", "41", "Male", "Test2"),
    ("MSP-PODCAST_0409_0001.wav", "D", "4.0", "2.0", "4.6", "42", "Female", "Test"),
    ("MSP-PODCAST_1023_0235.wav", "C", "4.2", "3.0", "5.0", "43", "Male", "Train"),
    ("MSP-PODCAST_1188_0020.wav", "O", "4.0", "4.0", "4.0", "43", "Male", "Train"),
    ("MSP-PODCAST_2002_1207.wav", "X", "4.2", "3.8", "4.4", "Unknown", "Male", "Test1"),
]
SPLITS = ["train", "train", "dev", "dev", "test", "test", "test", "train", "train", "test"]
CLASSES = ["neutral", "happy", "angry", "sad", "surprise", "fear", "disgust", "contempt", "other", None]


def build(folder: Path, form: str = "csv", name: str = "labels_consensus") -> Path:
    """A release of ten turns and one of the hidden test set."""
    for place in ("Audios", "Labels", "Transcripts", "ForceAligned"):
        (folder / place).mkdir()
    for file, *_ in LABELS:
        (folder / "Audios" / file).write_bytes(silence())
    (folder / "Audios" / "MSP-PODCAST_test3_0001.wav").write_bytes(silence())
    (folder / "Audios" / "._MSP-PODCAST_0001_0008.wav").write_bytes(b"Mac OS X")
    (folder / "Transcripts" / "MSP-PODCAST_0001_0019.txt").write_text("So this is\n a good day. \n")
    (folder / "Transcripts" / "MSP-PODCAST_0001_0008.txt").write_text("\n")
    (folder / "Partitions.txt").write_text("Train; MSP-PODCAST_0001_0008.wav\n")
    (folder / "Labels" / "labels.txt").write_text("MSP-PODCAST_0001_0008.wav; N; A:2.200000; V:4.0; D:2.600000;\n")
    write(folder / "Labels" / f"{name}.{form}", LABELS)
    return folder


def write(path: Path, labels: list[tuple[str, ...]]) -> None:
    if path.suffix == ".json":
        values = {file: dict(zip(HEADER[1:], rest, strict=True)) for file, *rest in labels}
        path.write_text(json.dumps(values))
    else:
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([HEADER, *labels])


def flaws(folder: Path) -> list[str]:
    return [str(found) for found in MSP_PODCAST.utterances(folder) if isinstance(found, Flaw)]


def relabel(folder: Path, column: str, value: str) -> None:
    """Change a value of the third turn."""
    changed = list(LABELS[2])
    changed[HEADER.index(column)] = value
    write(folder / "Labels" / "labels_consensus.csv", [*LABELS[:2], tuple(changed), *LABELS[3:]])


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("name", ["labels_consensus", "labels_concensus"])
def test_a_release_in_each_of_its_forms(tmp_path: Path, form: str, name: str):
    table = prepare(MSP_PODCAST, build(tmp_path, form, name)).corpus.table.astype(object)
    table = table.where(table.notna(), None)
    *labelled, hidden = table.to_dict("records")
    assert [row["emotion"] for row in labelled] == CLASSES
    assert [row["id"] for row in labelled] == [file.removesuffix(".wav") for file, *_ in LABELS]
    assert [row["audio"] for row in labelled] == [f"Audios/{file}" for file, *_ in LABELS]
    assert [row["split_set"] for row in labelled] == [label[-1] for label in LABELS]
    assert [row["split"] for row in labelled] == SPLITS
    second = {
        "speaker": "msp-podcast_39", "gender": "female", "activation": 5.4, "valence": 6.0, "dominance": 5.6,
        "session": "msp-podcast_0001", "text": "So this is a good day.", "language": "en", "corpus": "msp-podcast",
    }  # fmt: skip
    assert {key: labelled[1][key] for key in second} == second
    assert [labelled[0][key] for key in ("speaker", "gender", "text")] == [None] * 3
    assert (labelled[-1]["speaker"], labelled[-1]["gender"]) == (None, "male")

    assert (hidden["id"], hidden["split"], hidden["split_set"]) == ("MSP-PODCAST_test3_0001", "test", "Test3")
    assert [hidden[key] for key in ("emotion", "speaker", "gender", "session", "activation")] == [None] * 5


def test_transcripts_may_be_left_out(tmp_path: Path):
    build(tmp_path)
    for file in (tmp_path / "Transcripts").iterdir():
        file.unlink()
    (tmp_path / "Transcripts").rmdir()
    assert "text" not in prepare(MSP_PODCAST, tmp_path).corpus.table


def test_turns_without_their_recording_or_label(tmp_path: Path):
    build(tmp_path)
    (tmp_path / "Audios" / "MSP-PODCAST_0408_0129.wav").rename(tmp_path / "Audios" / "MSP-PODCAST_0408_0999.wav")
    assert flaws(tmp_path) == [
        "Labels/labels_consensus.csv, line 6: MSP-PODCAST_0408_0129 is labelled, but there is no recording of it",
        "Labels/labels_consensus.csv: the recording Audios/MSP-PODCAST_0408_0999.wav has no label",
    ]
    with pytest.raises(InputError, match=r"line 6: MSP-PODCAST_0408_0129 is .* \(10 utterances found; 2 flaws in all"):
        prepare(MSP_PODCAST, tmp_path)
    assert len(prepare(MSP_PODCAST, tmp_path, partial=True).corpus) == 10


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("EmoClass", "Q", 'has the label "Q" (it is one of A, S, H, U, F, D, C, N, O, X)'),
        ("Split_Set", "Training", 'is in the set "Training" (it is one of Train, Development, '),
        ("EmoVal", "high", "has a rating that is no number (could not convert string to float: 'high')"),
        ("FileName", "0023_0103.wav", '"0023_0103" is not the name of a turn of MSP-Podcast'),
        ("FileName", "MSP-PODCAST_0001_0019.wav", "MSP-PODCAST_0001_0019 is labelled twice"),
    ],
)
def test_a_label_that_is_not_as_published_is_named_by_its_line(tmp_path: Path, column: str, value: str, what: str):
    relabel(build(tmp_path), column, value)
    found = flaws(tmp_path)
    assert found[0].startswith("Labels/labels_consensus.csv, line 4: ")
    assert what in found[0]
    assert len(found) == (2 if column == "FileName" else 1)  # then the recording is without its label too


def test_a_short_row(tmp_path: Path):
    build(tmp_path)
    path = tmp_path / "Labels" / "labels_consensus.csv"
    path.write_text(path.read_text().replace(",43,Male,Train", "", 1))
    assert flaws(tmp_path) == ["Labels/labels_consensus.csv, line 9: MSP-PODCAST_1023_0235 has no SpkrID"]


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("labels_consensus.csv", "FileName,EmoClass\n", "the column EmoAct is missing"),
        ("labels_consensus.csv", "", "the column FileName is missing"),
        ("labels_consensus.json", "{", "Expecting property name"),
        ("labels_consensus.json", "[]", "'list' object has no attribute"),
        ("labels_consensus.json", '{"MSP-PODCAST_0001_0008.wav": 3}', "not iterable"),
    ],
)
def test_a_label_file_of_another_form(tmp_path: Path, name: str, text: str, what: str):
    build(tmp_path, "json" if name.endswith("json") else "csv")
    (tmp_path / "Labels" / name).write_text(text)
    with pytest.raises(InputError, match=rf"{name}: this is no label file of MSP-Podcast \(.*{what}.*fetch it again"):
        prepare(MSP_PODCAST, tmp_path)


def test_another_folder(tmp_path: Path):
    with pytest.raises(InputError, match=r"none of Labels/labels_consensus.csv, .* is in it; point at the folder"):
        prepare(MSP_PODCAST, tmp_path)
