"""Sessions tested one by one, selecting by a random part of the others (gat2022)."""

from __future__ import annotations

import numpy as np

from unheard.corpora.corpus import Corpus
from unheard.protocols.arguments import share_of
from unheard.protocols.draws import random_part
from unheard.protocols.fold import TEST_DEV, TEST_TRAIN, Fold, Protocol, fold_of
from unheard.protocols.sessions import sessions_of
from unheard.seeds import generator


def session_folds(dev_share: str = "0.2") -> Protocol:
    """Every session is tested once; a random share of the other utterances is dev, so dev and train SHARE SPEAKERS.

    The dev part is drawn by the seed, not stratified, and the training part is rounded down, as s3prl does for the
    SUPERB benchmark (``int((1 - 0.2) * n)``, ``random_split``).

    Raises:
        InputError: the share is not a number between 0 and 1.
    """
    name = f"session-folds:{dev_share}"
    share = share_of(dev_share, "share of dev", name, example="session-folds:0.2")

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        found = sessions_of(corpus, name)
        folds = []
        for session, title in enumerate(found.sessions):
            test = found.session == session
            dev = np.zeros_like(test)
            dev[~test] = random_part(int((~test).sum()), share, generator(seed, "session-folds", title))
            folds.append(fold_of(title, found.rows, dev, test))
        return folds

    return Protocol(
        name=name,
        apart={"speaker": (TEST_TRAIN, TEST_DEV), "session": (TEST_TRAIN, TEST_DEV)},
        description=f"One fold per session: it is tested; a random {share:.4g} of the other utterances is dev, so that "
        "selection hears the training speakers.",
        cut=cut,
    )
