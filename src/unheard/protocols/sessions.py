"""Who speaks in which session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.protocols.fold import Rows, labelled, needs


@dataclass(frozen=True, eq=False)
class Sessions:
    """The utterances that have an emotion, a speaker and a session, and who speaks in which session.

    Attributes:
        rows: positions of the utterances.
        speakers, sessions: the names, sorted.
        speaker, session: of each utterance, as positions in the names.
        session_of: of each speaker.
    """

    rows: Rows
    speakers: NDArray[np.str_]
    sessions: NDArray[np.str_]
    speaker: Rows
    session: Rows
    session_of: Rows

    def speakers_in(self, session: int) -> Rows:
        """The positions of a session's speakers."""
        return np.flatnonzero(self.session_of == session)


def sessions_of(corpus: Corpus, protocol: str) -> Sessions:
    """The sessions of a corpus in which each speaker is in one session only, as promises about sessions need it.

    Raises:
        InputError: there are no sessions, there is one only, or a speaker is in two.
    """
    needs(corpus, "session", protocol)
    rows = labelled(corpus, "session")
    table = corpus.table.iloc[rows]
    speakers, speaker = np.unique(table["speaker"].to_numpy(dtype=np.str_), return_inverse=True)
    sessions, session = np.unique(table["session"].to_numpy(dtype=np.str_), return_inverse=True)
    session_of = np.empty(speakers.size, dtype=np.intp)
    session_of[speaker] = session
    elsewhere = session_of[speaker] != session
    if elsewhere.any():
        row = int(elsewhere.argmax())
        raise InputError(
            f'{corpus.source}: {protocol} needs every speaker in one session only, and "{speakers[speaker[row]]}" is '
            f'in "{sessions[session[row]]}" and "{sessions[session_of[speaker[row]]]}"; name sessions by who is in '
            "them, or take speaker-folds:5"
        )
    if sessions.size < 2:
        raise InputError(
            f'{corpus.source}: {protocol} needs at least 2 sessions, and all utterances are in "{sessions[0]}"; fill '
            "in the sessions, or take leave-one-speaker-out"
        )
    return Sessions(rows, speakers, sessions, speaker, session, session_of)
