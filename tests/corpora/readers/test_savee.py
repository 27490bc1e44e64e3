from collections import Counter
from pathlib import Path

import pytest

from trees.recordings import record
from unheard.corpora.published import prepare
from unheard.corpora.readers.savee import EMOTIONS, SAVEE, SPEAKERS, utterances
from unheard.errors import InputError

CODES = [f"{code}{number:02d}" for code in EMOTIONS for number in range(1, 31 if code == "n" else 16)]


@pytest.mark.parametrize("between", ["/", "_"])
def test_the_published_corpus_with_and_without_folders(tmp_path: Path, between: str):
    record(tmp_path, [f"AudioData/{speaker}{between}{code}.wav" for speaker in SPEAKERS for code in CODES])
    record(tmp_path, ["AudioData/DC/._a01.wav", "a01.wav", "Other/a01.wav"])
    table = prepare(SAVEE, tmp_path).corpus.table.set_index("id")
    assert len(table) == 480
    assert Counter(table["emotion"]) == SAVEE.editions["published"]
    assert Counter(table["speaker"]) == {f"savee_{speaker}": 120 for speaker in SPEAKERS}
    assert (set(table["gender"]), table["text"].nunique()) == ({"male"}, 120)
    assert table.loc["KL_su15", ["emotion", "text"]].tolist() == ["surprise", "su15"]


def test_missing_and_misnamed_files(tmp_path: Path):
    record(tmp_path, [f"{speaker}/{code}.wav" for speaker in SPEAKERS for code in CODES if code != "sa03"])
    with pytest.raises(InputError, match=r"no known edition of SAVEE: sad 56 instead of 60; .*--partial"):
        prepare(SAVEE, tmp_path)
    record(tmp_path, ["JE/x01.wav"])
    with pytest.raises(InputError, match=r'JE/x01.wav: "x" in the name is no emotion'):
        list(utterances(tmp_path))
