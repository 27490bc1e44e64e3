"""Embeddings are kept small, laid out in the plane, and measured: by emotion or by speaker?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unheard.errors import InputError
from unheard.evaluation.projection import (
    EMBEDDINGS,
    keep_embeddings,
    project,
    read_embeddings,
    silhouette,
    standardized,
)
from unheard.seeds import generator


def groups(each: int = 20, apart: float = 8.0) -> tuple[np.ndarray, np.ndarray]:
    """Three groups of points in ten dimensions."""
    labels = np.repeat(["a", "b", "c"], each)
    centres = apart * np.eye(3, 10, dtype=np.float32)
    values = generator(0, "points").standard_normal((3 * each, 10), dtype=np.float32)
    return values + np.repeat(centres, each, axis=0), labels


def test_what_is_kept_is_read_again_to_a_thousandth(tmp_path: Path):
    values, _ = groups()
    values *= 10.0 ** np.arange(-5, 15, 2)  # from what half precision cannot hold to what it cannot reach
    keep_embeddings(tmp_path, "dev", values)
    part, again = read_embeddings(tmp_path)
    assert part == "dev"
    assert again.dtype == np.float32
    assert np.allclose(again, standardized(values), atol=2e-3)
    assert np.allclose((again.mean(axis=0), again.std(axis=0)), [[0] * 10, [1] * 10], atol=2e-3)
    assert (tmp_path / EMBEDDINGS).stat().st_size < 2 * values.size + 400


def test_a_value_that_never_changes_is_nothing():
    values = np.stack([np.full(6, 0.1), np.full(6, 3e11), np.zeros(6), np.arange(6)], axis=1).astype(np.float32)
    assert not standardized(values)[:, :3].any()
    assert standardized(values)[:, 3].std() == pytest.approx(1)


def test_a_run_without_embeddings_has_none(tmp_path: Path):
    assert read_embeddings(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 half an archive"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes):
    (tmp_path / EMBEDDINGS).write_bytes(content)
    with pytest.raises(InputError, match=r"embeddings\.npz: this file is damaged; delete it"):
        read_embeddings(tmp_path)


def test_groups_lie_apart_in_the_plane():
    values, labels = groups()
    points = project(values)
    assert points.shape == (60, 2)
    assert silhouette(points, labels) > 0.6
    assert np.array_equal(points, project(values))


@pytest.mark.parametrize("count", [5, 8])
def test_few_points_have_a_picture(count):
    assert np.isfinite(project(groups()[0][:count])).all()


@pytest.mark.parametrize(
    "values",
    [np.zeros((0, 8)), np.zeros((4, 8)) + np.eye(4, 8), np.ones((30, 8)), np.arange(30.0)[:, None]],
    ids=["none", "four", "all the same", "one value each"],
)
def test_where_there_is_nothing_to_see_there_is_no_picture(values):
    assert project(values.astype(np.float32)) is None


def test_the_silhouette_says_how_far_groups_lie_apart():
    values, labels = groups(apart=30.0)
    assert silhouette(values, labels) > 0.8
    mingled = generator(0, "others").permutation(labels)
    assert abs(silhouette(values, mingled)) < 0.1


def test_one_group_or_a_group_each_has_no_silhouette():
    values, _ = groups()
    assert np.isnan(silhouette(values, np.repeat("a", 60)))
    assert np.isnan(silhouette(values, np.arange(60).astype(str)))
