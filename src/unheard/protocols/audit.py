"""The audit: what can be proved about a corpus and its folds before any training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from unheard.corpora.corpus import Corpus
from unheard.metrics.association import Association, association
from unheard.protocols.fold import Fold, Protocol, Rows

#: The columns asked how far they alone predict the emotion.
PREDICTORS = ("speaker", "gender", "session", "text")
#: Permutations of the test whether a column predicts the emotion: this many, or fewer where so many cells are drawn.
PERMUTATIONS, FEWEST_PERMUTATIONS, MOST_CELLS = 1000, 99, 50_000_000


@dataclass(frozen=True)
class Overlap:
    """How many values of a column (speakers, texts, recordings) two parts of a fold share, and how many there are.

    Over several folds a value counts once, however many folds share it.
    """

    test: int
    dev: int
    test_in_train: int
    test_in_dev: int
    dev_in_train: int


@dataclass(frozen=True)
class FoldAudit:
    """What one fold holds.

    Attributes:
        train, dev, test: utterances of each part.
        overlaps: what the parts share, by column.
        untrained: emotions that are tested and have no utterance in train.
    """

    name: str
    train: int
    dev: int
    test: int
    overlaps: Mapping[str, Overlap]
    untrained: tuple[str, ...]


@dataclass(frozen=True)
class Published:
    """The published edition nearest to the corpus, and by how many utterances of each emotion the corpus differs."""

    edition: str
    differences: Mapping[str, int]


@dataclass(frozen=True)
class Audit:
    """What was found; ``ok`` is false when the folds break what the protocol promises.

    Attributes:
        verdict: the finding in one line.
        broken: a sentence for every promise that does not hold.
        warnings: sentences about what is no broken promise but changes what a number means.
        left_out: utterances in no part of any fold.
        emotions: utterances of each emotion in the whole corpus.
        associations: how far a column alone predicts the emotion of the utterances in the folds, by column.
        overlaps: what is shared over all folds, by column; a column that the corpus lacks is not in it.
    """

    corpus: str
    synthetic: bool
    protocol: str | None
    seed: int
    utterances: int
    speakers: int
    emotions: Mapping[str, int]
    published: Published | None
    associations: Mapping[str, Association]
    folds: tuple[FoldAudit, ...]
    overlaps: Mapping[str, Overlap]
    left_out: int
    verdict: str
    broken: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the folds are what they claim."""
        return not self.broken

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON holds it."""
        return {"ok": self.ok, **asdict(self)}


def audit(
    corpus: Corpus,
    protocol: Protocol | None = None,
    folds: Sequence[Fold] | None = None,
    *,
    seed: int = 0,
    published: Mapping[str, Mapping[str, int]] | None = None,
) -> Audit:
    """What a corpus and its folds prove and what they leak. It reads no audio.

    Identical recordings are found by the column ``digest`` (see :meth:`Corpus.with_digests`), where there is one.

    Args:
        corpus: the utterances.
        protocol: what the folds promise; it also cuts them where ``folds`` are not given.
        folds: the folds, for instance from somebody's split files; without a protocol nothing is promised.
        seed: of the protocol's draws and of the permutation tests.
        published: utterances of each emotion in every published edition.

    Raises:
        InputError: the protocol cannot cut this corpus.
    """
    if folds is None:
        folds = protocol.folds(corpus, seed) if protocol else []
    table = corpus.table
    codes = _codes(corpus, protocol.keeps_apart if protocol else None)
    speaker = codes.get("speaker")
    used = np.zeros(len(corpus), dtype=bool)
    for fold in folds:
        for part in (fold.train, fold.dev, fold.test):
            used[part] = True
    counts = table["emotion"].value_counts() if "emotion" in table else pd.Series(dtype="int64")
    emotions = {str(emotion): int(count) for emotion, count in counts.sort_index().items()}
    each, overlaps = _folds(corpus, folds, codes)
    unnamed = int(used.sum()) if speaker is None else int((speaker[used] < 0).sum())
    return Audit(
        corpus=corpus.name,
        synthetic=corpus.synthetic,
        protocol=protocol.name if protocol else None,
        seed=seed,
        utterances=len(corpus),
        speakers=int(speaker.max()) + 1 if speaker is not None else 0,
        emotions=emotions,
        published=_nearest(emotions, published) if published else None,
        associations=_associations(corpus, np.flatnonzero(used) if folds else np.arange(len(corpus)), seed),
        folds=each,
        overlaps=overlaps,
        left_out=len(corpus) - int(used.sum()) if folds else 0,
        verdict=_verdict(overlaps, len(each), unnamed),
        broken=_broken(protocol, overlaps, unnamed) if folds else (),
        warnings=_warnings(each, overlaps),
    )


def _codes(corpus: Corpus, keeps_apart: str | None) -> dict[str, Rows]:
    """What parts of a fold may share, each as integers, −1 where a value is missing; only what the corpus has."""
    table = corpus.table
    codes: dict[str, Rows] = {"utterance": np.arange(len(table), dtype=np.intp)}
    if "digest" in table:
        # Parts of one recording are different audio, so where a part starts and ends belongs to it.
        columns = [column for column in ("digest", "start", "end") if column in table]
        recording = table.groupby(columns, dropna=False, sort=False).ngroup().to_numpy(dtype=np.intp)
        codes["recording"] = np.where(table["digest"].isna(), -1, recording)
    for column in dict.fromkeys(("speaker", "session", "text", keeps_apart)):
        if column is not None and column in table and table[column].notna().any():
            codes[column] = _factorized(table[column])[0]
    return codes


def _factorized(values: pd.Series) -> tuple[Rows, pd.Index]:
    codes, names = pd.factorize(values)
    return np.asarray(codes).astype(np.intp), pd.Index(names)


def _associations(corpus: Corpus, rows: Rows, seed: int) -> dict[str, Association]:
    table = corpus.table.iloc[rows]
    if "emotion" not in table or table["emotion"].nunique() < 2:
        return {}
    found = {}
    for column in PREDICTORS:
        if column not in table or table.loc[table["emotion"].notna(), column].nunique() < 2:
            continue
        cells = table[column].nunique() * table["emotion"].nunique()
        permutations = min(PERMUTATIONS, max(FEWEST_PERMUTATIONS, MOST_CELLS // cells))
        found[column] = association(table[column], table["emotion"], permutations=permutations, seed=seed)
    return found


def _folds(
    corpus: Corpus, folds: Sequence[Fold], codes: Mapping[str, Rows]
) -> tuple[tuple[FoldAudit, ...], dict[str, Overlap]]:
    """What each fold holds, and what is shared over all of them."""
    emotion, names = _factorized(corpus.table.get("emotion", pd.Series(None, corpus.table.index, dtype="str")))
    # By column, for each of Overlap's five counts, which values are among them in any fold.
    anywhere = {column: np.zeros((5, code.max() + 1), dtype=bool) for column, code in codes.items()}
    found = []
    for fold in folds:
        overlaps = {}
        for column, code in codes.items():
            train, dev, test = (_present(code, part) for part in (fold.train, fold.dev, fold.test))
            here = np.stack([test, dev, test & train, test & dev, dev & train])
            anywhere[column] |= here
            overlaps[column] = _overlap(here)
        untrained = _present(emotion, fold.test, len(names)) & ~_present(emotion, fold.train, len(names))
        found.append(
            FoldAudit(
                name=fold.name,
                train=fold.train.size,
                dev=fold.dev.size,
                test=fold.test.size,
                overlaps=overlaps,
                untrained=tuple(sorted(map(str, names[untrained]))),
            )
        )
    return tuple(found), {column: _overlap(values) for column, values in anywhere.items()} if folds else {}


def _present(code: Rows, rows: Rows, values: int | None = None) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which values occur in these rows."""
    present = np.zeros(int(code.max()) + 2 if values is None else values + 1, dtype=bool)
    present[code[rows]] = True  # a missing value, −1, goes to the last place, which is cut off
    return present[:-1]


