from collections import Counter
from pathlib import Path

import pytest

from trees.recordings import record
from unheard.corpora.published import prepare
from unheard.corpora.readers.esd import EMOTIONS, ESD, GENDERS, utterances
from unheard.errors import InputError

#: The emotions in the order of their numbers: 1 to 350 are neutral, 351 to 700 angry, and so on.
ORDER = ("Neutral", "Angry", "Happy", "Sad", "Surprise")


def tree(folder: Path, split: bool, sentences: int = 3) -> None:
    """All speakers and emotions, with the first sentences only."""
    parts = ("evaluation", "test", "train")
    for speaker in GENDERS:
        for block, emotion in enumerate(ORDER):
            names = [f"{speaker}_{350 * block + number:06d}.wav" for number in range(1, sentences + 1)]
            inner = [f"{parts[place % 3]}/{name}" if split else name for place, name in enumerate(names)]
            record(folder, [f"{speaker}/{emotion}/{name}" for name in inner])


@pytest.mark.parametrize("split", [False, True])
def test_speakers_emotions_and_languages(tmp_path: Path, split: bool):
    tree(tmp_path, split)
    record(tmp_path, ["0001/Angry/._0001_000351.wav", "0001/sample.wav"])
    table = prepare(ESD, tmp_path, partial=True).corpus.table.set_index("id")
    assert Counter(table["emotion"]) == dict.fromkeys(EMOTIONS.values(), 60)
    assert Counter(table["language"]) == {"zh": 150, "en": 150}
    genders = table.groupby(["language", "speaker"])["gender"].first().groupby("language").value_counts()
    assert genders.to_dict() == {("zh", "female"): 5, ("zh", "male"): 5, ("en", "female"): 5, ("en", "male"): 5}
    assert table.loc["0001_000351", ["speaker", "gender", "emotion"]].tolist() == ["esd_0001", "female", "angry"]
    if split:
        assert Counter(table["split"]) == {"train": 100, "dev": 100, "test": 100}
    assert ("split" in table) == split
    assert "text" not in table


@pytest.mark.parametrize(
    ("speaker", "encoding", "said"),
    [
        ("0001", "gb2312", "打远一看，它们的确很是美丽，"),
        ("0003", "utf-16", "打远一看，它们的确很是美丽，"),
        ("0011", "ascii", "The nine, the eggs, I keep."),
        ("0012", "utf-16", "The nine, the eggs, I keep."),
        ("0016", "cp1252", "I can’t say café."),
        ("0020", "utf-8-sig", "I can’t say café."),
    ],
)
def test_transcripts_in_all_encodings(tmp_path: Path, speaker: str, encoding: str, said: str):
    tree(tmp_path, split=False)
    label = "中立" if speaker < "0011" else "Neutral"
    lines = [f"{speaker}_000001\t{said}\t{label}", "", f"{speaker}_000002 {said} {label}", f"{speaker}_000003\t{said}"]
    (tmp_path / speaker / f"{speaker}.txt").write_bytes("\r\n".join(lines).encode(encoding))
    texts = {row["id"]: row["text"] for row in utterances(tmp_path) if "text" in row}
    assert texts == {f"{speaker}_00000{number}": said for number in (1, 2, 3)}


@pytest.mark.parametrize("emotion", EMOTIONS.values())
def test_editions(emotion: str):
    whole = [name for name in EMOTIONS.values() for _ in range(7000)]
    assert (len(whole), ESD.edition(whole)) == (35000, "published")
    assert ESD.edition(whole[::2]) == "ten speakers, Mandarin or English"
    whole.remove(emotion)
    assert ESD.difference(whole) == f"{emotion} 6,999 instead of 7,000"


def test_files_that_are_not_as_published(tmp_path: Path):
    tree(tmp_path, split=False)
    record(tmp_path, ["0011/0011_000999.wav"])
    with pytest.raises(InputError, match=r"0011_000999.wav: it is in no folder of an emotion .*\(300 utterances found"):
        prepare(ESD, tmp_path)
    record(tmp_path, ["0021/Sad/0021_001051.wav"])
    with pytest.raises(InputError, match='"0021" in the name is no speaker'):
        list(utterances(tmp_path))
