"""What a run notes of the inside of its network, against a network whose inside is made up."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unheard.corpora.vocabulary import Vocabulary
from unheard.evaluation.scatter import scatter_ratio
from unheard.studies.inside import ATTENTION, DEEP_FEATURES, look_inside, read_attention, read_deep_features
from unheard.training.fitted import Inside
from unheard.training.split import Split


@dataclass
class MadeUp:
    """Its deep feature is the features' first frame; the term ``gender`` says male where that is above 2."""

    attention: bool = False
    classical: bool = False
    vocabularies: dict[str, Vocabulary] = field(
        default_factory=lambda: {"gender": Vocabulary("gender", ("female", "male"))}
    )

    def inside(self, features):
        if self.classical:
            return None
        deep = np.concatenate(features)
        male = (deep[:, 0] > 2).astype(np.float32)
        return Inside(deep, deep / 10 if self.attention else None, {"gender": np.stack([1 - male, male], axis=1)})

    def receptive_fields(self):
        return None


def part(values: list[list[float]], genders: list[str | None], emotions: str) -> Split:
    table = pd.DataFrame({"gender": pd.Series(genders, dtype="str"), "emotion": [*emotions]})
    return Split(table, [np.array([row], np.float32) for row in values])


TRAIN = part([[0, 0], [4, 4]], ["female", "male"], "as")
DEV = part([[1, 0], [3, 0], [5, 0], [1, 2]], ["female", "female", "male", None], "asas")
TEST = part([[0, 1], [1, 1], [8, 1], [9, 1]], ["female"] * 4, "aass")
NOBODY = part([], [], "")


def test_the_columns_by_hand(tmp_path: Path):
    columns = look_inside(MadeUp(), TRAIN, DEV, TEST, tmp_path)
    assert columns == {
        "scatter": pytest.approx((0.25 * 4) / (4 * 4.0**2)),
        "dev_scatter": pytest.approx(scatter_ratio(np.concatenate(DEV.features), DEV.table["emotion"])),
        "term_gender_wa": 0.5,
        "term_gender_ua": 0.5,  # men do not occur and count in no mean
        "dev_term_gender_wa": pytest.approx(2 / 3),  # of three with a gender
        "dev_term_gender_ua": 0.75,
    }
    assert not (tmp_path / ATTENTION).exists()


def test_the_deep_features_are_kept_as_they_are(tmp_path: Path):
    look_inside(MadeUp(), TRAIN, DEV, TEST, tmp_path)
    kept = read_deep_features(tmp_path)
    assert list(kept) == ["dev", "test"]
    np.testing.assert_array_equal(kept["test"], np.concatenate(TEST.features))
    assert read_deep_features(tmp_path / "nowhere") == {}


def test_train_is_noted_too_where_the_others_hold_one_gender(tmp_path: Path):
    women = part([[1, 0], [3, 0]], ["female", "female"], "as")
    columns = look_inside(MadeUp(), TRAIN, NOBODY, women, tmp_path)
    assert columns["dev_scatter"] is columns["dev_term_gender_wa"] is None
    assert {name: values.tolist() for name, values in read_deep_features(tmp_path).items()} == {
        "train": [[0, 0], [4, 4]],
        "test": [[1, 0], [3, 0]],
    }
    look_inside(MadeUp(), women, NOBODY, women, tmp_path)  # nor does train have two
    assert list(read_deep_features(tmp_path)) == ["test"]
    look_inside(MadeUp(attention=True), TRAIN, NOBODY, women, tmp_path)
    assert {*zip(*read_attention(tmp_path)[["part", "gender"]].to_numpy().T, strict=True)} == {
        ("train", "female"), ("train", "male"), ("test", "female"),
    }  # fmt: skip


def test_what_is_not_known_from_training_has_no_score(tmp_path: Path):
    stranger = MadeUp(vocabularies={"gender": Vocabulary("gender", ("neither", "nor"))})
    columns = look_inside(stranger, TRAIN, DEV, TEST, tmp_path)
    assert columns["term_gender_wa"] is columns["dev_term_gender_ua"] is None


def test_the_attention_of_each_gender(tmp_path: Path):
    look_inside(MadeUp(attention=True), TRAIN, DEV, TEST, tmp_path)
    table = read_attention(tmp_path).set_index(["part", "gender", "row"])
    assert table.loc[("test", "female", 1)].tolist() == [pytest.approx(0.45), pytest.approx(0.403113), 4]
    assert table.loc[("dev", "female", 1)].tolist() == [pytest.approx(0.2), pytest.approx(0.1), 2]
    assert table.loc[("dev", "no gender given", 2)].tolist() == [pytest.approx(0.2), 0, 1]
    assert len(table) == 2 * (3 + 1)


def test_a_corpus_without_genders_and_a_classical_model(tmp_path: Path):
    splits = [Split(one.table.drop(columns="gender"), one.features) for one in (TRAIN, DEV, TEST)]
    network = MadeUp(attention=True, vocabularies={"gender": Vocabulary("emotion", ("a", "s"))})
    assert look_inside(network, *splits, tmp_path)["term_gender_wa"] == 1
    assert set(read_attention(tmp_path)["gender"]) == {"no gender given"}
    assert look_inside(MadeUp(classical=True), *splits, tmp_path / "none") == {}
    assert not (tmp_path / "none" / DEEP_FEATURES).exists()
