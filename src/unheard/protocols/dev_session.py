"""One session always selects, the speakers of the others are tested one by one (xia2021)."""

from __future__ import annotations

import numpy as np

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError, did_you_mean
from unheard.protocols.fold import DEV_TRAIN, PAIRS, TEST_DEV, Fold, Protocol, fold_of
from unheard.protocols.sessions import Sessions, sessions_of


def dev_session(session: str = "") -> Protocol:
    """One session (default the last in sorted order) is always dev; each speaker of the others is tested once.

    A session is named as in the column ``session``, or by what follows its last ``_``: ``dev-session:5``. Whoever
    is not tested trains, the tested speaker's session partner too, as in xia2021 (section 3.3).
    """
    name = f"dev-session:{session}" if session else "dev-session"

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        found = sessions_of(corpus, name)
        chosen = _position(session, found, corpus, name) if session else found.sessions.size - 1
        tested = np.flatnonzero(found.session_of != chosen)
        if tested.size < 2:
            raise InputError(
                f"{corpus.source}: {name} needs at least 2 speakers outside the dev session "
                f'"{found.sessions[chosen]}", and there is 1; take another session, or speaker-holdout'
            )
        dev = found.session == chosen
        return [fold_of(found.speakers[speaker], found.rows, dev, found.speaker == speaker) for speaker in tested]

    which = f'The session "{session}"' if session else "The last session"
    return Protocol(
        name=name,
        apart={"speaker": PAIRS, "session": (TEST_DEV, DEV_TRAIN)},
        description=f"{which} is always dev; one fold per speaker of the others, who is tested while the rest train.",
        cut=cut,
    )


def _position(session: str, found: Sessions, corpus: Corpus, protocol: str) -> int:
    """The session that the user means, by its value or by the value's ending."""
    values = [str(value) for value in found.sessions]
    meant = [value for value in values if value == session] or [
        value for value in values if value.rpartition("_")[2] == session
    ]
    if not meant:
        raise InputError(
            f'{corpus.source}: {protocol}: there is no session "{session}"; {did_you_mean(session, values)}'
        )
    if len(meant) > 1:
        raise InputError(
            f'{corpus.source}: {protocol}: the sessions {" and ".join(meant[:2])} both end in "{session}"; write one '
            "in full"
        )
    return values.index(meant[0])
