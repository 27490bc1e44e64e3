import pickle

import pytest

from unheard.errors import InputError, did_you_mean


def test_a_sentence_is_one_line_whatever_names_are_in_it():
    assert str(InputError("a\nb: there is no c\r\nhere")) == "a b: there is no c here"


def test_a_sentence_crosses_processes():
    problem = pickle.loads(pickle.dumps(InputError("x: wrong")))
    assert isinstance(problem, InputError)
    assert str(problem) == "x: wrong"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("anger", 'did you mean "angry"?'),
        ("hapy", 'did you mean "happy"?'),
        ("zzz", "it is one of angry, happy"),
        ("", "it is one of angry, happy"),
        (3, "it is one of angry, happy"),
    ],
)
def test_the_nearest_right_name_is_named(name, hint: str):
    assert did_you_mean(name, iter(["angry", "happy"])) == hint
