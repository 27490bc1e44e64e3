from collections import Counter
from pathlib import Path

import pytest

from trees.recordings import record
from unheard.corpora.published import prepare
from unheard.corpora.readers.tess import EMOTIONS, TESS, utterances
from unheard.errors import InputError

#: 200 words, invented but for the first two.
WORDS = ["back", "bite", *(f"word{first}{second}" for first in "abcdefghijklmnopqr" for second in "abcdefghijk")]


def names() -> list[str]:
    every = [f"{speaker}_{word}_{emotion}" for speaker in ("OAF", "YAF") for word in WORDS for emotion in EMOTIONS]
    return ["OA_bite_neutral" if name == "OAF_bite_neutral" else name for name in every]


@pytest.mark.parametrize("folders", [False, True])
def test_the_published_corpus_with_and_without_folders(tmp_path: Path, folders: bool):
    files = [f"{name[:3]}_{name.rpartition('_')[2]}/{name}.wav" if folders else f"{name}.wav" for name in names()]
    record(tmp_path, [*files, "._YAF_back_ps.wav", "music.wav"])
    table = prepare(TESS, tmp_path).corpus.table.set_index("id")
    assert len(table) == 2800
    assert Counter(table["emotion"]) == TESS.editions["published"]
    assert Counter(table["speaker"]) == {"tess_OAF": 1400, "tess_YAF": 1400}
    assert (set(table["gender"]), table["text"].nunique()) == ({"female"}, 200)
    misnamed = table.loc["OAF_bite_neutral"]
    assert misnamed["audio"].endswith("OA_bite_neutral.wav")
    assert (misnamed["speaker"], misnamed["age"], misnamed["text"]) == ("tess_OAF", 64, "Say the word bite")
    assert table.loc["YAF_back_ps", ["emotion", "age"]].tolist() == ["surprise", 26]


def test_a_copy_in_the_copy_is_named(tmp_path: Path):
    record(tmp_path, [f"{outer}YAF_fear/YAF_{word}_fear.wav" for outer in ("", "TESS/") for word in WORDS])
    with pytest.raises(InputError, match=r"YAF_back_fear is there twice, as .*; point at the folder of one copy"):
        prepare(TESS, tmp_path)


def test_missing_and_misnamed_files(tmp_path: Path):
    record(tmp_path, [f"{name}.wav" for name in names()[1:]])
    with pytest.raises(InputError, match=r"no known edition of TESS .*: angry 399 instead of 400; .*--partial"):
        prepare(TESS, tmp_path)
    record(tmp_path, ["OAF_back_joy.wav"])
    with pytest.raises(InputError, match='"joy" in the name is no emotion'):
        list(utterances(tmp_path))
