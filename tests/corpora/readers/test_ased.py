from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from trees.recordings import record
from unheard.corpora.published import prepare
from unheard.corpora.readers.ased import ASED, utterances
from unheard.errors import InputError

FOLDERS = {
    "neutral": "01Neutral/n1",
    "fear": "02Fearful/f2",
    "happy": "03Happy/h3",
    "sad": "04Sad/s4",
    "angry": "05Angry/a5",
}
FEMALE = 25


def names() -> list[str]:
    """The published number of each class; which recordings the judges rejected is made up."""
    files = []
    for emotion, count in ASED.editions["published"].items():
        every = product(range(1, 3), range(1, 8), range(1, 66))
        files += [
            f"{FOLDERS[emotion]}-{sentence:02d}-{repetition:02d}-{1 if speaker <= FEMALE else 2:02d}-{speaker:02d}"
            for repetition, sentence, speaker in list(every)[:count]
        ]
    return [name.replace("s4-04-01-01-19", "S4-04-01-01-19") for name in files]


def test_the_published_corpus(tmp_path: Path):
    record(tmp_path, [f"{name}.wav" for name in names()])
    record(tmp_path, ["05Angry/._a5-01-01-01-01.wav", "05Angry/a5-01-01-01.wav"])
    table = prepare(ASED, tmp_path).corpus.table.set_index("id")
    assert len(table) == 2474
    assert Counter(table["emotion"]) == ASED.editions["published"]
    assert Counter(table.groupby("speaker")["gender"].first()) == {"female": 25, "male": 40}
    assert table["text"].nunique() == 2 + 5 * 5
    assert table.loc["a5-03-01-02-50", ["speaker", "gender", "text"]].tolist() == ["ased_50", "male", "a03"]
    assert table.loc["a5-01-01-02-50", "text"] == table.loc["n1-01-01-01-01", "text"] == "01"
    capital = table.loc["s4-04-01-01-19"]
    assert (capital["audio"], capital["emotion"], capital["text"]) == ("04Sad/S4-04-01-01-19.wav", "sad", "s04")


def test_missing_and_misnamed_files(tmp_path: Path):
    record(tmp_path, [f"{name}.wav" for name in names()[1:]])
    with pytest.raises(InputError, match=r"no known edition of ASED .*: neutral 521 instead of 522; .*--partial"):
        prepare(ASED, tmp_path)
    record(tmp_path, ["06Other/x6-01-01-01-01.wav"])
    with pytest.raises(InputError, match='"x" in the name is no emotion'):
        list(utterances(tmp_path))
