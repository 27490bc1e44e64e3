"""Protocols that test on speakers nobody heard in training: one by one, in folds, or held out once."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError, did_you_mean
from unheard.protocols.arguments import number_of_folds
from unheard.protocols.fold import DEV_TRAIN, PAIRS, TEST_TRAIN, Fold, Protocol, fold_of, in_turn, labelled, speakers_of
from unheard.protocols.sessions import sessions_of
from unheard.seeds import generator

#: What the dev part of leave-one-speaker-out may be.
DEV_RULES = {
    "next": "the next speaker (in sorted order, the first after the last) is dev",
    "partner": "whoever else is in that speaker's session is dev",
    "none": "there is no dev, so the last epoch counts",
}


def leave_one_speaker_out(dev: str = "next") -> Protocol:
    """Every speaker is tested once; dev is the ``next`` one, the session's ``partner`` or ``none``.

    latif2022 selects by the partner; fan2020 mentions no selection.

    Raises:
        InputError: there is no such rule for dev.
    """
    if dev not in DEV_RULES:
        raise InputError(
            f'leave-one-speaker-out: there is no rule "{dev}" for dev; {did_you_mean(dev, DEV_RULES)}, as in '
            "leave-one-speaker-out:partner"
        )
    name = "leave-one-speaker-out" + ("" if dev == "next" else f":{dev}")
    apart: dict[str, tuple[str, ...]] = {"speaker": PAIRS}
    if dev == "partner":
        apart["session"] = (TEST_TRAIN, DEV_TRAIN)
    return Protocol(
        name=name,
        apart=apart,
        description=f"One fold per speaker: that speaker is tested, {DEV_RULES[dev]}, the others train.",
        cut=_with_partner if dev == "partner" else partial(_one_by_one, dev=dev, protocol=name),
    )


def _one_by_one(corpus: Corpus, seed: int, dev: str, protocol: str) -> list[Fold]:
    rows = labelled(corpus)
    speakers = speakers_of(corpus, rows, protocol, at_least=3 if dev == "next" else 2)
    names, speaker = np.unique(speakers, return_inverse=True)
    nobody = np.zeros(rows.size, dtype=bool)
    return [
        fold_of(
            tested, rows, dev=speaker == (index + 1) % names.size if dev == "next" else nobody, test=speaker == index
        )
        for index, tested in enumerate(names)
    ]


def _with_partner(corpus: Corpus, seed: int) -> list[Fold]:
    protocol = "leave-one-speaker-out:partner"
    found = sessions_of(corpus, protocol)
    for session, name in enumerate(found.sessions):
        if found.speakers_in(session).size < 2:
            raise InputError(
                f'{corpus.source}: {protocol} needs two speakers in every session, and "{name}" has 1; fill in who '
                "else is in it, or take leave-one-speaker-out"
            )
    folds = []
    for index, tested in enumerate(found.speakers):
        test = found.speaker == index
        folds.append(fold_of(tested, found.rows, dev=(found.session == found.session_of[index]) & ~test, test=test))
    return folds


def speaker_folds(k: str) -> Protocol:
    """The speakers in ``k`` groups of about as many utterances, each group tested once, the next group dev.

    The test sets are those of scikit-learn's ``GroupKFold(n_splits=k)`` with the speaker as group, over the
    utterances that have an emotion and a speaker in the order of the table. It does not depend on the seed.

    Raises:
        InputError: ``k`` is not a whole number from 3 up.
    """
    name = f"speaker-folds:{k}"
    number = number_of_folds(k, name)

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        from sklearn.model_selection import GroupKFold

        rows = labelled(corpus)
        speakers = speakers_of(corpus, rows, name, at_least=number)
        group = np.empty(rows.size, dtype=np.intp)
        for index, (_, test) in enumerate(GroupKFold(n_splits=number).split(rows, groups=speakers)):
            group[test] = index
        return in_turn(rows, group, number)

    return Protocol(
        name=name,
        apart={"speaker": PAIRS},
        description=f"The speakers in {number} groups (scikit-learn's GroupKFold): one is tested, the next is dev.",
        cut=cut,
    )


def speaker_holdout(share_or_number: str = "0.2") -> Protocol:
    """One fold: a share (or a whole number) of the speakers, drawn by the seed, is tested, as many others are dev.

    Of a share at least one speaker each; what is not a whole speaker is rounded down. tu2019's 200/25/25 speakers are
    ``speaker-holdout:25``.

    Raises:
        InputError: it is neither a share between 0 and 0.5 nor a whole number from 1 up.
    """
    name = f"speaker-holdout:{share_or_number}"
    try:
        wanted = int(share_or_number) if share_or_number.isdecimal() else float(share_or_number)
    except ValueError:
        wanted = math.nan
    if not 0 < wanted < 0.5 and not (isinstance(wanted, int) and wanted >= 1):
        raise InputError(
            f'{name}: the share "{share_or_number}" is not a number between 0 and 0.5 (as many speakers again are '
            "dev), nor a whole number of speakers; write for example speaker-holdout:0.2 or speaker-holdout:25"
        )

    def cut(corpus: Corpus, seed: int) -> list[Fold]:
        rows = labelled(corpus)
        speakers = speakers_of(corpus, rows, name, at_least=2 * wanted + 1 if isinstance(wanted, int) else 3)
        names = generator(seed, "speaker-holdout").permutation(np.unique(speakers))
        count = wanted if isinstance(wanted, int) else max(1, math.floor(wanted * names.size + 1e-9))
        test, dev = names[:count], names[count : 2 * count]
        return [fold_of("holdout", rows, np.isin(speakers, dev), np.isin(speakers, test))]

    return Protocol(
        name=name,
        apart={"speaker": PAIRS},
        description=f"One fold: {wanted:,} of the speakers, drawn by the seed, are tested, as many others are dev.",
        cut=cut,
    )
