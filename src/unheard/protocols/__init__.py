"""Protocols: named rules that cut a corpus into folds."""

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
        "session-pairs": "unheard.protocols.session_pairs:session_pairs",
        "session-folds": "unheard.protocols.session_folds:session_folds",
        "dev-session": "unheard.protocols.dev_session:dev_session",
        "cross-corpus": "unheard.protocols.cross_corpus:cross_corpus",
        "cross-corpus-disjoint": "unheard.protocols.cross_corpus:cross_corpus_disjoint",
        "low-resource": "unheard.protocols.low_resource:low_resource",
        "given-split": "unheard.protocols.columns:given_split",
        "given-folds": "unheard.protocols.columns:given_folds",
        "random-folds": "unheard.protocols.random_folds:random_folds",
        "random-splits": "unheard.protocols.random_splits:random_splits",
        "speaker-dependent-folds": "unheard.protocols.speaker_dependent_folds:speaker_dependent_folds",
    },
    group="unheard.protocols",
)


def usage(name: str) -> str:
    """How a protocol is written, what may be left out in brackets.

    >>> usage("low-resource")
    'low-resource:n[:draws[:base...]]'
    """
    written, closing = name, ""
    for parameter in inspect.signature(PROTOCOLS[name]).parameters.values():
        dots = "..." if parameter.kind is parameter.VAR_POSITIONAL else ""
        if parameter.default is parameter.empty and not dots:
            written += f":{parameter.name}"
        else:
            written, closing = f"{written}[:{parameter.name}{dots}", closing + "]"
    return written + closing


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
    try:
        inspect.signature(make).bind(*arguments)
    except TypeError:
        raise InputError(f'the protocol "{name}" does not have the arguments it takes; write {usage(base)}') from None
    protocol: Protocol = make(*arguments)
    return dataclasses.replace(protocol, name=name)


__all__ = ["PROTOCOLS", "get_protocol", "usage"]
