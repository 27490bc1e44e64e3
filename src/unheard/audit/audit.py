"""The audit: what can be proved about a corpus and its folds before any training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from unheard.audit.findings import AuxiliaryAudit, broken, promises, verdict, warnings
from unheard.audit.overlap import (
    ALIKE,
    IDENTICAL,
    Codes,
    FoldAudit,
    Overlap,
    audit_folds,
    codes_of,
    groups,
    shared_pairs,
)  # fmt: skip
from unheard.corpora.corpus import Corpus
from unheard.corpora.editions import Nearest
from unheard.metrics.association import Association, association
from unheard.protocols.fold import Fold, Protocol

#: The columns asked how far they alone predict the emotion.
PREDICTORS = ("speaker", "gender", "session", "text", "duration", "corpus")
#: Durations are told apart as so many equally frequent ones.
BINS = 10
#: Permutations of the test whether a column predicts the emotion: this many, or fewer where so many cells are drawn.
PERMUTATIONS, FEWEST_PERMUTATIONS, MOST_CELLS = 999, 199, 4_000_000
#: So many pairs of near-identical recordings in test and train are named.
EXAMPLES = 3


@dataclass(frozen=True)
class Audit:
    """What was found; ``ok`` is false when the folds are not what they claim.

    Attributes:
        verdict: the finding in one line.
        broken: a sentence for everything claimed that does not hold.
        warnings: sentences about what is no broken claim but changes what a number means.
        left_out: utterances in no part of any fold.
        emotions: utterances of each emotion in the whole corpus.
        published: by published corpus the nearest of its editions.
        associations: how far a column alone predicts the emotion of the utterances in the folds, by column.
        overlaps: what is shared over all folds, by column; a column that the corpus lacks is not in it.
        alike: ids of the utterances of each recording that is there more than once, in the whole corpus; None where
            the corpus has neither digests nor likeness.
        heard: whether near-identical recordings were looked for, or identical files only.
        unread: utterances that were not compared because their audio could not be read.
        auxiliary: what further training data shares with the test parts.
    """

    corpus: str
    synthetic: bool
    protocol: str | None
    seed: int
    utterances: int
    speakers: int
    emotions: Mapping[str, int]
    published: Mapping[str, Nearest]
    associations: Mapping[str, Association]
    folds: tuple[FoldAudit, ...]
    overlaps: Mapping[str, Overlap]
    alike: tuple[tuple[str, ...], ...] | None
    heard: bool
    unread: int
    auxiliary: AuxiliaryAudit | None
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
    published: Mapping[str, Nearest] | None = None,
    apart: Mapping[str, tuple[str, ...]] | None = None,
    auxiliary: Corpus | None = None,
) -> Audit:
    """What a corpus and its folds prove and what they leak. It reads no audio.

    Identical recordings are found by the column ``digest`` (:meth:`Corpus.with_digests`), near-identical ones by the
    column ``likeness`` (:func:`unheard.audit.likeness.with_likeness`), where there are such columns.

    Args:
        corpus: the utterances.
        protocol: what the folds promise; it also cuts them where ``folds`` are not given.
        folds: the folds, for instance from somebody's split files.
        seed: of the protocol's draws and of the permutation tests.
        published: by published corpus its nearest edition, see :func:`unheard.corpora.published.editions_found`.
        apart: what the folds are said to keep apart beside what the protocol promises, as :attr:`Protocol.apart`.
        auxiliary: further training data, with ``likeness`` from the same call as the corpus's.

    Raises:
        InputError: the protocol cannot cut this corpus.
    """
    if folds is None:
        folds = protocol.folds(corpus, seed) if protocol else []
    promised = promises(protocol, apart) if folds else ()
    codes = codes_of(corpus, [promise.column for promise in promised])
    used, tested = np.zeros((2, len(corpus)), dtype=bool)
    for fold in folds:
        tested[fold.test] = used[fold.test] = used[fold.train] = used[fold.dev] = True
    each, overlaps = audit_folds(corpus, folds, codes)
    speaker = codes.get("speaker")
    unnamed = int(used.sum() if speaker is None else (speaker[used] < 0).sum())
    further = _auxiliary(corpus.take(np.flatnonzero(tested)), auxiliary) if auxiliary is not None else None
    table = corpus.table
    alike = codes.get(ALIKE, codes.get(IDENTICAL))
    return Audit(
        corpus=corpus.name,
        synthetic=corpus.synthetic,
        protocol=protocol.name if protocol else None,
        seed=seed,
        utterances=len(corpus),
        speakers=0 if speaker is None else int(speaker.max()) + 1,
        emotions=_emotions(table),
        published=dict(published or {}),
        associations=_associations(table[used] if folds else table, seed),
        folds=each,
        overlaps=overlaps,
        alike=None if alike is None else groups(alike, table["id"]),
        heard="likeness" in table,
        unread=int(table["likeness"].isna().sum()) if "likeness" in table else 0,
        auxiliary=further,
        left_out=len(corpus) - int(used.sum()) if folds else 0,
        verdict=verdict(overlaps, len(each), unnamed, further),
        broken=broken(promised, each, overlaps, unnamed, further) if folds else (),
        warnings=warnings(promised, each, overlaps, _examples(corpus, folds, codes, overlaps), further),
    )


def _emotions(table: pd.DataFrame) -> dict[str, int]:
    counts = table["emotion"].value_counts() if "emotion" in table else pd.Series(dtype="int64")
    return {str(emotion): int(count) for emotion, count in counts.sort_index().items()}


def _examples(
    corpus: Corpus, folds: Sequence[Fold], codes: Mapping[str, Codes], overlaps: Mapping[str, Overlap]
) -> list[tuple[str, str]]:
    """Ids of near-identical recordings in test and in train of a fold."""
    if ALIKE not in overlaps or not overlaps[ALIKE].test_in_train:
        return []
    ids = corpus.table["id"].astype("str").tolist()
    pairs = [(ids[one], ids[other]) for one, other in shared_pairs(folds, codes[ALIKE], EXAMPLES)]
    return [(one, other) for one, other in pairs if one != other]  # an utterance in two parts is said elsewhere


def _auxiliary(test: Corpus, auxiliary: Corpus) -> AuxiliaryAudit:
    """What these test utterances share with the auxiliary data."""
    table, further = test.table, auxiliary.table

    def among(*columns: str) -> int:
        """How many values of test (combinations of those columns that both have) the auxiliary data has too."""
        both = [column for column in columns if column in table and column in further]
        if columns[0] not in both:
            return 0
        values, others = (t.loc[t[columns[0]].notna(), both].drop_duplicates() for t in (table, further))
        return len(values.merge(others, on=both))

    return AuxiliaryAudit(
        corpus=auxiliary.name,
        utterances=len(auxiliary),
        speakers=int(further["speaker"].nunique()) if "speaker" in further else 0,
        unnamed=int(further["speaker"].isna().sum()) if "speaker" in further else len(auxiliary),
        test_speakers=among("speaker"),
        test_recordings=among("digest", "start", "end"),
        alike_recordings=among("likeness"),
    )


def _associations(table: pd.DataFrame, seed: int) -> dict[str, Association]:
    """How far each column that has several values predicts the emotion."""
    found: dict[str, Association] = {}
    for column in PREDICTORS:
        if column not in table or "emotion" not in table:
            continue
        both = table.loc[table[column].notna() & table["emotion"].notna(), [column, "emotion"]]
        values = _binned(both[column]) if column == "duration" else both[column]
        if min(values.nunique(), both["emotion"].nunique()) < 2:
            continue
        cells = values.nunique() * both["emotion"].nunique()
        permutations = min(PERMUTATIONS, max(FEWEST_PERMUTATIONS, MOST_CELLS // cells))
        found[column] = association(values, both["emotion"], permutations=permutations, seed=seed)
    return found


def _binned(numbers: pd.Series) -> pd.Series:
    """Numbers as ten equally frequent bins; as they are where there are no more than ten different ones."""
    return numbers if numbers.nunique() <= BINS else pd.qcut(numbers, BINS, labels=False, duplicates="drop")
