import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError

values = some.lists(some.one_of(some.none(), some.sampled_from(["sad", "NA", "nan", "001", "1", "Ä"])), max_size=20)


@given(values, values)
def test_numbers_lead_back_to_values(train: list, test: list):
    known = sorted({value for value in train if value is not None})
    if len(known) < 2:
        return
    words = Vocabulary.fit(pd.Series(train, dtype="object"), "emotion")
    assert list(words.classes) == known
    assert len(words) == len(known)
    numbers = words.encode(pd.Series(test, dtype="object")).tolist()
    assert [words.classes[n] if n >= 0 else None for n in numbers] == [
        value if value in known else None for value in test
    ]


def test_a_column_of_numbers_is_a_column_of_classes():
    raters = pd.Series([3, 1, None, 3], dtype="Int64")
    words = Vocabulary.fit(raters, "rater")
    assert words.classes == ("1", "3")
    assert words.encode(raters).tolist() == [1, 0, -1, 1]


@pytest.mark.parametrize(("values", "found"), [(["sad", None, "sad"], 'only "sad"'), ([None, None], "no value")])
def test_nothing_to_tell_apart_gets_one_sentence(values: list, found: str):
    with pytest.raises(InputError, match=f'the training part has {found} in the column "emotion"'):
        Vocabulary.fit(pd.Series(values, dtype="object"), "emotion")
