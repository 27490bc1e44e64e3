"""What there is to choose from."""

from __future__ import annotations

import yaml

from trees.command import Run, refused
from unheard.corpora.mapping import mapping_names
from unheard.protocols import PROTOCOLS


def test_every_protocol_is_listed_with_its_arguments(run: Run):
    names = [line for line in run("protocols").stdout.splitlines() if not line.startswith(" ")]
    assert [name.partition(":")[0].partition("[")[0] for name in names] == list(PROTOCOLS)
    assert "speaker-folds:k" in names


def test_label_mappings_are_listed_and_shown(run: Run):
    assert [line.split()[0] for line in run("labels").stdout.splitlines()] == mapping_names()
    assert yaml.safe_load(run("labels", "four").stdout)["merge"] == {"excited": "happy"}
    assert 'did you mean "four"' in refused(run("labels", "for"))
