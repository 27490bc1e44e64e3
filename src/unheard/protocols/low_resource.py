"""Few labelled utterances to train on (gat2022, section 4.3)."""

from __future__ import annotations

import numpy as np

from unheard.corpora.corpus import Corpus
from unheard.protocols import get_protocol
from unheard.protocols.arguments import whole_number
from unheard.protocols.fold import Fold, Protocol
from unheard.seeds import generator


def low_resource(n: str, draws: str = "5", *base: str) -> Protocol:
    """A base protocol (default session-folds) with ``n`` random utterances per emotion to train on, in ``draws`` draws.

    Dev and test stay as they are, and so do the promises. Of an emotion with fewer than ``n`` utterances all are taken.
    A larger ``n`` holds the draws of a smaller one, so that a curve over ``n`` adds utterances and exchanges none; a
    curve is several numbers with commas between them, ``low-resource:10,25,50``, the folds of the first number first.
    Whatever follows the second colon is the base's name with its arguments: ``low-resource:25:5:speaker-folds:5``.

    Raises:
        InputError: ``n`` or ``draws`` is not a whole number from 1 up, or there is no such base.
    """
    name = ":".join(("low-resource", n, draws, *base))
    numbers = sorted(
        {whole_number(one, "number of utterances per emotion", name, example="low-resource:25") for one in n.split(",")}
    )
    times = whole_number(draws, "number of draws", name, example="low-resource:25:5")
    rule = get_protocol(":".join(base) or "session-folds")

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        folds = rule.folds(corpus, seed)  # which have seen to it that there are emotions
        emotion = np.unique(corpus.table["emotion"].to_numpy(dtype=np.str_), return_inverse=True)[1]
        found = []
        for number in numbers:
            size = f", {number} of each" if len(numbers) > 1 else ""
            for fold in folds:
                said = emotion[fold.train]
                pools = [fold.train[said == code] for code in range(emotion.max() + 1)]
                for draw in range(1, times + 1):
                    random = generator(seed, "low-resource", fold.name, draw)
                    train = np.concatenate([random.permutation(pool)[:number] for pool in pools])
                    found.append(Fold(f"{fold.name}{size}, draw {draw}", np.sort(train), fold.dev, fold.test, number))
        return found

    return Protocol(
        name=name,
        apart=rule.apart,
        description=f"{' or '.join(map(str, numbers))} utterances of each emotion, drawn {times} times from the "
        f"training part of each fold of {rule.name}. {rule.description}",
        cut=cut,
    )
