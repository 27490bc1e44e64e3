"""Speaker verification with d-vectors: is this a voice that was enrolled? Asked of speakers nobody learned from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unheard.corpora import Corpus
from unheard.files import write_atomically
from unheard.methods.classification import Classification
from unheard.metrics.verification import Verified
from unheard.protocols.trials import verification_trials
from unheard.training.fitted import Fitted, FittedNetwork
from unheard.training.split import Split

Array = NDArray[np.float32]

#: The file in which a run keeps the scores: ``utterance, speaker``, and ``cosine_SPEAKER`` for every model.
VERIFICATION = "verification.csv"
#: How many utterances enrol a speaker: as many as in Latif et al. 2022, section 6.2, where everybody has so many, and
#: otherwise few.
MANY, FEW = 20, 5
#: With so few more than enrol somebody, little is left to test by.
LEFT = 5


@dataclass(frozen=True, eq=False)
class Verification:
    """The scores of a trained network, and how it came by them.

    Attributes:
        verified: every test utterance against every model.
        utterances: the ids of the test utterances.
        enrolled: how many utterances made each model.
    """

    verified: Verified
    utterances: tuple[str, ...]
    enrolled: int


def speaker_term(fitted: Fitted) -> str | None:
    """The term whose last hidden layer is the d-vector: the first that learns to tell speakers; None without any.

    One whose gradient is reversed makes the network unlearn them, and its hidden layer is no description of a voice.
    """
    if not isinstance(fitted, FittedNetwork):
        return None
    for name in fitted.model.terms:
        term = fitted.model.term(name)
        if isinstance(term, Classification) and term.column == "speaker" and not term.reverse and term.weight > 0:
            return name
    return None


def verify(fitted: Fitted, split: Split, enrol: int | None = None, seed: int = 0) -> Verification | None:
    """Enrol every speaker, and set all other utterances against all models (Latif et al. 2022, section 6.2).

    An utterance's d-vector is the last hidden layer of the speaker term, mean over the pieces; a model is the mean of
    those that enrol, and a score the cosine of both.

    Args:
        fitted: a trained recipe.
        split: utterances of speakers that it has not learned from; an id occurs once.
        enrol: how many utterances enrol; who has no more is left out. By default 20 where everybody who has more than 5
            has 25, and otherwise 5.
        seed: of the draw of those that enrol.

    Returns:
        None where no term learns speakers, or no two of them can be enrolled and tested.
    """
    term = speaker_term(fitted)
    number = enrolled(split.table["speaker"], enrol)
    if term is None or number is None:
        return None
    assert isinstance(fitted, FittedNetwork)
    rows = split.table[["id", "speaker"]]
    made = verification_trials(Corpus.from_table(rows.assign(audio=rows["id"]), "."), number, seed)
    vectors = pd.DataFrame(fitted.hidden(split.features, term), index=pd.Index(rows["id"])).astype("float64")
    models = vectors.loc[made.enrolment["utterance"]].groupby(made.enrolment["model"].to_numpy()).mean()
    tested = pd.Index(made.trials["utterance"].cat.categories)
    speakers = pd.Index(models.index)
    owners = speakers.get_indexer(pd.Index(rows.set_index("id")["speaker"].loc[tested]))
    scores = cosines(vectors.loc[tested].to_numpy(), models.to_numpy())
    return Verification(Verified(tuple(map(str, speakers)), owners, scores), tuple(map(str, tested)), number)


def enrolled(speakers: pd.Series, wanted: int | None = None) -> int | None:
    """How many utterances enrol a speaker; None where fewer than two speakers have more than that.

    >>> enrolled(pd.Series(["a"] * 30 + ["b"] * 25 + ["c"] * 5)), enrolled(pd.Series(["a"] * 30 + ["b"] * 9))
    (20, 5)
    """
    counts = speakers.value_counts()
    number = wanted
    if number is None:
        number = MANY if (counts[counts > FEW] >= MANY + LEFT).all() else FEW
    return number if (counts > number).sum() > 1 else None


def cosines(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n, width] and [m, width] → [n, m]; 0 where a vector is nothing but zeros, as ReLU may leave it.

    >>> cosines(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[1.0, 0.0], [0.6, 0.8]])).round(2).tolist()
    [[0.6, 1.0], [0.0, 0.0]]
    """
    return _unit(one) @ _unit(other).T


def keep_verification(folder: Path, found: Verification) -> None:
    """Write ``verification.csv``: a row per test utterance, a column per model."""
    verified = found.verified
    table = pd.DataFrame(verified.scores.round(6), columns=[f"cosine_{name}" for name in verified.speakers])
    table.insert(0, "speaker", [verified.speakers[owner] for owner in verified.owners])
    table.insert(0, "utterance", list(found.utterances))
    write_atomically(folder / VERIFICATION, table.to_csv(index=False, lineterminator="\n"))


def read_verification(folder: Path) -> Verified | None:
    """The scores that a run kept; None where it kept none."""
    path = folder / VERIFICATION
    if not path.is_file():
        return None
    table = pd.read_csv(path, dtype={"utterance": "str", "speaker": "str"}, keep_default_na=False)
    scores = table.drop(columns=["utterance", "speaker"])
    speakers = pd.Index([column.removeprefix("cosine_") for column in scores.columns])
    return Verified(tuple(speakers), speakers.get_indexer(pd.Index(table["speaker"])), scores.to_numpy())


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)
