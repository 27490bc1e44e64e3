"""Independent random splits, so that test speakers are heard in training (gat2022's speaker-dependent case)."""

from __future__ import annotations

import numpy as np

from unheard.corpora.corpus import Corpus
from unheard.protocols.arguments import share_of, whole_number
from unheard.protocols.draws import random_part
from unheard.protocols.fold import Fold, Protocol, fold_of, labelled
from unheard.seeds import generator


def random_splits(repeats: str = "5", test_share: str = "0.2", dev_share: str = "0.1") -> Protocol:
    """``repeats`` independent random splits; of what is not tested a share is dev, the rest trains: SPEAKER-DEPENDENT.

    The draws are not stratified; the training part is rounded down. More repeats leave the first ones as they are.

    Raises:
        InputError: ``repeats`` is not a whole number from 1 up, or a share not between 0 and 1.
    """
    name = f"random-splits:{repeats}:{test_share}:{dev_share}"
    number = whole_number(repeats, "number of repeats", name, example="random-splits:5")
    of_all = share_of(test_share, "share of test", name, example="random-splits:5:0.2")
    of_rest = share_of(dev_share, "share of dev", name, example="random-splits:5:0.2:0.1")

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        rows = labelled(corpus)
        folds = []
        for repeat in range(1, number + 1):
            random = generator(seed, "random-splits", repeat)
            test = random_part(rows.size, of_all, random)
            dev = np.zeros_like(test)
            dev[~test] = random_part(int((~test).sum()), of_rest, random)
            folds.append(fold_of(str(repeat), rows, dev, test))
        return folds

    return Protocol(
        name=name,
        apart={},
        description=f"SPEAKER-DEPENDENT: {number} independent random splits, {of_all:.4g} of the utterances tested, "
        f"{of_rest:.4g} of the rest dev.",
        cut=cut,
    )
