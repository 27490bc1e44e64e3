"""Folds from somebody else's files, as they are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from unheard.audit.audit import audit
from unheard.corpora import Corpus
from unheard.corpora.exchange import Imported, import_corpus
from unheard.errors import InputError
from unheard.protocols.given import imported_folds, with_parts

NAMES = "abcdef"
parts = some.dictionaries(
    some.sampled_from(["train", "dev"]), some.lists(some.sampled_from(NAMES), min_size=1).map(tuple)
)
tests = some.lists(some.sampled_from(NAMES), min_size=1).map(tuple)
folds = some.tuples(parts, tests).map(lambda pair: pair[0] | {"test": pair[1]})


def files(folds: dict[str, dict[str, tuple[str, ...]]]) -> Imported:
    table = pd.DataFrame({"audio": list(NAMES), "emotion": ["sad", "angry"] * 3, "speaker": list("xxyyzz")})
    return Imported(Corpus.from_table(table, "."), folds, ())


def test_what_leaks_is_found_by_the_audit() -> None:
    clean = files({"1": {"train": ("a", "b"), "dev": ("c", "d"), "test": ("e", "f")}})
    found = audit(clean.corpus, folds=imported_folds(clean))
    assert found.ok
    assert found.verdict.startswith("speaker-independent")
    leaking = files({"1": {"train": ("a", "b", "e"), "test": ("e", "f")}})
    found = audit(leaking.corpus, folds=imported_folds(leaking))
    assert not found.ok
    assert found.verdict.startswith("SPEAKER-DEPENDENT")
    assert found.broken == ("1 utterance of test in train of the same fold, but the parts of a fold must be disjoint",)


def test_an_utterance_twice_in_a_part_stays_there_twice() -> None:
    (fold,) = imported_folds(files({"1": {"train": ("a", "b", "a"), "test": ("c",)}}))
    assert fold.train.tolist() == [0, 1, 0]


def test_dev_stands_in_for_a_missing_test_part() -> None:
    (fold,) = imported_folds(files({"given": {"train": ("a",), "dev": ("b",)}}))
    assert (fold.name, fold.dev.tolist(), fold.test.tolist()) == ("given (tested on dev)", [], [1])
    with pytest.raises(InputError, match='the fold "2" has no test utterance'):
        imported_folds(files({"1": {"train": ("a",), "test": ("b",)}, "2": {"train": ("a",)}}))


def test_one_unnamed_split_is_the_column_part() -> None:
    corpus = with_parts(files({"given": {"train": ("a", "b"), "test": ("c", "a")}}))
    assert corpus.table["split"].fillna("-").tolist() == ["train+test", "train", "test", "-", "-", "-"]
    assert with_parts(files({})).table.equals(files({}).corpus.table)


@given(
    given=some.just({})
    | folds.map(lambda fold: {"given": fold})
    | some.dictionaries(some.sampled_from(["1", "2", "x y"]), folds)
)
@settings(max_examples=30)
def test_a_manifest_keeps_the_parts(
    tmp_path_factory: pytest.TempPathFactory, given: dict[str, dict[str, tuple[str, ...]]]
) -> None:
    manifest: Path = tmp_path_factory.mktemp("given") / "manifest.csv"
    with_parts(files(given)).write(manifest)
    back = import_corpus(manifest).folds
    assert {fold: {part: sorted(ids) for part, ids in parts.items()} for fold, parts in back.items()} == {
        fold: {part: sorted(ids) for part, ids in parts.items()} for fold, parts in given.items()
    }