def _overlap(values: np.ndarray[Any, np.dtype[np.bool_]]) -> Overlap:
    return Overlap(*map(int, values.sum(axis=1)))


def _nearest(emotions: Mapping[str, int], published: Mapping[str, Mapping[str, int]]) -> Published:
    def differences(edition: str) -> dict[str, int]:
        counts = published[edition]
        by = {name: emotions.get(name, 0) - counts.get(name, 0) for name in sorted({*emotions, *counts})}
        return {name: difference for name, difference in by.items() if difference}

    nearest = min(published, key=lambda edition: sum(map(abs, differences(edition).values())))
    return Published(nearest, differences(nearest))


def _verdict(overlaps: Mapping[str, Overlap], folds: int, unnamed: int) -> str:
    """The finding in one line, from the facts alone: what was promised does not change it."""
    if not overlaps:
        return "no folds were audited: nothing is known yet about new speakers"
    speaker = overlaps.get("speaker", Overlap(0, 0, 0, 0, 0))
    recordings = max(overlaps[column].test_in_train for column in ("utterance", "recording") if column in overlaps)
    if speaker.test_in_train:
        return (
            f"SPEAKER-DEPENDENT: {_heard(speaker.test_in_train, speaker.test, 'test')} heard in training; "
            "these numbers say nothing about new speakers"
        )
    if recordings:
        return (
            f"LEAKING: training has {_many(recordings, 'test recording')} as well; "
            "these numbers say nothing about new recordings"
        )
    if unnamed:
        return f"UNPROVEN: {_many(unnamed, 'utterance')} without a speaker, so test speakers may be heard in training"
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
        f"speaker-independent: no test speaker is heard in training ({_many(folds, 'fold')}, "
        f"{_many(speaker.test, 'test speaker')})"
    )


