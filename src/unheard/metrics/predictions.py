"""Scores of a table of predictions: one row per utterance, fold and seed, as a run's ``predictions.csv`` holds them.

The columns are ``emotion`` (the reference), ``predicted``, and whatever a report slices by: ``seed``, ``fold``,
``speaker``, ``gender``, … A column ``weight`` says how much a row counts; without it all count alike. What a report
shows comes from three calls:

* pooled over folds, mean ± sd over seeds: ``spread_over(scores(table, "seed"), "seed")``;
* fold mean ± sd, per seed: ``spread_over(scores(table, "seed", "fold"), "fold")``;
* per speaker, gender or class: ``spread_over(scores(table, "seed", "speaker"), "seed")``,
  ``spread_over(class_recalls(table, "seed"), "seed")``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from unheard.errors import InputError, did_you_mean
from unheard.metrics import counts as of_counts
from unheard.metrics.classification import classes_of, confusion
from unheard.metrics.counts import Counts

SCORES = ("wa", "ua", "f1", "recall")


def scores(table: pd.DataFrame, *by: str) -> pd.DataFrame:
    """WA, UA and macro F1 of all rows, or of each combination of the columns ``by``.

    Returns:
        the columns ``by``, then ``n`` (number of predictions), ``wa``, ``ua``, ``f1``, in the order of the values. Rows
        without a value in a column of ``by`` (no gender, say) are left out.

    >>> table = pd.DataFrame({"seed": [0, 0, 0, 1], "emotion": ["sad", "sad", "angry", "sad"],
    ...                       "predicted": ["sad", "angry", "angry", "sad"]})
    >>> scores(table, "seed")[["seed", "n", "ua"]].to_numpy().tolist()
    [[0.0, 3.0, 0.75], [1.0, 1.0, 1.0]]
    """
    keys, counts = grouped_counts(table, by, _classes(table))
    return keys.assign(
        n=counts.sum(axis=(1, 2)),
        wa=of_counts.accuracy(counts),
        ua=of_counts.mean_recall(counts),
        f1=of_counts.mean_f1(counts),
    )


def class_recalls(table: pd.DataFrame, *by: str) -> pd.DataFrame:
    """The recall of every class that occurs, in all rows or in each combination of the columns ``by``.

    Returns:
        the columns ``by``, then ``emotion``, ``n`` (its utterances) and ``recall``.

    >>> table = pd.DataFrame({"emotion": ["sad", "sad", "angry"], "predicted": ["sad", "happy", "angry"]})
    >>> class_recalls(table).to_numpy().tolist()
    [['angry', 1, 1.0], ['sad', 2, 0.5]]
    """
    classes = _classes(table)
    keys, counts = grouped_counts(table, by, classes)
    rows = keys.loc[keys.index.repeat(len(classes))].reset_index(drop=True)
    rows["emotion"] = classes * len(keys)
    rows["n"] = counts.sum(axis=2).ravel()
    rows["recall"] = of_counts.recalls(counts).ravel()
    return rows[rows["n"] > 0].reset_index(drop=True)


def spread_over(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean and population standard deviation (ddof 0) of scores over one of their columns (``seed``, ``fold``).

    Args:
        table: what :func:`scores` or :func:`class_recalls` returns.
        column: what to average over; the other columns stay apart.

    Returns:
        the other columns, then ``repeats`` (how many were averaged) and ``wa, wa_sd, ua, ua_sd, f1, f1_sd`` or
        ``recall, recall_sd``; one row where no other column is left.

    >>> table = pd.DataFrame({"seed": [0, 1], "n": [9, 9], "wa": [0.5, 0.7], "ua": [0.4, 0.4], "f1": [0.3, 0.5]})
    >>> spread_over(table, "seed").round(3).to_dict("records")
    [{'repeats': 2, 'wa': 0.6, 'wa_sd': 0.1, 'ua': 0.4, 'ua_sd': 0.0, 'f1': 0.4, 'f1_sd': 0.1}]
    """
    measured = [name for name in SCORES if name in table]
    others = [name for name in table.columns if name not in (*measured, "n", column)]
    groups = table.groupby(others if others else np.zeros(len(table), dtype=int), sort=True, observed=True)
    columns: dict[str, pd.Series] = {"repeats": groups.size()}
    for name in measured:
        columns |= {name: groups[name].mean(), f"{name}_sd": groups[name].std(ddof=0)}
    return pd.DataFrame(columns).reset_index(drop=not others)


def grouped_counts(table: pd.DataFrame, by: Sequence[str], classes: Sequence[str]) -> tuple[pd.DataFrame, Counts]:
    """The confusion counts of each combination of the columns ``by``.

    Returns:
        the combinations (one row each, sorted), and their counts [combinations, classes, classes]. Without ``by`` there
        is one combination, of all rows.
    """
    require(table, ("emotion", "predicted", *by))
    table = table.dropna(subset=list(by)) if by else table
    if not by:
        return pd.DataFrame(index=[0]), confusion(table["emotion"], table["predicted"], classes)[None]
    if table.empty:
        raise InputError(f"no prediction has a value in {' and '.join(by)}; fill the columns or do not slice by them")
    groups = table.groupby(list(by), sort=True, observed=True)
    keys = groups.size().reset_index()[list(by)]
    size = len(classes)
    # One matrix over (group, class) pairs: each row is a group's counts.
    true = pd.Index(classes).get_indexer(pd.Index(table["emotion"]))
    taken = pd.Index(classes).get_indexer(pd.Index(table["predicted"]))
    cells = (groups.ngroup().to_numpy() * size + true) * size + taken
    weight = table["weight"].to_numpy() if "weight" in table else None
    return keys, np.bincount(cells, weight, minlength=len(keys) * size * size).reshape(-1, size, size)


def require(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """See that a table of predictions has these columns.

    Raises:
        InputError: a column is missing, or there is no row.
    """
    for column in columns:
        if column not in table:
            raise InputError(
                f'the predictions have no column "{column}"; {did_you_mean(column, map(str, table.columns))}'
            )
    if table.empty:
        raise InputError("there is no prediction in the table; at least one row is needed")


def _classes(table: pd.DataFrame) -> list[str]:
    require(table, ("emotion", "predicted"))
    return classes_of(table["emotion"], table["predicted"])
