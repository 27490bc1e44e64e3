from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from trees.recordings import record
from unheard.corpora.published import Flaw, prepare
from unheard.corpora.readers.nemo import EMOTIONS, NEMO, utterances
from unheard.errors import InputError

HEADER = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
#: The names of the first are those of the corpus, the rest is made up.
ACTORS = {
    "EB0": ("female", 27), "WR0": ("male", 23), "KS0": ("male", 23), "MP0": ("male", 24), "KD0": ("female", 28),
    "MK0": ("female", 23), "TP0": ("male", 26), "IC0": ("female", 28), "SM0": ("male", 24),
}  # fmt: skip


def line(name: str) -> str:
    speaker, emotion, number = name.split("_")
    gender, age = ACTORS[speaker]
    said = f"„Zdanie” {number}, cały tekst."
    return f"{name}.wav\t{emotion}\t{said}\tzdanie {number} cały tekst\t        {speaker}\t{gender}\t{age}\n"


def names() -> list[str]:
    """The published number of each class; which sentences an actor left out is made up."""
    return [
        f"{actor}_{emotion}_{number}"
        for emotion, ours in EMOTIONS.items()
        for number, actor in list(product(range(1, 91), ACTORS))[: NEMO.editions["published"][ours]]
    ]


def tree(folder: Path, labelled: list[str], recorded: list[str]) -> None:
    record(folder, [f"samples/{name}.wav" for name in recorded])
    (folder / "data.tsv").write_text(HEADER + "".join(map(line, labelled)), encoding="utf-8")


def test_the_published_corpus(tmp_path: Path):
    tree(tmp_path, names(), [*names(), "._EB0_anger_1", "noise"])
    table = prepare(NEMO, tmp_path).corpus.table.set_index("id")
    assert len(table) == 4481
    assert Counter(table["emotion"]) == NEMO.editions["published"]
    assert Counter(table.groupby("speaker")["gender"].first()) == {"female": 4, "male": 5}
    row = table.loc["WR0_surprised_64"]
    assert (row["audio"], row["speaker"], row["age"]) == ("samples/WR0_surprised_64.wav", "nemo_WR0", 23)
    assert (row["emotion"], row["text"], row["language"]) == ("surprise", "„Zdanie” 64, cały tekst.", "pl")


def test_labels_without_recordings_and_recordings_without_labels(tmp_path: Path):
    tree(tmp_path, ["EB0_anger_1", "EB0_fear_2"], ["EB0_anger_1", "SM0_sadness_3"])
    flaws = [str(found) for found in utterances(tmp_path) if isinstance(found, Flaw)]
    assert flaws == [
        "data.tsv: EB0_fear_2 is labelled, but there is no recording of it",
        "data.tsv: the recording samples/SM0_sadness_3.wav has no label",
    ]
    with pytest.raises(InputError, match=r"data.tsv: EB0_fear_2 is labelled, .* \(1 utterances found; angry 1 instead"):
        prepare(NEMO, tmp_path)


def test_lines_that_are_not_as_published(tmp_path: Path):
    tree(tmp_path, ["EB0_anger_1"] * 2, ["EB0_anger_1"])
    with (tmp_path / "data.tsv").open("a", encoding="utf-8") as labels:
        labels.write(line("EB0_anger_2").replace("anger\t", "rage\t"))
        labels.write("EB0_anger_3.wav\tanger\n")
    flaws = [str(found) for found in utterances(tmp_path) if isinstance(found, Flaw)]
    assert flaws == [
        "data.tsv, line 3: EB0_anger_1 is labelled twice",
        "data.tsv, line 4: the emotion, gender or age of EB0_anger_2 is not as published",
        "data.tsv, line 5: the emotion, gender or age of EB0_anger_3 is not as published",
    ]


def test_a_table_of_another_form(tmp_path: Path):
    tree(tmp_path, ["EB0_anger_1"], ["EB0_anger_1"])
    labels = tmp_path / "data.tsv"
    labels.write_text(labels.read_text(encoding="utf-8"), encoding="cp1250")
    with pytest.raises(InputError, match=r"data.tsv: this is not UTF-8"):
        prepare(NEMO, tmp_path)
    labels.write_text("file_id\temotion\n")
    with pytest.raises(InputError, match=r"data.tsv: the column raw_text is missing"):
        prepare(NEMO, tmp_path)
    labels.unlink()
    with pytest.raises(InputError, match=r"no utterance of nEMO is in it; it must hold data.tsv and samples"):
        prepare(NEMO, tmp_path)
