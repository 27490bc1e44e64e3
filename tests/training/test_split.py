import numpy as np
import pandas as pd

from unheard.corpora import Corpus
from unheard.training.split import Split


def corpus() -> tuple[Corpus, list[np.ndarray]]:
    table = pd.DataFrame({"audio": list("abcd"), "speaker": ["s", "t", "s", "t"]})
    return Corpus.from_table(table, "."), [np.full((row + 1, 2), row, dtype=np.float32) for row in range(4)]


def test_rows_and_features_stay_together():
    split = Split.of(*corpus(), rows=np.array([3, 1]))
    assert len(split) == 2
    assert split.table["id"].tolist() == ["d", "b"]
    assert split.table.index.tolist() == [0, 1]
    assert [values[0, 0] for values in split.features] == [3, 1]


def test_two_parts_are_joined_in_their_order():
    joined = Split.of(*corpus(), rows=[2]).joined(Split.of(*corpus(), rows=[0, 3]))
    assert joined.table["id"].tolist() == ["c", "a", "d"]
    assert joined.table.index.tolist() == [0, 1, 2]
    assert [len(values) for values in joined.features] == [3, 1, 4]
    empty = Split.of(*corpus(), rows=[])
    assert len(empty) == 0
    assert joined.joined(empty).table["id"].tolist() == ["c", "a", "d"]
