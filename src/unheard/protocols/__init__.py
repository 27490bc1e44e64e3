"""Protocols: named rules that cut a corpus into folds, and the audit of what folds prove."""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING

from unheard.errors import InputError
from unheard.registry import Registry

if TYPE_CHECKING:
    from unheard.protocols.fold import Protocol

#: Each place is a function from the arguments after the colons (strings) to a :class:`unheard.protocols.fold.Protocol`.
PROTOCOLS = Registry(
    "protocol",
    {
        "leave-one-speaker-out": "unheard.protocols.speaker:leave_one_speaker_out",
        "speaker-folds": "unheard.protocols.speaker:speaker_folds",
        "speaker-holdout": "unheard.protocols.speaker:speaker_holdout",
        "random-folds": "unheard.protocols.random_folds:random_folds",
    },
    group="unheard.protocols",
)


def get_protocol(name: str) -> Protocol:
    """The protocol that ``name`` asks for, with its arguments after colons.

    >>> get_protocol("speaker-folds:5").speaker_independent
    True
    >>> get_protocol("speaker-fold:5")
    Traceback (most recent call last):
    unheard.errors.InputError: there is no protocol "speaker-fold"; did you mean "speaker-folds"?

    Raises:
        InputError: there is no such protocol, or its arguments are not what it takes.
    """
    base, *arguments = name.split(":")
    make = PROTOCOLS[base]
    signature = inspect.signature(make)
    try:
        signature.bind(*arguments)
    except TypeError:
        usage = base + "".join(
            f":{parameter.name}" if parameter.default is parameter.empty else f"[:{parameter.name}]"
            for parameter in signature.parameters.values()
        )
        raise InputError(f'the protocol "{name}" does not have the arguments it takes; write {usage}') from None
    protocol: Protocol = make(*arguments)
    return dataclasses.replace(protocol, name=name)


__all__ = ["PROTOCOLS", "get_protocol"]
