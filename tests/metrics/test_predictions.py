import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, recall_score

from unheard.errors import InputError
from unheard.metrics.predictions import class_recalls, grouped_counts, scores, spread_over

CLASSES = ["angry", "happy", "neutral", "sad"]


@pytest.fixture
def table():
    random = np.random.default_rng(0)
    size, seeds = 120, 3
    utterances = pd.DataFrame(
        {
            "id": [f"u{number}" for number in range(size)],
            "speaker": [f"s{number % 6}" for number in range(size)],
            "gender": ["female" if number % 2 else "male" for number in range(size)],
            "fold": [number % 6 // 2 for number in range(size)],
            "emotion": random.choice(CLASSES, size, p=[0.4, 0.3, 0.2, 0.1]),
        }
    )
    runs = [utterances.assign(seed=seed) for seed in range(seeds)]
    whole = pd.concat(runs, ignore_index=True)
    guess = random.choice(CLASSES, len(whole))
    return whole.assign(predicted=np.where(random.random(len(whole)) < 0.5, whole["emotion"], guess))


def test_scikit_learn_agrees_in_every_slice(table):
    for by in (["seed"], ["seed", "fold"], ["seed", "speaker"], ["gender"]):
        found = scores(table, *by).set_index(by)
        for key, part in table.groupby(by):
            row = found.loc[key if len(by) > 1 else key[0]]
            present = sorted(part["emotion"].unique())
            assert row["n"] == len(part)
            assert row["wa"] == pytest.approx((part["emotion"] == part["predicted"]).mean())
            expected = recall_score(part["emotion"], part["predicted"], labels=present, average="macro")
            assert row["ua"] == pytest.approx(expected)
            expected = f1_score(part["emotion"], part["predicted"], labels=present, average="macro", zero_division=0)
            assert row["f1"] == pytest.approx(expected)


def test_pooled_over_folds_and_spread_over_seeds(table):
    found = spread_over(scores(table, "seed"), "seed").iloc[0]
    each = [balanced_accuracy_score(part["emotion"], part["predicted"]) for _, part in table.groupby("seed")]
    assert found["repeats"] == 3
    assert (found["ua"], found["ua_sd"]) == (pytest.approx(np.mean(each)), pytest.approx(np.std(each)))


def test_fold_mean_per_seed(table):
    found = spread_over(scores(table, "seed", "fold"), "fold").set_index("seed")
    assert found["repeats"].tolist() == [3, 3, 3]
    part = scores(table[table["seed"] == 1], "fold")
    assert (found.loc[1, "wa"], found.loc[1, "wa_sd"]) == (
        pytest.approx(part["wa"].mean()),
        pytest.approx(part["wa"].std(ddof=0)),
    )


def test_class_recalls_mean_is_ua(table):
    found = class_recalls(table, "seed")
    assert found.groupby("seed")["recall"].mean().tolist() == pytest.approx(scores(table, "seed")["ua"].tolist())
    averaged = spread_over(found, "seed")
    assert averaged["emotion"].tolist() == CLASSES
    assert averaged["recall"].mean() == pytest.approx(scores(table, "seed")["ua"].mean())


def test_a_class_that_a_slice_lacks_has_no_recall_there():
    table = pd.DataFrame({"speaker": ["a", "b"], "emotion": ["sad", "angry"], "predicted": ["angry", "angry"]})
    assert class_recalls(table, "speaker").to_numpy().tolist() == [["a", "sad", 1, 0.0], ["b", "angry", 1, 1.0]]


def test_rows_without_a_value_are_in_no_slice(table):
    table.loc[table["speaker"] == "s0", "gender"] = None
    assert scores(table, "gender")["n"].sum() == (table["speaker"] != "s0").sum()
    with pytest.raises(InputError, match="no prediction has a value in gender"):
        scores(table.assign(gender=None), "gender")


def test_counts_of_categories_hold_only_what_occurs(table):
    table["speaker"] = pd.Categorical(table["speaker"], categories=[f"s{number}" for number in range(9)])
    keys, counts = grouped_counts(table, ("speaker",), CLASSES)
    assert len(keys) == len(counts) == 6
    assert counts.sum() == len(table)


def test_wrong_tables_get_a_sentence(table):
    with pytest.raises(InputError, match='no column "predicted"'):
        scores(table.drop(columns="predicted"))
    with pytest.raises(InputError, match='no column "speakers"; did you mean "speaker"'):
        scores(table, "speakers")
    with pytest.raises(InputError, match="at least one row"):
        scores(table.iloc[:0])
    with pytest.raises(InputError, match="a label is missing"):
        scores(table.assign(predicted=None))
