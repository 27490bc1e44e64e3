from collections import Counter
from pathlib import Path

import pytest

from trees.recordings import record
from unheard.corpora import CORPORA
from unheard.corpora.published import prepare
from unheard.errors import InputError

FOLDERS = {
    "C": "Colère", "D": "Dégoût", "J": "Joie", "N": "Neutre", "P": "Peur", "S": "Surprise", "T": "Tristesse",
}  # fmt: skip


def names(suffix: str = ".wav") -> list[str]:
    """All 936 of the published corpus."""
    return [
        f"{place}/{actor:02d}-{emotion}-{intensity}-{sentence}{suffix}"
        for emotion, name in FOLDERS.items()
        for intensity, place in enumerate((name,) if emotion == "N" else (f"{name}/Faible", f"{name}/Fort"), 1)
        for actor in range(1, 13)
        for sentence in range(1, 7)
    ]


def test_the_published_corpus(tmp_path: Path):
    record(tmp_path / "CaFE_48k", names())
    record(tmp_path / "CaFE_48k" / "Joie", ["._01-J-1-1.wav", "Readme.txt", "noise.wav"], b"not audio")
    table = prepare(CORPORA["cafe"], tmp_path).corpus.table
    assert Counter(table["emotion"]) == {
        "angry": 144, "disgust": 144, "fear": 144, "happy": 144, "neutral": 72, "sad": 144, "surprise": 144,
    }  # fmt: skip
    assert table.groupby("speaker")["id"].count().tolist() == [78] * 12
    assert table.groupby("gender")["speaker"].nunique().to_dict() == {"female": 6, "male": 6}
    assert table["text"].value_counts().tolist() == [156] * 6
    assert Counter(table["intensity"].dropna()) == {"mild": 432, "strong": 432}
    assert table.loc[table["intensity"].isna(), "emotion"].unique().tolist() == ["neutral"]

    row = table.set_index("id").loc["02-C-2-3"]
    assert row["audio"] == "CaFE_48k/Colère/Fort/02-C-2-3.wav"
    assert (row["speaker"], row["gender"], row["emotion"], row["intensity"], row["text"], row["language"]) == (
        "cafe_02", "female", "angry", "strong", "Trois cygnes aveugles au bord du lac", "fr",
    )  # fmt: skip

    (tmp_path / "CaFE_48k" / names()[0]).unlink()
    with pytest.raises(InputError, match=r"no known edition of CaFE: angry 143 instead of 144; .*--partial"):
        prepare(CORPORA["cafe"], tmp_path)


def test_the_edition_in_aiff_is_read_and_both_editions_together_are_refused(tmp_path: Path):
    record(tmp_path / "192k", names(".aiff")[:3])
    assert len(prepare(CORPORA["cafe"], tmp_path, partial=True).corpus) == 3
    record(tmp_path / "48k", names()[:3])
    with pytest.raises(InputError, match=r"is there twice, as .*one copy"):
        prepare(CORPORA["cafe"], tmp_path, partial=True)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("13-C-1-1.wav", '"13" in the name is no actor'),
        ("01-X-1-1.wav", '"X" in the name is no emotion of this corpus \\(C, D, J'),
        ("01-C-3-1.wav", '"3" in the name is no intensity'),
        ("01-C-1-7.wav", '"7" in the name is no sentence'),
    ],
)
def test_a_wrong_code_in_a_name_is_one_sentence(tmp_path: Path, name: str, problem: str):
    record(tmp_path, [name])
    with pytest.raises(InputError, match=problem):
        prepare(CORPORA["cafe"], tmp_path, partial=True)