def _broken(protocol: Protocol | None, overlaps: Mapping[str, Overlap], unnamed: int) -> tuple[str, ...]:
    """What the folds claim and do not hold. That their parts are different recordings, all folds claim."""
    broken = _shared(overlaps, "utterance", "the parts of a fold must be disjoint")
    # An utterance in two parts is a recording in two parts as well: say it once.
    broken += [] if broken else _shared(overlaps, "recording", "no recording may be in two parts of a fold")
    if protocol and protocol.speaker_independent:
        claim = f"{protocol.name} promises unheard speakers"
        broken += _shared(overlaps, "speaker", claim)
        if unnamed:
            broken.append(f"{_many(unnamed, 'utterance')} of the folds have no speaker, but {claim}")
    if protocol and protocol.keeps_apart and not (protocol.speaker_independent and protocol.keeps_apart == "speaker"):
        column = protocol.keeps_apart
        claim = f"{protocol.name} promises to keep each {column} out of train that dev or test has"
        if column in overlaps:
            broken += _shared(overlaps, column, claim, within=("train",))
        else:
            broken.append(f'the corpus has no column "{column}", but {claim}')
    return tuple(broken)


def _shared(
    overlaps: Mapping[str, Overlap], column: str, claim: str, within: Sequence[str] = ("train", "dev")
) -> list[str]:
    """A sentence for each pair of parts that share values of a column."""
    if column not in overlaps:
        return []
    overlap = overlaps[column]
    pairs = (
        ("test", "train", overlap.test_in_train),
        ("test", "dev", overlap.test_in_dev),
        ("dev", "train", overlap.dev_in_train),
    )
    return [
        f"{_many(count, column)} of {one} in {other} of the same fold, but {claim}"
        for one, other, count in pairs
        if count and other in within
    ]


def _warnings(folds: Sequence[FoldAudit], overlaps: Mapping[str, Overlap]) -> tuple[str, ...]:
    sentences = [
        f'fold "{fold.name}" tests {", ".join(fold.untrained)}, of which its training part has no utterance'
        for fold in folds
        if fold.untrained
    ]
    for column in ("session", "text"):
        if column in overlaps and (count := overlaps[column].test_in_train):
            sentences.append(f"{count:,} of {_many(overlaps[column].test, f'test {column}')} in training too")
    return tuple(sentences)


def _heard(count: int, of: int, part: str) -> str:
    return f"{count:,} of {_many(of, f'{part} speaker')} {'is' if count == 1 else 'are'}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
