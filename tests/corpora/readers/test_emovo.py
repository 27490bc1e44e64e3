from collections import Counter
from pathlib import Path

import pytest

from trees.recordings import record
from unheard.corpora.published import prepare
from unheard.corpora.readers.emovo import EMOTIONS, EMOVO, GENDERS, SENTENCES, utterances
from unheard.errors import InputError

NAMES = [f"{who}/{how}-{who}-{what}.wav" for who in GENDERS for how in EMOTIONS for what in SENTENCES]


def test_the_published_corpus(tmp_path: Path):
    record(tmp_path, [*NAMES, "m2/._gio-m2-b1.wav", "documents/example.wav"])
    table = prepare(EMOVO, tmp_path).corpus.table.set_index("id")
    assert len(table) == 588
    assert Counter(table["emotion"]) == EMOVO.editions["published"]
    assert Counter(table.groupby("speaker")["gender"].first()) == {"female": 3, "male": 3}
    assert table["text"].nunique() == 14
    row = table.loc["gio-m2-b1"]
    assert (row["speaker"], row["gender"], row["emotion"]) == ("emovo_m2", "male", "happy")
    assert (row["text"], row["language"]) == ("Gli operai si alzano presto.", "it")


def test_missing_and_misnamed_files(tmp_path: Path):
    record(tmp_path, NAMES[:-1])
    with pytest.raises(InputError, match=r"no known edition of EMOVO: sad 83 instead of 84; .*--partial"):
        prepare(EMOVO, tmp_path)
    record(tmp_path, ["m4/gio-m4-b1.wav"])
    with pytest.raises(InputError, match=r'm4/gio-m4-b1.wav: "m4" in the name is no speaker'):
        list(utterances(tmp_path))
