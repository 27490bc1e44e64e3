"""Other tools' words for columns, emotions, genders and parts."""

from __future__ import annotations

import pandas as pd
import pytest

from unheard.corpora import EMOTIONS
from unheard.corpora.corpus import COLUMNS, GENDERS
from unheard.corpora.exchange import words
from unheard.errors import InputError


def test_the_tables_lead_to_our_words_and_from_one_word_to_one() -> None:
    assert set(words.EMOTION_WORDS.values()) == set(EMOTIONS)
    assert set(words.GENDER_WORDS.values()) == set(GENDERS)
    assert set(words.PART_WORDS.values()) == {"train", "dev", "test"}
    assert set(words.COLUMN_NAMES) == set(COLUMNS)
    names = [name for column in words.COLUMN_NAMES.values() for name in column]
    assert len(names) == len(set(names))
    assert not set(names) & set(COLUMNS)
    assert sum(len(each.split()) for each in words._WORDS.values()) + len(EMOTIONS) == len(words.EMOTION_WORDS)


def test_columns_of_our_own_name_win() -> None:
    table = pd.DataFrame(columns=["path", "audio", "Label", "emo", "EMOTION", "spk", "speaker"])
    assert list(words.with_our_columns(table)) == ["path", "audio", "Label", "emo", "emotion", "spk", "speaker"]


def test_labels_keep_how_they_were_written() -> None:
    table = pd.DataFrame(
        {
            "emotion": ["ang", "Happiness", "sad", "xxx", "awe", None, "nan", "05"],
            "gender": ["f", "F", "M", "m", "w", "Male", "x", ""],
        }
    )
    table, lost = words.with_our_labels(table, {"05": "Angry"})
    assert table["emotion"].fillna("-").tolist() == ["angry", "happy", "sad", "-", "other", "-", "-", "angry"]
    assert table["label"].fillna("-").tolist() == ["ang", "Happiness", "-", "xxx", "awe", "-", "-", "05"]
    assert table["gender"].fillna("-").tolist() == ["female", "female", "male", "male", "female", "male", "-", "-"]
    assert len(lost) == 2
    assert lost[0].startswith('"awe" is no emotion known here')
    assert 'the gender "x"' in lost[1]


def test_a_column_label_of_the_files_is_not_overwritten() -> None:
    table, _ = words.with_our_labels(pd.DataFrame({"emotion": ["hap", "hap"], "label": ["joy", None]}))
    assert table["label"].tolist() == ["joy", "hap"]


@pytest.mark.parametrize(
    ("name", "part"),
    [("Train", "train"), ("VALID", "dev"), ("dev-clean", "dev"), ("test1", "test"), ("emodb_train_fold_1", "train"),
     ("eval", "test"), ("contest", None), ("angry", None), ("", None), ("Validation", "dev"), ("devel", "dev")],
)  # fmt: skip
def test_parts(name: str, part: str | None) -> None:
    assert words.part_of(name) == part


def test_an_unknown_part_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r'splits.csv: "holdout" is no part of a split known here; name it train'):
        words.known_part("holdout", "splits.csv")
