from collections import Counter
from pathlib import Path

import pytest

from trees.recordings import record
from unheard.corpora import CORPORA
from unheard.corpora.published import prepare
from unheard.errors import InputError

FOLDER = "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)"
PRIMARY = ("angry", "excited", "happy", "neutral", "sad")
SECONDARY = ("anxious", "apologetic", "assertive", "concerned", "encouraging")


def names(emotions: tuple[str, ...] = PRIMARY + SECONDARY) -> list[str]:
    """All 240 of each emotion of the published corpus, without suffix."""
    return [
        f"{FOLDER}/{speaker}_{emotion}_{sentence}{letter}_{number}"
        for speaker in ("female1", "female2", "male1", "male2")
        for emotion in emotions
        for sentence in range(1, 16)
        for letter in "ab"
        for number in (1, 2)
    ]


def test_the_published_corpus(tmp_path: Path):
    record(tmp_path, (f"{name}.wav" for name in names()))
    record(tmp_path, (f"{name}.txt" for name in names() if "/female1_" in name), b"Carl leaps into a jeep.\n")
    record(tmp_path / FOLDER, ["._male1_sad_1a_1.wav", "Format_Intro.wav"], b"not audio")
    table = prepare(CORPORA["jl"], tmp_path).corpus.table
    assert len(table) == 2400
    assert Counter(table["label"]) == dict.fromkeys(PRIMARY + SECONDARY, 240)
    assert Counter(table["emotion"]) == dict.fromkeys(PRIMARY, 240) | {"other": 1200}
    assert set(table.loc[table["emotion"] == "other", "label"]) == set(SECONDARY)
    assert table.groupby(["gender", "speaker"])["id"].count().to_dict() == {
        ("female", "jl_female1"): 600, ("female", "jl_female2"): 600,
        ("male", "jl_male1"): 600, ("male", "jl_male2"): 600,
    }  # fmt: skip
    assert table["text"].value_counts().to_dict() == {"Carl leaps into a jeep.": 600}

    # The primary emotions alone are an edition, too.
    for name in names(SECONDARY):
        (tmp_path / f"{name}.wav").unlink()
    assert len(prepare(CORPORA["jl"], tmp_path).corpus) == 1200
    (tmp_path / f"{names(PRIMARY)[0]}.wav").unlink()
    with pytest.raises(InputError, match=r"edition of JL Corpus: angry 239 instead of 240; .*--partial"):
        prepare(CORPORA["jl"], tmp_path)


def test_a_wrong_word_in_a_name_is_one_sentence(tmp_path: Path):
    record(tmp_path, ["male1_bored_1a_1.wav"])
    with pytest.raises(InputError, match='"bored" in the name is no emotion'):
        prepare(CORPORA["jl"], tmp_path, partial=True)
