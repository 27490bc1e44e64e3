"""What is written behind a protocol's name, after colons, as numbers."""

from __future__ import annotations

import math

from unheard.errors import InputError


def whole_number(text: str, what: str, protocol: str, *, at_least: int = 1, why: str = "", example: str) -> int:
    """``text`` as a whole number.

    Raises:
        InputError: it is none, or less than ``at_least``.

    >>> whole_number("ten", "number of repeats", "random-splits:ten", example="random-splits:5")
    Traceback (most recent call last):
    unheard.errors.InputError: random-splits:ten: the number of repeats "ten" is not a whole number from 1 up; write for
    example random-splits:5
    """
    try:
        number = int(text)
    except ValueError:
        number = at_least - 1
    if number < at_least:
        reason = f" ({why})" if why else ""
        raise InputError(
            f'{protocol}: the {what} "{text}" is not a whole number from {at_least} up{reason}; write for example '
            f"{example}"
        )
    return number


def number_of_folds(text: str, protocol: str) -> int:
    """``text`` as a number of folds, at least three: one to test, one to select by, the rest to train.

    Raises:
        InputError: it is not a whole number, or less than three.
    """
    return whole_number(
        text,
        "number of folds",
        protocol,
        at_least=3,
        why="one fold to test, one to select by, the rest to train",
        example=f"{protocol.partition(':')[0]}:5",
    )


def share_of(text: str, what: str, protocol: str, *, example: str) -> float:
    """``text`` as a share between 0 and 1.

    Raises:
        InputError: it is not a number, or not between 0 and 1.
    """
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise InputError(
            f'{protocol}: the {what} "{text}" is not a number between 0 and 1; write for example {example}'
        )
    return share
