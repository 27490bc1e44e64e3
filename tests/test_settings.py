from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, PositiveInt

from unheard.errors import InputError
from unheard.settings import checked, make, settings_of


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    strength: float = 1.0


class Part:
    def __init__(
        self,
        shape: int,
        *,
        width: PositiveInt = 64,
        kind: Literal["a", "b"] = "a",
        sizes: tuple[int, ...] = (),
        inner: Inner | None = None,
        column: str,
    ) -> None:
        self.shape, self.width, self.kind, self.sizes, self.inner, self.column = (
            shape,
            width,
            kind,
            sizes,
            inner,
            column,
        )


def test_settings_are_the_keyword_arguments_with_their_defaults():
    settings = settings_of(Part)(column="x")
    assert settings.model_dump() == {"width": 64, "kind": "a", "sizes": (), "inner": None, "column": "x"}


def test_a_part_is_made_from_plain_values():
    part = make(Part, {"column": "x", "sizes": [1, 2], "inner": {"strength": 2}}, 7)
    assert (part.shape, part.sizes, part.width) == (7, (1, 2), 64)
    assert part.inner == Inner(strength=2.0)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, 'here: the key "column" is missing'),
        ({"column": "x", "widht": 3}, 'here: there is no key "widht"; did you mean "width"?'),
        ({"column": "x", "inner": {"strenth": 3}}, 'here: there is no key "inner.strenth"; did you mean "strength"?'),
        ({"column": "x", "width": 0}, 'here: "width" is 0; it should be greater than 0'),
        ({"column": "x", "width": "much"}, "here: \"width\" is 'much'; it should be a valid integer"),
        ({"column": "x", "kind": "c"}, "here: \"kind\" is 'c'; it should be 'a' or 'b'"),
        ({"column": "x", "sizes": [1, "y"]}, "here: \"sizes.1\" is 'y'; it should be a valid integer"),
        ({"column": "x", "width": float("inf")}, 'here: "width" is inf; it should be a finite number'),
        ({"column": "x" * 1000, "width": "y" * 1000}, 'here: "width" is \'yyyy'),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(values: dict, sentence: str):
    with pytest.raises(InputError) as problem:
        checked(settings_of(Part), values, "here")
    assert str(problem.value).startswith(sentence)
    assert len(str(problem.value)) < 200
