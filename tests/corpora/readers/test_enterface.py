import shutil
from collections import Counter
from pathlib import Path

import pytest

from trees.recordings import record
from trees.videos import FRAMES, RATE, video
from unheard.corpora import CORPORA
from unheard.corpora.published import prepare
from unheard.errors import InputError

EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
UNSEGMENTED, INCOMPLETE = 6, 23


def name(subject: int, emotion: str, sentence: int) -> str:
    """The published name of a recording, with what is wrong with it."""
    said = {1: 2, 2: 1}.get(sentence, sentence) if (subject, emotion) == (2, "anger") else sentence
    prefix = {3: "s_3", 11: "s12"}.get(subject, f"s{subject}")
    typo = "avi" if (subject, emotion, sentence) == (16, "surprise", 3) else ""
    return f"subject {subject}/{emotion}/sentence {sentence}/{prefix}_{emotion[:2]}_{said}{typo}.avi"


def names() -> list[str]:
    """All 1,287 sentences of the release."""
    return [
        name(subject, emotion, sentence)
        for subject in range(1, 45)
        if subject != UNSEGMENTED
        for emotion in EMOTIONS
        for sentence in range(1, 6)
        if (subject, emotion) != (INCOMPLETE, "happiness") or sentence < 3
    ]


@pytest.fixture
def avi() -> bytes:
    return video("avi", "pcm_s16le")


def test_the_release(tmp_path: Path, avi: bytes):
    record(tmp_path / "enterface database", names(), avi)
    record(tmp_path, (f"subject {UNSEGMENTED}/{emotion}/s6_{emotion[:2]}_1.avi" for emotion in EMOTIONS), avi)
    record(tmp_path / "subject 1/anger/sentence 1", ["._s1_an_1.avi", "Thumbs.db"], b"no video")
    (tmp_path / "subject 1" / "neutral").mkdir()
    table = prepare(CORPORA["enterface"], tmp_path).corpus.table
    assert Counter(table["emotion"]) == {
        "angry": 215, "disgust": 215, "fear": 215, "happy": 212, "sad": 215, "surprise": 215,
    }  # fmt: skip
    sizes = table.groupby("speaker")["id"].count()
    assert (len(sizes), sizes["enterface_23"], sizes["enterface_11"], sizes["enterface_12"]) == (43, 27, 30, 30)
    assert "gender" not in table
    assert table["text"].nunique() == 30
    assert table["duration"].unique().tolist() == [FRAMES / RATE]

    row = table.set_index("id").loc["s11_su_4"]
    assert row["audio"] == "enterface database/subject 11/surprise/sentence 4/s12_su_4.avi"
    assert (row["speaker"], row["emotion"], row["text"]) == ("enterface_11", "surprise", "su_4")

    # The subjects of whom nothing is missing are an edition, too.
    shutil.rmtree(tmp_path / "enterface database" / "subject 23")
    assert len(prepare(CORPORA["enterface"], tmp_path).corpus) == 1260
    (tmp_path / "enterface database" / names()[0]).unlink()
    with pytest.raises(InputError, match=r"edition of eNTERFACE'05: angry 209 instead of 210; .*--partial"):
        prepare(CORPORA["enterface"], tmp_path)


def test_folders_without_spaces_and_extracted_sound(tmp_path: Path):
    record(tmp_path, ["subject-7/anger/sentence-1/s7_an_1.wav", "subject_7/fear/sentence_2/s7_fe_2.flac"])
    table = prepare(CORPORA["enterface"], tmp_path, partial=True).corpus.table
    assert sorted(table["id"]) == ["s7_an_1", "s7_fe_2"]


def test_what_is_wrong_is_one_sentence(tmp_path: Path, avi: bytes):
    record(tmp_path, [name(1, "anger", 1), name(2, "anger", 1)], avi)
    broken = name(3, "anger", 1)
    record(tmp_path, [broken], b"no video")
    with pytest.raises(InputError, match=r"s_3_an_1\.avi: this is no readable audio file \(3 utterances found"):
        prepare(CORPORA["enterface"], tmp_path)
    assert len(prepare(CORPORA["enterface"], tmp_path, partial=True).corpus) == 2

    (tmp_path / broken).unlink()
    record(tmp_path, [name(1, "anger", 1).replace(".avi", ".wav")])
    with pytest.raises(InputError, match="the utterance s1_an_1 is there twice"):
        prepare(CORPORA["enterface"], tmp_path, partial=True)


def test_another_emotion_is_one_sentence(tmp_path: Path, avi: bytes):
    record(tmp_path, [name(1, "boredom", 1)], avi)
    with pytest.raises(InputError, match='"boredom" in the name is no emotion'):
        prepare(CORPORA["enterface"], tmp_path, partial=True)
