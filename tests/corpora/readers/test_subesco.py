from collections import Counter
from pathlib import Path

import pytest

from trees.recordings import record
from unheard.corpora import CORPORA
from unheard.corpora.published import prepare
from unheard.errors import InputError

SPEAKERS = (
    "F_01_OISHI", "F_02_MONIKA", "F_03_SMITA", "F_04_SWARNALI", "F_05_MOUNI",
    "F_06_SIMI", "F_07_TITHI", "F_08_JOYEETA", "F_09_CHAITY", "F_10_FAHMEE",
    "M_01_BASHIR", "M_02_NIPUN", "M_03_ILIAS", "M_04_BIBHAS", "M_05_DURANTO",
    "M_06_SHUKANTO", "M_07_SIBLY", "M_08_PRASUN", "M_09_SHUMANTA", "M_10_EVAN",
)  # fmt: skip
EMOTIONS = ("ANGRY", "DISGUST", "FEAR", "HAPPY", "NEUTRAL", "SAD", "SURPRISE")
BRACKET = "F_02_MONIKA_S_2_SURPRISE_3"


def names() -> list[str]:
    """All 7,000 of the published corpus, one of them with its bracket."""
    found = [
        f"{speaker}_S_{sentence}_{emotion}_{take}"
        for speaker in SPEAKERS
        for sentence in range(1, 11)
        for emotion in EMOTIONS
        for take in range(1, 6)
    ]
    return [f"{name}].wav" if name == BRACKET else f"{name}.wav" for name in found]


def test_the_published_corpus(tmp_path: Path):
    record(tmp_path / "SUBESCO", names())
    record(tmp_path / "SUBESCO", ["._F_01_OISHI_S_1_ANGRY_1.wav", "readme.wav"], b"not audio")
    table = prepare(CORPORA["subesco"], tmp_path).corpus.table
    assert Counter(table["emotion"]) == dict.fromkeys(map(str.lower, EMOTIONS), 1000)
    assert table.groupby("gender")["speaker"].nunique().to_dict() == {"female": 10, "male": 10}
    assert set(table["speaker"].value_counts()) == {350}
    assert set(table["text"].value_counts()) == {700}

    row = table.set_index("id").loc[BRACKET]
    assert row["audio"] == f"SUBESCO/{BRACKET}].wav"
    assert (row["speaker"], row["gender"], row["emotion"], row["text"], row["language"]) == (
        "subesco_F_02", "female", "surprise", "S_2", "bn",
    )  # fmt: skip

    (tmp_path / "SUBESCO" / names()[0]).unlink()
    with pytest.raises(InputError, match=r"edition of SUBESCO: angry 999 instead of 1,000; .*--partial"):
        prepare(CORPORA["subesco"], tmp_path)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("X_01_OISHI_S_1_ANGRY_1.wav", '"X" in the name is no gender'),
        ("F_01_OISHI_S_1_CALM_1.wav", '"CALM" in the name is no emotion'),
    ],
)
def test_a_wrong_code_in_a_name_is_one_sentence(tmp_path: Path, name: str, problem: str):
    record(tmp_path, [name])
    with pytest.raises(InputError, match=problem):
        prepare(CORPORA["subesco"], tmp_path, partial=True)
