from collections import Counter
from pathlib import Path

import pytest

from trees.recordings import record
from unheard.corpora import CORPORA
from unheard.corpora.published import prepare
from unheard.errors import InputError

SPEAKERS = [f"F{number:02d}" for number in range(1, 32)] + [f"M{number:02d}" for number in range(1, 57)]
COUNTS = {"A": 1059, "F": 38, "H": 201, "N": 1028, "S": 449, "W": 225}


def names() -> list[str]:
    """As many as published, by 31 women and 56 men; who says how many in which emotion is made up."""
    return [
        f"{'female' if speaker[0] == 'F' else 'male'}/{speaker}{emotion}{turn // len(SPEAKERS) + 1:02d}.wav"
        for emotion, count in COUNTS.items()
        for turn in range(count)
        for speaker in [SPEAKERS[turn % len(SPEAKERS)]]
    ]


def test_a_corpus_of_the_published_size(tmp_path: Path):
    record(tmp_path, names())
    record(tmp_path / "male", ["._M01A01.wav", "M01A01.ort", "Thumbs.db"], b"not audio")
    (tmp_path / "shemo.json").write_text("{}")
    table = prepare(CORPORA["shemo"], tmp_path).corpus.table
    assert len(table) == 3000
    assert Counter(table["emotion"]) == {
        "angry": 1059, "fear": 38, "happy": 201, "neutral": 1028, "sad": 449, "surprise": 225,
    }  # fmt: skip
    assert table.groupby("gender")["speaker"].nunique().to_dict() == {"female": 31, "male": 56}
    assert set(table["language"]) == {"fa"}

    (tmp_path / names()[7]).unlink()
    with pytest.raises(InputError, match=r"utterances 2,999 instead of 3,000; .*--partial"):
        prepare(CORPORA["shemo"], tmp_path)


def test_the_letter_f_is_a_woman_or_fear(tmp_path: Path):
    record(tmp_path, ["F12F01.wav", "M02F01.wav", "M40W03.wav"])
    table = prepare(CORPORA["shemo"], tmp_path, partial=True).corpus.table.set_index("id")
    assert table[["speaker", "gender", "emotion"]].to_dict("index") == {
        "F12F01": {"speaker": "shemo_F12", "gender": "female", "emotion": "fear"},
        "M02F01": {"speaker": "shemo_M02", "gender": "male", "emotion": "fear"},
        "M40W03": {"speaker": "shemo_M40", "gender": "male", "emotion": "surprise"},
    }


@pytest.mark.parametrize(
    ("name", "problem"),
    [("X01A01.wav", '"X" in the name is no gender'), ("F01B01.wav", '"B" in the name is no emotion')],
)
def test_a_wrong_code_in_a_name_is_one_sentence(tmp_path: Path, name: str, problem: str):
    record(tmp_path, [name])
    with pytest.raises(InputError, match=problem):
        prepare(CORPORA["shemo"], tmp_path, partial=True)
