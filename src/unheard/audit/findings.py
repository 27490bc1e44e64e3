"""What an audit says in words: the verdict, what is broken, and what changes how a number is to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unheard.audit.overlap import ALIKE, IDENTICAL, UTTERANCE, FoldAudit, Overlap
from unheard.protocols.fold import DEV_TRAIN, PAIRS, TEST_DEV, TEST_TRAIN, Protocol

NOTHING = Overlap(0, 0, 0, 0, 0)


@dataclass(frozen=True)
class AuxiliaryAudit:
    """What auxiliary training data shares with the test parts of all folds.

    Attributes:
        corpus, utterances, speakers: what it is.
        unnamed: utterances without a speaker.
        test_speakers: test speakers, by name, that it holds.
        test_recordings: test recordings that it holds the very files of.
        alike_recordings: test recordings that it holds copies of, identical ones included.
    """

    corpus: str
    utterances: int
    speakers: int
    unnamed: int
    test_speakers: int
    test_recordings: int
    alike_recordings: int


@dataclass(frozen=True)
class Promise:
    """That parts of a fold share no value of a column, and who says so."""

    column: str
    pairs: tuple[str, ...]
    claim: str


def promises(protocol: Protocol | None, apart: Mapping[str, tuple[str, ...]] | None) -> tuple[Promise, ...]:
    """What a protocol promises, and what the caller claims of the folds."""
    sources = [(f"{protocol.name} promises", protocol.apart)] if protocol else []
    sources += [("the claim is", apart)] if apart else []
    return tuple(
        Promise(
            column,
            tuple(pairs),
            f"{says} {'unheard speakers' if column == 'speaker' else f'to keep each {column} apart'}",
        )
        for says, promised in sources
        for column, pairs in promised.items()
    )


def verdict(overlaps: Mapping[str, Overlap], folds: int, unnamed: int, auxiliary: AuxiliaryAudit | None) -> str:
    """The finding in one line, from the facts alone: what was promised does not change it."""
    if not overlaps:
        return "no folds were audited: nothing is known yet about new speakers"
    speaker = overlaps.get("speaker", NOTHING)
    if speaker.test_in_train or (auxiliary and auxiliary.test_speakers):
        where, count = "training", speaker.test_in_train
        if not count and auxiliary:
            where, count = "the auxiliary data", auxiliary.test_speakers
        return (
            f"SPEAKER-DEPENDENT: {_heard(count, speaker.test, 'test')} heard in {where}; "
            "these numbers say nothing about new speakers"
        )
    if leak := _leak(overlaps, auxiliary):
        return f"LEAKING: {leak}; these numbers are too good"
    if unnamed:
        return f"UNPROVEN: {many(unnamed, 'utterance')} without a speaker, so test speakers may be heard in training"
    if speaker.dev_in_train:
        return (
            f"speaker-independent, but {_heard(speaker.dev_in_train, speaker.dev, 'dev')} heard in training: "
            "selection favours known voices"
        )
    if speaker.test_in_dev:
        return (
            "speaker-independent in training, but selection saw target speakers: "
            f"{_heard(speaker.test_in_dev, speaker.test, 'test')} heard in dev"
        )
    return (
        f"speaker-independent: no test speaker is heard in training ({many(folds, 'fold')}, "
        f"{many(speaker.test, 'test speaker')})"
    )


def _leak(overlaps: Mapping[str, Overlap], auxiliary: AuxiliaryAudit | None) -> str | None:
    for column in (IDENTICAL, UTTERANCE):
        if same := overlaps.get(column, NOTHING).test_in_train:
            return f"{_these(same, overlaps[column].test)} in training too"
    if alike := overlaps.get(ALIKE, NOTHING).test_in_train:
        return f"{_these(alike, overlaps[ALIKE].test)} nearly the same as {'one' if alike == 1 else 'some'} in training"
    if auxiliary and auxiliary.test_recordings:
        return f"{_these(auxiliary.test_recordings, overlaps[UTTERANCE].test)} in the auxiliary data too"
    if auxiliary and (alike := auxiliary.alike_recordings):
        nearly = f"nearly the same as {'one' if alike == 1 else 'some'} in the auxiliary data"
        return f"{_these(alike, overlaps[UTTERANCE].test)} {nearly}"
    return None


def _these(count: int, of: int) -> str:
    return f"{count:,} of {many(of, 'test recording')} {'is' if count == 1 else 'are'}"


def broken(
    promised: Sequence[Promise],
    folds: Sequence[FoldAudit],
    overlaps: Mapping[str, Overlap],
    unnamed: int,
    auxiliary: AuxiliaryAudit | None,
) -> tuple[str, ...]:
    """What the folds claim and do not hold. That their parts are different recordings, all folds claim."""
    sentences = []
    if repeated := sum(fold.repeated for fold in folds):
        where = many(sum(fold.repeated > 0 for fold in folds), "fold")
        verb = "stands" if repeated == 1 else "stand"
        sentences.append(f"{many(repeated, 'utterance')} {verb} twice in one part ({where}), but once is enough")
    sentences += _shared_recordings(overlaps)
    if auxiliary:
        sentences += _auxiliary_recordings(auxiliary)
    for promise in promised:
        column = promise.column
        if column in overlaps:
            sentences += _shared(overlaps[column], column, promise.claim, promise.pairs)
        else:
            sentences.append(f'the corpus has no column "{column}", but {promise.claim}')
        if column == "speaker" and unnamed:
            sentences.append(f"{many(unnamed, 'utterance')} of the folds have no speaker, but {promise.claim}")
        if column == "speaker" and TEST_TRAIN in promise.pairs and auxiliary and auxiliary.test_speakers:
            speakers = many(auxiliary.test_speakers, "test speaker")
            verb = "speaks" if auxiliary.test_speakers == 1 else "speak"
            sentences.append(f"{speakers} {verb} in the auxiliary data ({auxiliary.corpus}), but {promise.claim}")
    return tuple(dict.fromkeys(sentences))


def _shared_recordings(overlaps: Mapping[str, Overlap]) -> list[str]:
    """Shared utterances, equal files, equal sound; what is shared as one is so as the next, and is said once."""
    claims = {
        UTTERANCE: "the parts of a fold must be disjoint",
        IDENTICAL: "no recording may be in two parts of a fold",
        ALIKE: "no recording may be in two parts of a fold",
    }
    sentences, said = [], NOTHING
    for column, claim in claims.items():
        overlap = overlaps.get(column, NOTHING)
        pairs = [pair for pair in PAIRS if shared(overlap, pair) > shared(said, pair)]
        sentences += _shared(overlap, column, claim, pairs)
        said = overlap if column in overlaps else said
    return sentences


def _auxiliary_recordings(auxiliary: AuxiliaryAudit) -> list[str]:
    found = {IDENTICAL: auxiliary.test_recordings}
    if auxiliary.alike_recordings > auxiliary.test_recordings:
        found[ALIKE] = auxiliary.alike_recordings
    return [
        f"{many(count, what)} of test in the auxiliary data ({auxiliary.corpus}), but nothing tested may be trained on"
        for what, count in found.items()
        if count
    ]


def _shared(overlap: Overlap, column: str, claim: str, pairs: Sequence[str]) -> list[str]:
    """A sentence for each of these pairs of parts that share values of a column."""
    return [
        f"{many(count, column)} of {pair.replace('-', ' in ')} of the same fold, but {claim}"
        for pair in pairs
        if (count := shared(overlap, pair))
    ]


def shared(overlap: Overlap, pair: str) -> int:
    """How many values these two parts share."""
    counts = {TEST_TRAIN: overlap.test_in_train, TEST_DEV: overlap.test_in_dev, DEV_TRAIN: overlap.dev_in_train}
    return counts[pair]


def warnings(
    promised: Sequence[Promise],
    folds: Sequence[FoldAudit],
    overlaps: Mapping[str, Overlap],
    examples: Sequence[tuple[str, str]],
    auxiliary: AuxiliaryAudit | None,
) -> tuple[str, ...]:
    """What is no broken promise but changes what a number means.

    Args:
        promised: what is said to be broken where it does not hold, and so not said here.
        folds: what each fold holds.
        overlaps: what is shared over all of them.
        examples: ids of near-identical recordings in test and in train.
        auxiliary: what further training data shares with test.
    """
    sentences = _empty_parts(folds)
    sentences += [
        f'fold "{fold.name}" tests {", ".join(fold.untrained)}, of which its training part has no utterance'
        for fold in folds
        if fold.untrained
    ]
    if examples:
        pairs = ", ".join(f"{test} and {train}" for test, train in examples)
        count = overlaps[ALIKE].test_in_train
        more = f" and {count - len(examples):,} more" if count > len(examples) else ""
        sentences.append(f"nearly the same recording in test and in train: {pairs}{more}")
    told = {promise.column for promise in promised if TEST_TRAIN in promise.pairs}
    for column in ("session", "text"):
        if column not in told and column in overlaps and (count := overlaps[column].test_in_train):
            sentences.append(
                f"{count:,} of {many(overlaps[column].test, f'test {column}')} {'is' if count == 1 else 'are'} in "
                "training too"
            )
    if auxiliary and auxiliary.test_speakers and "speaker" not in told:
        count = auxiliary.test_speakers
        sentences.append(
            f"{many(count, 'test speaker')} {'speaks' if count == 1 else 'speak'} in the auxiliary data too"
        )
    if auxiliary and auxiliary.unnamed:
        unnamed = many(auxiliary.unnamed, "utterance")
        sentences.append(f"{unnamed} of the auxiliary data have no speaker: test speakers may be among them")
    return tuple(sentences)


def _empty_parts(folds: Sequence[FoldAudit]) -> list[str]:
    sentences = []
    for part, sizes in (("train", [fold.train for fold in folds]), ("dev", [fold.dev for fold in folds])):
        if empty := sizes.count(0):
            why = "nothing is learned" if part == "train" else "nothing is left to select by"
            which = "every fold" if empty == len(folds) else f"{empty:,} of {many(len(folds), 'fold')}"
            sentences.append(f"{part} is empty in {which}: {why}")
    return sentences


def _heard(count: int, of: int, part: str) -> str:
    return f"{count:,} of {many(of, f'{part} speaker')} {'is' if count == 1 else 'are'}"


def many(count: int, what: str) -> str:
    """A number with its noun.

    >>> many(1, "fold"), many(2400, "utterance")
    ('1 fold', '2,400 utterances')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"
