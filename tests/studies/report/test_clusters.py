"""The plane of ratings whose clusters are learned."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from unheard.corpora import Corpus
from unheard.corpora.mapping import LabelMapping
from unheard.studies.report.clusters import cluster_part
from unheard.studies.report.write import PARTS


def study_data(labels: str | None) -> Any:
    table = pd.DataFrame(
        {
            "audio": [f"{row}.wav" for row in range(30)],
            "speaker": [f"s{row % 3}" for row in range(30)],
            "emotion": ["angry", "happy", "sad"] * 10,
            "valence": [1.5, 4.0, 2.0] * 10,
            "activation": [1 + 4 * (row % 7) / 6 for row in range(30)],
        }
    )
    mapping = LabelMapping.load(labels) if labels else None
    corpus = Corpus.from_table(table, ".")
    learned = mapping.apply(corpus) if mapping else corpus
    plan = SimpleNamespace(labels=mapping, fold=lambda number: (learned, None))
    return SimpleNamespace(plan=plan, projected=(1, 0))


@pytest.mark.parametrize(("labels", "found"), [("clusters-3", "whole corpus"), ("clusters-5-train", "of fold 1")])
def test_the_clusters_are_drawn(labels: str, found: str) -> None:
    section = cluster_part(study_data(labels))
    assert section is not None
    last = "cluster-3" if labels == "clusters-3" else "cluster-5"
    assert "activation over valence, coloured by cluster-1, cluster-2" in section.body
    assert last in section.body
    assert "30 utterances" in section.body
    assert found in section.body
    assert cluster_part in PARTS


@pytest.mark.parametrize("labels", [None, "four-without-excited"])
def test_other_labels_have_no_plane(labels: str | None) -> None:
    assert cluster_part(study_data(labels)) is None
