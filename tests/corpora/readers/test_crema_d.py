from collections import Counter
from pathlib import Path

import pytest

from trees.recordings import record
from unheard.corpora.published import prepare
from unheard.corpora.readers.crema_d import CREMA_D, SENTENCES, utterances
from unheard.errors import InputError

#: Which 20 of the 91 × 82 clips were never published is made up here, but for their classes.
ABSENT = {
    f"{actor}_WSI_{emotion}_XX" for actor in (1003, 1005, 1007) for emotion in ("ANG", "DIS", "FEA", "HAP", "SAD")
}
ABSENT |= {f"{actor}_TSI_NEU_XX" for actor in range(1003, 1008)}


def clips() -> list[str]:
    names = []
    for actor in range(1001, 1092):
        for sentence in SENTENCES:
            for emotion in ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD"):
                levels = ("LO", "MD", "HI") if sentence == "IEO" and emotion != "NEU" else ("XX",)
                names += [f"{actor}_{sentence}_{emotion}_{level}" for level in levels]
    published = [name for name in names if name not in ABSENT]
    return ["1040_ITH_SAD_X" if name == "1040_ITH_SAD_XX" else name for name in published]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crema-d")
    record(folder, [f"AudioWAV/{name}.wav" for name in clips()])
    record(folder, ["AudioWAV/._1001_DFA_ANG_XX.wav", "AudioWAV/notes.wav"])
    table = folder / "processedResults" / "summaryTable.csv"
    table.parent.mkdir()
    table.write_text(
        '"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote","MultiModalLevel"\n'
        '"9","1001_IEO_ANG_MD","A:D","37.2:58.6","A","45.5","A","44.2"\n'
        '"10","1040_ITH_SAD_XX","N","50","S","50","S","50"\n'
    )
    return folder


def test_the_published_corpus(tree: Path):
    table = prepare(CREMA_D, tree).corpus.table.set_index("id")
    assert len(table) == 7442
    assert Counter(table["emotion"]) == CREMA_D.editions["published"]
    assert Counter(table.groupby("speaker")["gender"].first()) == {"male": 48, "female": 43}
    assert (table["age"].min(), table["age"].max(), table["text"].nunique()) == (20, 74, 12)
    assert Counter(table["intensity"].dropna()) == {"low": 455, "medium": 455, "high": 455}

    row = table.loc["1001_IEO_ANG_MD"]
    assert (row["speaker"], row["gender"], row["age"]) == ("crema-d_1001", "male", 51)
    assert (row["text"], row["language"], row["corpus"]) == ("It's eleven o'clock", "en", "crema-d")
    assert (row["voice_vote"], row["face_vote"], row["multimodal_vote"]) == ("angry:disgust", "angry", "angry")
    assert table.loc["1040_ITH_SAD_X", "voice_vote"] == "neutral"  # its name in the table of votes is not cut short
    assert table["voice_vote"].notna().sum() == 2


def test_an_edition_known_to_be_about_and_one_that_is_not():
    labels = [emotion for emotion, count in CREMA_D.editions["published"].items() for _ in range(count)]
    assert CREMA_D.edition(labels) == "published"
    for emotion in ("neutral", "disgust", "fear", "sad"):
        labels.remove(emotion)
    assert CREMA_D.edition(labels) == "TensorFlow Datasets"
    assert CREMA_D.difference([*labels, "sad"]) == "sad 1,271 instead of 1,270"


def test_without_the_table_of_votes_there_are_none(tmp_path: Path):
    record(tmp_path, ["1091_WSI_HAP_XX.flac"])
    (row,) = utterances(tmp_path)
    assert (row["gender"], row["age"], row["emotion"]) == ("female", 29, "happy")
    assert not {"voice_vote", "intensity"} & row.keys()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("1092_DFA_ANG_XX", '"1092" in the name is no actor'),
        ("1001_ABC_ANG_XX", '"ABC" in the name is no sentence'),
        ("1001_DFA_CAL_XX", '"CAL" in the name is no emotion'),
        ("1001_DFA_ANG_YY", '"YY" in the name is no level'),
    ],
)
def test_a_misnamed_file_is_named(tmp_path: Path, name: str, message: str):
    record(tmp_path, [f"{name}.wav"])
    with pytest.raises(InputError, match=message):
        list(utterances(tmp_path))


def test_a_table_of_votes_without_its_columns(tmp_path: Path):
    (tmp_path / "summaryTable.csv").write_text("FileName,VoiceVote,MultiModalVote\n")
    with pytest.raises(InputError, match=r"summaryTable.csv: its column FaceVote is missing"):
        list(utterances(tmp_path))


def test_pointers_of_git_lfs_are_no_recordings(tmp_path: Path):
    (tmp_path / "1001_DFA_ANG_XX.wav").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match=r"1001_DFA_ANG_XX.wav: this is no readable audio file \(1 utterances found"):
        prepare(CREMA_D, tmp_path)
