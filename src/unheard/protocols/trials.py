"""Trial lists of speaker verification: who is enrolled with what, and which utterance is tested against whom."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from unheard.corpora.corpus import Corpus
from unheard.errors import InputError
from unheard.seeds import generator

#: The columns of each table.
COLUMNS = {
    "trials": ("utterance", "model", "target"),
    "enrolment": ("model", "utterance"),
    "left_out": ("speaker", "utterances"),
}
NUMBERS = {"target": "bool", "utterances": "int64"}


@dataclass(frozen=True, eq=False)
class Trials:
    """Who is enrolled and what is tested. A model is named after its speaker, an utterance is its ``id``.

    Attributes:
        trials: ``utterance``, ``model`` and ``target`` (whether the utterance is the model's speaker's), a row for
            each pair of a test utterance and a model; texts are categories, since there are many rows.
        enrolment: ``model`` and ``utterance``, a row for each enrolled utterance.
        left_out: ``speaker`` and ``utterances`` (how many there are) of speakers with too few utterances.
    """

    trials: pd.DataFrame
    enrolment: pd.DataFrame
    left_out: pd.DataFrame

    def write(self, folder: str | Path) -> None:
        """Write ``trials.csv``, ``enrolment.csv`` and ``left_out.csv``; nobody ever finds half of one."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for field in fields(self):
            unfinished = folder / f"unfinished-{field.name}.csv"
            getattr(self, field.name).to_csv(unfinished, index=False, lineterminator="\n")
            os.replace(unfinished, folder / f"{field.name}.csv")

    @classmethod
    def read(cls, folder: str | Path) -> Trials:
        """What :meth:`write` wrote.

        Raises:
            InputError: a file is missing, or its columns are others.
        """
        return cls(**{table: _read(Path(folder) / f"{table}.csv", columns) for table, columns in COLUMNS.items()})


def verification_trials(corpus: Corpus, enrol: int = 20, seed: int = 0) -> Trials:
    """``enrol`` utterances of each speaker, drawn by the seed, make a model; all others are tested against every model.

    latif2022 (section 6.2) enrols with 20 utterances. The draw of a speaker does not depend on who else is there.
    Emotions are not needed. Who has no utterance left to be tested is left out, and named in ``left_out``.

    Raises:
        InputError: ``enrol`` is less than 1, or fewer than two speakers have more utterances than that.
    """
    if enrol < 1:
        raise InputError(f"a speaker cannot be enrolled with {enrol} utterances; take 1 or more")
    known = corpus.table.loc[corpus.column("speaker").notna(), ["id", "speaker"]]
    counts = known["speaker"].value_counts().sort_index()
    models = counts.index[counts > enrol]
    if len(models) < 2:
        raise InputError(
            f"{corpus.source}: verification with {enrol} enrolled utterances needs two speakers with at least "
            f"{enrol + 1} utterances, and there {'is 1' if len(models) else 'is none'}; enrol with fewer"
        )
    enrolled, tested, owner = [], [], []
    for model, (speaker, ids) in enumerate(known[known["speaker"].isin(models)].groupby("speaker")["id"]):
        drawn = generator(seed, "verification trials", speaker).permutation(np.sort(ids.to_numpy(dtype=object)))
        enrolled.append(np.sort(drawn[:enrol]))
        tested.append(np.sort(drawn[enrol:]))
        owner.append(np.full(len(drawn) - enrol, model))
    utterances, owners, number = np.concatenate(tested), np.concatenate(owner), len(models)
    against = np.tile(np.arange(number), len(utterances))
    trials = {
        "utterance": pd.Categorical.from_codes(np.repeat(np.arange(len(utterances)), number), pd.Index(utterances)),
        "model": pd.Categorical.from_codes(against, models),
        "target": np.repeat(owners, number) == against,
    }
    enrolment = {"model": np.repeat(models, enrol), "utterance": np.concatenate(enrolled)}
    few = counts[counts <= enrol]
    return Trials(
        pd.DataFrame(trials),
        pd.DataFrame(enrolment, dtype="str"),
        pd.DataFrame({"speaker": few.index.astype("str"), "utterances": few.to_numpy(dtype=np.int64)}),
    )


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    text = "category" if "target" in columns else "str"
    try:
        table = pd.read_csv(path, dtype={name: NUMBERS.get(name, text) for name in columns}, keep_default_na=False)
    except (OSError, ValueError) as problem:
        raise InputError(
            f"{path}: this is not a readable list of trials ({str(problem).splitlines()[0]}); write it with "
            "Trials.write"
        ) from problem
    if tuple(table.columns) != columns:
        raise InputError(f"{path}: the columns of this file must be {', '.join(columns)}; write it with Trials.write")
    return table
