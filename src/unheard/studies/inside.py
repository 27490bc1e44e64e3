"""What a run notes of the inside of its network: the deep feature, the attention, and what further terms tell."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unheard.corpora.vocabulary import Vocabulary
from unheard.evaluation.frames import frame_posteriors, frame_term
from unheard.evaluation.projection import keep_arrays, read_arrays
from unheard.evaluation.scatter import scatter_ratio
from unheard.files import write_atomically
from unheard.metrics.classification import unweighted_accuracy, weighted_accuracy
from unheard.training.fitted import Fitted, Inside
from unheard.training.split import Split

Array = NDArray[np.float32]

#: The files in which a run keeps the deep features, the attention, the receptive fields, and the emotion of frames.
DEEP_FEATURES, ATTENTION, RECEPTIVE_FIELDS = "deep_features.npz", "attention.csv", "receptive_fields.npz"
FRAMES = "frames.csv"
#: The group of utterances without a gender.
NO_GENDER = "no gender given"


def look_inside(fitted: Fitted, train: Split, dev: Split, test: Split, folder: Path) -> dict[str, float | None]:
    """The columns of ``results.csv`` about the inside of a network; nothing for a classical model.

    ``scatter`` and ``dev_scatter``: within-class over between-class scatter of the deep feature on test and dev.
    ``term_NAME_wa``, ``term_NAME_ua`` and the same with ``dev_``: how well each further classification term tells its
    column; None where no utterance has a value that was known in training, as with new speakers.

    Leaves ``deep_features.npz``, an array [utterances, width] for dev and for test, and ``attention.csv`` where the
    network has a tap of that name; both also for train where dev and test do not hold two genders. And
    ``receptive_fields.npz``, an array ``kernels`` [kernels, time, frequency], where the network offers them; and
    ``frames.csv``, the posteriors of every frame of one test utterance of each emotion, where a term tells them.
    """
    parts = {name: split for name, split in (("dev", dev), ("test", test)) if len(split)}
    insides = {name: inside for name, split in parts.items() if (inside := fitted.inside(split.features)) is not None}
    if not insides:
        return {}
    if _genders(*parts.values()) < 2 <= _genders(train, *parts.values()):
        learned = fitted.inside(train.features)
        assert learned is not None
        parts, insides = {"train": train, **parts}, {"train": learned, **insides}
    keep_arrays(folder / DEEP_FEATURES, {name: inside.deep for name, inside in insides.items()})
    attention = [_attention(name, inside, parts[name]) for name, inside in insides.items()]
    if attention[0] is not None:
        write_atomically(folder / ATTENTION, pd.concat(attention).to_csv(index=False, lineterminator="\n"))
    if (kernels := fitted.receptive_fields()) is not None:
        keep_arrays(folder / RECEPTIVE_FIELDS, {"kernels": kernels})
    _keep_frames(fitted, test, folder)
    columns: dict[str, float | None] = {}
    for name, prefix in (("test", ""), ("dev", "dev_")):
        inside, split = insides.get(name), parts.get(name)
        columns[f"{prefix}scatter"] = _scatter(inside, split)
        for term in insides["test"].told:
            columns |= _told(
                f"{prefix}term_{term}", None if inside is None else inside.told[term], split, fitted.vocabularies[term]
            )
    return columns


def read_deep_features(folder: Path) -> dict[str, Array]:
    """The deep features that a run kept by the part of the fold, in the order train, dev, test; empty without any."""
    return read_arrays(folder / DEEP_FEATURES)


def read_attention(folder: Path) -> pd.DataFrame | None:
    """The attention that a run kept: ``part, gender, row, mean, sd, utterances``; None where it kept none."""
    path = folder / ATTENTION
    return pd.read_csv(path, keep_default_na=False) if path.is_file() else None


def read_frames(folder: Path) -> pd.DataFrame | None:
    """The posteriors of frames that a run kept, a row for each: ``id, emotion, p_...``; None where it kept none."""
    path = folder / FRAMES
    return pd.read_csv(path, dtype={"id": "str"}, keep_default_na=False) if path.is_file() else None


def _keep_frames(fitted: Fitted, test: Split, folder: Path) -> None:
    if frame_term(fitted) is None:
        return
    emotions = test.table["emotion"].tolist()
    rows = [emotions.index(emotion) for emotion in fitted.emotions if emotion in emotions]
    found = frame_posteriors(fitted, [test.features[row] for row in rows])
    names = [f"p_{emotion}" for emotion in fitted.emotions]
    tables = [
        pd.DataFrame(frames.astype(np.float64).round(4), columns=names).assign(
            id=str(test.table["id"].iat[row]), emotion=emotions[row]
        )
        for row, frames in zip(rows, found, strict=True)
    ]
    whole = pd.concat(tables)[["id", "emotion", *names]]
    write_atomically(folder / FRAMES, whole.to_csv(index=False, lineterminator="\n"))


def _genders(*splits: Split) -> int:
    tables = [split.table["gender"] for split in splits if "gender" in split.table]
    return pd.concat(tables).nunique() if tables else 0


def _scatter(inside: Inside | None, split: Split | None) -> float | None:
    if inside is None or split is None:
        return None
    ratio = scatter_ratio(inside.deep, split.table["emotion"])
    return None if math.isnan(ratio) else ratio


def _told(prefix: str, posteriors: Array | None, split: Split | None, words: Vocabulary) -> dict[str, float | None]:
    """How often a term is right, over the utterances whose value it knows."""
    columns: dict[str, float | None] = {f"{prefix}_wa": None, f"{prefix}_ua": None}
    if posteriors is None or split is None:
        return columns
    labels = words.encode(split.table[words.column])
    known = labels >= 0
    if known.any():
        pair = labels[known], posteriors[known].argmax(axis=1)
        columns = {f"{prefix}_wa": weighted_accuracy(*pair), f"{prefix}_ua": unweighted_accuracy(*pair)}
    return columns


def _attention(part: str, inside: Inside, split: Split) -> pd.DataFrame | None:
    """Mean and deviation over the utterances of a gender, for each row of the tap, counted from 1."""
    if inside.attention is None:
        return None
    table = split.table
    genders = table["gender"].fillna(NO_GENDER) if "gender" in table else pd.Series(NO_GENDER, table.index)
    rows = []
    for gender, places in genders.groupby(genders).indices.items():
        values = inside.attention[places].astype(np.float64)
        for row, (mean, deviation) in enumerate(zip(values.mean(axis=0), values.std(axis=0), strict=True)):
            rows.append((part, gender, row + 1, round(mean, 6), round(deviation, 6), len(places)))
    return pd.DataFrame(rows, columns=["part", "gender", "row", "mean", "sd", "utterances"])
