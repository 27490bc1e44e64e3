"""The leak: how well a probe still reads the speaker, or the gender, from what the emotion is read from."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from unheard.seeds import generator

Array = NDArray[np.float32]

#: Parts of the cross-validation, and so the fewest utterances a speaker must have to be told apart from others.
PARTS = 5


@dataclass(frozen=True)
class Leak:
    """How well the speaker (or the gender) can be told, as accuracies over the same utterances.

    Attributes:
        probe: a linear probe on the tap.
        nonlinear: a small network on the tap.
        raw: the linear probe on the front end's features, see :func:`pooled`.
        raw_nonlinear: the small network on them.
        emotion: the linear probe on the emotion label alone, but not below chance: where every speaker has the same
            emotions equally often, the utterance left out is always in the minority. None where nobody has a label.
        chance: always naming the most frequent speaker (or gender).
        speakers: how many there were.
        utterances: how many were probed.
    """

    probe: float
    nonlinear: float
    raw: float
    raw_nonlinear: float
    emotion: float | None
    chance: float
    speakers: int
    utterances: int


def measure_leak(tap: Array, raw: Array, table: pd.DataFrame, column: str = "speaker", seed: int = 0) -> Leak | None:
    """Cross-validate probes for a column, all over the same five parts of the utterances.

    Values are standardised by each training part. The linear probe is a multinomial logistic regression (L2, C = 1);
    the non-linear one a network with one hidden layer of 64 tanh units and the same L2, fitted by 100 steps of L-BFGS
    from weights drawn by the seed. It is that small, and fitted like that, because so it reads what the linear probe
    reads even where each speaker has ten utterances; with early stopping or Adam it falls behind there.

    *Speaker*: parts are cut within each speaker, stratified; who has fewer than five utterances is left out. Any other
    column (*gender*): no speaker is in two parts, or else the probe would only have to know the speakers again; every
    part has speakers of each value, so there are fewer parts where fewer than five speakers share a value.

    Args:
        tap: what is probed, [utterances, width].
        raw: what it is compared with, [utterances, values].
        table: the utterances, with ``speaker``, the column, and ``emotion`` where there is one.
        column: what is to be told.
        seed: of the parts and of the small network's first weights.

    Returns:
        None where there are no two speakers with five utterances, or no two values with two speakers each.
    """
    parts = _within_speakers(table, seed) if column == "speaker" else _across_speakers(table, column, seed)
    if parts is None:
        return None
    kept = parts >= 0
    rows, parts = table[kept], parts[kept]
    classes = rows[column].to_numpy(dtype=np.str_)
    chance = float(rows[column].value_counts(normalize=True).iloc[0])
    linear = LogisticRegression(max_iter=200)
    network = MLPClassifier((64,), activation="tanh", solver="lbfgs", alpha=1.0, max_iter=100, random_state=seed)
    on_tap = _accuracies((linear, network), tap[kept], classes, parts)
    # The tap of a classical model is its features: they need not be probed twice.
    on_raw = on_tap if np.array_equal(tap, raw) else _accuracies((linear, network), raw[kept], classes, parts)
    emotion = None
    if "emotion" in rows and rows["emotion"].notna().any():
        label = pd.get_dummies(rows["emotion"]).to_numpy(dtype=np.float32)
        emotion = max(chance, *_accuracies((linear,), label, classes, parts))
    return Leak(
        probe=on_tap[0],
        nonlinear=on_tap[1],
        raw=on_raw[0],
        raw_nonlinear=on_raw[1],
        emotion=emotion,
        chance=chance,
        speakers=rows["speaker"].nunique(),
        utterances=len(rows),
    )


def pooled(features: Sequence[Array]) -> Array:
    """Mean ‖ standard deviation over time of features [time, ...] → [utterances, values].

    Where every utterance is one frame (functionals) its values stay as they are.
    """
    flat = [np.asarray(values).reshape(len(values), -1) for values in features]
    if all(len(values) == 1 for values in flat):
        return np.concatenate(flat)
    return np.stack([np.concatenate([values.mean(axis=0), values.std(axis=0)]) for values in flat])


def _within_speakers(table: pd.DataFrame, seed: int) -> NDArray[np.intp] | None:
    """The part of each utterance, −1 for one that is left out; every part has utterances of each speaker."""
    counts = table["speaker"].value_counts()
    enough = np.flatnonzero(table["speaker"].isin(counts.index[counts >= PARTS]))
    speakers = table["speaker"].iloc[enough].to_numpy(dtype=np.str_)
    if len(np.unique(speakers)) < 2:
        return None
    parts = np.full(len(table), -1)
    cut = StratifiedKFold(PARTS, shuffle=True, random_state=seed).split(enough, speakers)
    for number, (_, test) in enumerate(cut):
        parts[enough[test]] = number
    return parts


def _across_speakers(table: pd.DataFrame, column: str, seed: int) -> NDArray[np.intp] | None:
    """The part of each utterance, −1 for one that is left out; no speaker is in two, every part has each value."""
    if column not in table:
        return None
    speakers = table.dropna(subset=["speaker", column]).drop_duplicates("speaker")
    groups = [np.sort(group.to_numpy(dtype=np.str_)) for _, group in speakers.groupby(column)["speaker"]]
    fewest = min(map(len, groups), default=0)
    if len(groups) < 2 or fewest < 2:
        return None
    random = generator(seed, "parts of the leak", column)
    part = {
        speaker: number % min(PARTS, fewest)
        for group in groups
        for number, speaker in enumerate(random.permutation(group))
    }
    parts = table["speaker"].map(part).where(table[column].notna())
    return parts.fillna(-1).to_numpy(dtype=np.intp)


def _accuracies(
    probes: Sequence[Any], values: Array, classes: NDArray[np.str_], parts: NDArray[np.intp]
) -> list[float]:
    """The cross-validated accuracy of each probe in telling ``classes`` [utterances] from ``values``.

    On one thread: a run has one, the last digits depend on it, and on matrices this small more would mostly wait for
    each other.
    """
    correct = np.zeros(len(probes))
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for train, test, held_out in _turns(values, parts):
            for index, probe in enumerate(probes):
                probe.fit(train, classes[~held_out])  # anew: nothing is left of the turn before
                correct[index] += (probe.predict(test) == classes[held_out]).sum()
    return [float(share) for share in correct / len(classes)]


def _turns(values: Array, parts: NDArray[np.intp]) -> Iterator[tuple[Array, Array, NDArray[np.bool_]]]:
    """For each part, the values of the others and its own, standardised, and which utterances are its own."""
    for number in range(parts.max() + 1):
        held_out = parts == number
        scaler = StandardScaler().fit(values[~held_out])
        yield *_turned(scaler.transform(values[~held_out]), scaler.transform(values[held_out])), held_out


def _turned(train: Array, test: Array) -> tuple[Array, Array]:
    """Both on axes of the space that the training utterances span, where they have more values than there are of them.

    A probe with L2 takes nothing from what lies across that space and does not depend on the axes within it, so it
    says the same from hundreds of values instead of thousands, and much sooner.
    """
    if train.shape[1] <= len(train):
        return train, test
    sizes, axes = np.linalg.eigh(train.astype(np.float64) @ train.T)
    kept = sizes > 1e-6 * sizes[-1]
    projection = (train.T @ (axes[:, kept] / np.sqrt(sizes[kept]))).astype(np.float32)
    return train @ projection, test @ projection
