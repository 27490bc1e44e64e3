"""Sessions of two speakers: one selects, the other is tested (tu2019)."""

from __future__ import annotations

import numpy as np

from unheard.corpora.corpus import GENDERS, Corpus
from unheard.errors import InputError, did_you_mean
from unheard.protocols.fold import DEV_TRAIN, PAIRS, TEST_TRAIN, Fold, Protocol, Rows, fold_of, needs
from unheard.protocols.genders import genders_of
from unheard.protocols.sessions import Sessions, sessions_of

TESTED = (*GENDERS, "both")


def session_pairs(test: str = "male") -> Protocol:
    """One fold per session of two: its ``male`` or ``female`` speaker, or ``both`` in turn, is tested, the other dev.

    The other sessions train. tu2019 (section 3.1) does not say which of the two is tested.

    Raises:
        InputError: ``test`` is something else.
    """
    name = f"session-pairs:{test}"
    if test not in TESTED:
        raise InputError(f'{name}: there is no speaker "{test}" to test; {did_you_mean(test, TESTED)}')

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        if test != "both":
            needs(corpus, "gender", name)
        found = sessions_of(corpus, name)
        genders = genders_of(corpus, found.rows, found.speakers)
        folds = []
        for session, title in enumerate(found.sessions):
            pair = found.speakers_in(session)
            if pair.size != 2:
                raise InputError(
                    f'{corpus.source}: {name} needs two speakers in every session, and "{title}" has {pair.size}; take '
                    "session-folds, or correct the sessions"
                )
            if test == "both":
                folds += [_fold(f"{title}, {found.speakers[tested]}", found, pair, tested) for tested in pair]
                continue
            chosen = pair[genders[pair] == test]
            if chosen.size != 1 or "" in genders[pair]:
                raise InputError(
                    f'{corpus.source}: {name} needs a woman and a man in every session, and "{title}" has not one of '
                    "each; write session-pairs:both, or correct the column gender"
                )
            folds.append(_fold(title, found, pair, chosen[0]))
        return folds

    which = "each of the two speakers in turn" if test == "both" else f"the {test} speaker"
    return Protocol(
        name=name,
        apart={"speaker": PAIRS, "session": (TEST_TRAIN, DEV_TRAIN)},
        description=f"One fold per session: {which} is tested, the other is dev, the other sessions train.",
        cut=cut,
    )


def _fold(title: str, found: Sessions, pair: Rows, tested: np.intp) -> Fold:
    (partner,) = pair[pair != tested]
    return fold_of(title, found.rows, dev=found.speaker == partner, test=found.speaker == tested)
