"""The leak: how well a probe still reads the speaker from what the emotion is read from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from unheard.metrics.association import left_out_accuracy

#: Parts of the cross-validation over utterances, and so the fewest utterances a speaker must have to take part.
PARTS = 5


@dataclass(frozen=True)
class Leak:
    """How well the speaker can be told, as accuracies over the same utterances.

    Attributes:
        probe: a linear probe on the tap.
        raw: the same probe on mean ‖ standard deviation over time of the front end's features.
        emotion: guessing the speaker from the emotion label alone.
        chance: always guessing the speaker with most utterances.
        speakers: how many were told apart.
        utterances: how many were probed.
    """

    probe: float
    raw: float
    emotion: float
    chance: float
    speakers: int
    utterances: int


def measure_leak(
    tap: NDArray[np.float32], features: Sequence[NDArray[np.float32]], table: pd.DataFrame, seed: int = 0
) -> Leak | None:
    """Cross-validate a speaker probe over utterances.

    The probe is a multinomial logistic regression on standardised values (L2, C = 1), five-fold over utterances,
    stratified by speaker; speakers with fewer than five utterances are left out.

    Args:
        tap: [utterances, width], what is probed.
        features: the fixed features [time, ...] of the same utterances.
        table: their rows, with ``speaker`` and ``emotion``.
        seed: of the cut into five.

    Returns:
        None where fewer than two speakers have five utterances.
    """
    counts = table["speaker"].value_counts()
    enough = table["speaker"].isin(counts.index[counts >= PARTS]).to_numpy()
    speakers = table["speaker"][enough].to_numpy(dtype=np.str_)
    names, sizes = np.unique(speakers, return_counts=True)
    if len(names) < 2:
        return None
    raw = np.stack([_pooled(values) for values, kept in zip(features, enough, strict=True) if kept])
    return Leak(
        probe=probe_accuracy(tap[enough], speakers, seed),
        raw=probe_accuracy(raw, speakers, seed),
        emotion=left_out_accuracy(table["emotion"][enough], table["speaker"][enough]),
        chance=float(sizes.max() / sizes.sum()),
        speakers=len(names),
        utterances=int(enough.sum()),
    )


def probe_accuracy(values: NDArray[np.float32], classes: NDArray[np.str_], seed: int = 0) -> float:
    """Cross-validated accuracy of telling ``classes`` [utterances] from ``values`` [utterances, width]."""
    parts = StratifiedKFold(PARTS, shuffle=True, random_state=seed)
    correct = 0
    for train, test in parts.split(values, classes):
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            probe.fit(values[train], classes[train])
        correct += int((probe.predict(values[test]) == classes[test]).sum())
    return correct / len(classes)


def _pooled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean ‖ standard deviation over time; a single frame stays as it is."""
    flat = np.asarray(values).reshape(len(values), -1)
    return flat[0] if len(flat) == 1 else np.concatenate([flat.mean(axis=0), flat.std(axis=0)])
