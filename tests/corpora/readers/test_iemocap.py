import json
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from trees import iemocap as tree
from unheard.corpora import CORPORA, Corpus
from unheard.corpora.published import Flaw, prepare
from unheard.errors import InputError

IEMOCAP = CORPORA["iemocap"]
TWO = ("Ses01F_impro01", "Ses03M_impro05a")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole release; a test that changes it puts it back."""
    folder = tmp_path_factory.mktemp("iemocap")
    tree.build(folder)
    return folder


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two dialogues of the release, one of them with a letter after its number."""
    tree.build(tmp_path, only=TWO)
    return tmp_path


def labels(folder: Path, dialogue: str = TWO[0]) -> Path:
    return folder / f"Session{dialogue[4]}" / "dialog" / "EmoEvaluation" / f"{dialogue}.txt"


def recordings(folder: Path, dialogue: str = TWO[0]) -> Path:
    return folder / f"Session{dialogue[4]}" / "sentences" / "wav" / dialogue


def flaws(folder: Path) -> list[str]:
    """What is wrong with a folder, apart from the sessions that are not there."""
    found = [str(found) for found in IEMOCAP.utterances(folder) if isinstance(found, Flaw)]
    return [flaw for flaw in found if not flaw.endswith("the folder is missing")]


def read(folder: Path) -> pd.DataFrame:
    return prepare(IEMOCAP, folder, partial=True).corpus.table.drop(columns="duration")


def counts(table: pd.DataFrame, *columns: str) -> dict[object, int]:
    return table.groupby(list(columns) if len(columns) > 1 else columns[0]).size().to_dict()


def levels(values: pd.Series) -> list[int]:
    return [int((values <= 2).sum()), int(((values > 2) & (values <= 3.5)).sum()), int((values > 3.5).sum())]


def test_the_whole_release_has_every_published_count(release: Path):
    start = time.process_time()  # of this process: others may be busy
    rows = list(IEMOCAP.utterances(release))
    assert time.process_time() - start < 5
    assert len(rows) == 10039
    assert not [row for row in rows if isinstance(row, Flaw)]

    table = prepare(IEMOCAP, release).corpus.table
    assert (table.pop("duration") == 0.01).all()
    expected = Corpus.from_table(tree.manifest(), release).table
    pd.testing.assert_frame_equal(table, expected[table.columns], check_dtype=False)
    assert set(table.columns) == set(expected.columns)

    assert table["dialogue"].nunique() == 151
    assert counts(table, "session") == {
        "iemocap_1": 1819, "iemocap_2": 1811, "iemocap_3": 2136, "iemocap_4": 2103, "iemocap_5": 2170,
    }  # fmt: skip
    assert counts(table, "style") == {"improvised": 4784, "scripted": 5255}
    assert counts(table, "emotion") == {
        "angry": 1103, "happy": 595, "excited": 1041, "sad": 1084, "neutral": 1708, "frustrated": 1849,
        "fear": 40, "surprise": 107, "disgust": 2, "other": 3,
    }  # fmt: skip
    assert table["emotion"].isna().sum() == 2507
    assert levels(table["activation"]) == [986, 7029, 2024]
    assert levels(table["valence"]) == [3120, 4791, 2128]

    five = table[table["emotion"].isin(tree.FIVE)]
    assert levels(five["activation"]) == [637, 3681, 1213]
    assert levels(five["valence"]) == [1526, 2511, 1494]
    assert list(counts(five, "session").values()) == [1085, 1023, 1151, 1031, 1241]
    assert list(counts(five, "speaker").values()) == [528, 557, 481, 542, 522, 629, 528, 503, 590, 651]
    assert (five["dialogue"].str[5] != five["speaker"].str[-1]).sum() == 2750
    assert counts(five[five["dialogue"].str[-1].isin(["a", "b"])], "gender") == {"female": 65, "male": 109}

    improvised = five[five["style"] == "improvised"]
    assert list(counts(improvised, "speaker").values()) == [271, 250, 273, 257, 305, 322, 268, 266, 366, 365]
    without = improvised[improvised["emotion"] != "excited"]
    assert list(counts(without, "speaker").values()) == [217, 205, 185, 208, 264, 274, 149, 221, 298, 259]
    assert (len(five), len(improvised), len(without)) == (5531, 2943, 2280)
    for of_class, every, spontaneous in zip(
        tree.FIVE, (1103, 595, 1041, 1084, 1708), (289, 284, 663, 608, 1099), strict=True
    ):
        assert counts(five[five["emotion"] == of_class], "style") == {
            "improvised": spontaneous,
            "scripted": every - spontaneous,
        }
    by_speaker = counts(five, "speaker", "emotion")
    by_style = counts(improvised, "speaker", "emotion")
    for speaker in tree.ALL:
        cells = [(f"iemocap_{speaker}", emotion) for emotion in tree.FIVE]
        assert [by_speaker[cell] for cell in cells] == list(tree.ALL[speaker])
        assert [by_style[cell] for cell in cells] == list(tree.IMPROVISED[speaker])


def without_a_line(release: Path) -> Callable[[], object]:
    file = labels(release, "Ses02F_impro03")
    published = file.read_text(encoding="utf-8")
    lines = published.split("\n")
    lines.remove(next(line for line in lines if "\tSes02F_impro03_F002\t" in line))
    file.write_text("\n".join(lines), encoding="utf-8")
    return lambda: file.write_text(published, encoding="utf-8")


def without_a_recording(release: Path) -> Callable[[], object]:
    file = recordings(release, "Ses05M_script01_1b") / "Ses05M_script01_1b_F001.wav"
    file.unlink()
    return lambda: file.write_bytes(tree.SILENCE)


def without_a_session(release: Path) -> Callable[[], object]:
    (release / "Session3").rename(release / "Session_3")
    return lambda: (release / "Session_3").rename(release / "Session3")


def with_a_wrong_rate(release: Path) -> Callable[[], object]:
    file = recordings(release, "Ses04M_impro01") / "Ses04M_impro01_M000.wav"
    file.write_bytes(tree.silence(rate=48000))
    return lambda: file.write_bytes(tree.SILENCE)


def with_a_broken_recording(release: Path) -> Callable[[], object]:
    file = recordings(release) / "Ses01F_impro01_M001.wav"
    file.write_bytes(tree.SILENCE[:20])
    return lambda: file.write_bytes(tree.SILENCE)


BROKEN = {
    without_a_line: r"Session2/dialog/EmoEvaluation/Ses02F_impro03.txt: the recording "
    r"Session2/sentences/wav/Ses02F_impro03/Ses02F_impro03_F002.wav has no label \(10,038 utterances found; ",
    without_a_recording: r"Session5/dialog/EmoEvaluation/Ses05M_script01_1b.txt: Ses05M_script01_1b_F001 is labelled, "
    r"but there is no recording of it \(10,038 utterances found; ",
    without_a_session: r'Session3: the folder is missing, and "Session_3" may be it \(7,903 utterances found; angry '
    r"863 instead of 1,103, .*utterances 7,903 instead of 10,039\)",
    with_a_wrong_rate: r"Session4/sentences/wav/Ses04M_impro01/Ses04M_impro01_M000.wav: its sample rate is 48,000 Hz "
    r"instead of 16,000 Hz \(10,039 utterances found\)",
    with_a_broken_recording: r"Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M001.wav: this is no readable "
    r"audio file \(10,039 utterances found\)",
}


def test_what_is_not_as_published_is_one_sentence_with_its_file_and_the_count(release: Path):
    for damage, sentence in BROKEN.items():
        mend = damage(release)
        try:
            with pytest.raises(InputError, match=sentence) as problem:
                prepare(IEMOCAP, release)
        finally:
            mend()
        assert str(problem.value).endswith("complete the folder, or accept it as it is with --partial")


def test_what_is_there_is_accepted_with_its_flaws(two: Path):
    whole = read(two)
    files = sorted(recordings(two).glob("Ses*.wav"))
    files[0].unlink()
    files[1].write_bytes(tree.SILENCE[:20])
    files[2].write_bytes(tree.silence(rate=48000))
    accepted = prepare(IEMOCAP, two, partial=True)
    assert set(whole["id"]) - set(accepted.corpus.table["id"]) == {files[0].stem, files[1].stem}
    assert sorted(flaw.what for flaw in accepted.flaws) == [
        f"{files[0].stem} is labelled, but there is no recording of it",
        "its sample rate is 48,000 Hz instead of 16,000 Hz",
        *["the folder is missing"] * 3,
        "this is no readable audio file",
    ]


def test_a_block_becomes_a_row(tmp_path: Path):
    tree.build(tmp_path, only=TWO[1:])
    file = labels(tmp_path, TWO[1])
    turn = f"{TWO[1]}_F000"
    file.write_text(
        "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
        f"[6.2901 - 8.2357]\t{turn}\tneu\t[2.5000, 2.3333, 2.0000]\n"
        "C-E2:\tNeutral; Sadness;\t()\nC-E3:\tNeutral state;\t(curious; (a bit) tense)\nC-E4:\tAnger;\t()\n"
        "C-F1:\tPride;\t(proud)\n"
        "A-E3:\tval 3; act 2; dom  2;\t()\nA-E4:\tval 2.5; act ; dom 3;\t(guarded)\nA-F1:\tval 3; act 2; dom  1;\t()\n"
    )
    row = next(row for row in IEMOCAP.utterances(tmp_path) if not isinstance(row, Flaw))
    assert json.loads(row.pop("raters")) == [
        {"rater": "E2", "emotions": ["neutral", "sad"]},
        {"rater": "E3", "emotions": ["neutral"], "comment": "curious; (a bit) tense"},
        {"rater": "E4", "emotions": ["angry"]},
        {"rater": "F1", "emotions": ["pride"], "comment": "proud"},
        {"rater": "E3", "valence": 3, "activation": 2, "dominance": 2},
        {"rater": "E4", "valence": 2.5, "dominance": 3, "comment": "guarded"},
        {"rater": "F1", "valence": 3, "activation": 2, "dominance": 1},
    ]
    row.pop("text")
    assert row == {
        "id": turn,
        "audio": f"Session3/sentences/wav/{TWO[1]}/{turn}.wav",
        "speaker": "iemocap_Ses03F",
        "gender": "female",
        "session": "iemocap_3",
        "style": "improvised",
        "emotion": "neutral",
        "valence": 2.5,
        "activation": 2.3333,
        "dominance": 2.0,
        "dialogue": TWO[1],
        "turn_start": 6.2901,
        "turn_end": 8.2357,
        "agreement": 0.6667,
    }


def test_a_turn_without_agreement_or_raters_has_no_label(two: Path):
    file = labels(two)
    file.write_text("[6.2901 - 8.2357]\tSes01F_impro01_F000\txxx\t[2.5000, 2.3333, 2.0000]\n")
    row = next(row for row in IEMOCAP.utterances(two) if not isinstance(row, Flaw))
    assert row["valence"] == 2.5
    assert not {"emotion", "raters", "agreement"} & row.keys()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", " \t\n").encode(),
        lambda text: text.encode("utf-8-sig"),
    ],
    ids=["CRLF", "trailing blanks", "BOM"],
)
def test_releases_may_differ_in_their_line_ends_and_marks(two: Path, change: Callable[[str], bytes]):
    before = read(two)
    for file in two.glob("Session*/dialog/*/Ses*.txt"):
        file.write_bytes(change(file.read_text(encoding="utf-8")))
    pd.testing.assert_frame_equal(read(two), before)


def test_blanks_may_stand_for_tabs(two: Path):
    before = read(two)
    text = labels(two).read_text(encoding="utf-8")
    labels(two).write_text(text.replace("\t", "  ").rstrip("\n"), encoding="utf-8")
    pd.testing.assert_frame_equal(read(two), before)


def test_a_comment_may_be_in_latin_1(two: Path):
    text = labels(two).read_text(encoding="utf-8")
    labels(two).write_bytes(text.replace("\t()", "\t(na\x85\xefve)", 1).encode("latin-1"))
    assert read(two)["raters"].str.contains("na\x85\xefve").sum() == 1


def test_transcriptions_need_not_be_there(two: Path):
    expected = read(two)
    (two / "Session1" / "dialog" / "transcriptions" / "Ses01F_impro01.txt").unlink()
    table = read(two)
    first = table["dialogue"] == "Ses01F_impro01"
    assert table.loc[first, "text"].isna().all()
    pd.testing.assert_frame_equal(table[~first], expected[~first])
    file = two / "Session3" / "dialog" / "transcriptions" / "Ses03M_impro05a.txt"
    file.write_text(
        "Ses03M_impro05a_F000 [006.2901-008.2357]: It's: over.\nF: [LAUGHTER]\nSes03M_impro05a_FXX0 [1.0-2.0]: Hm.\n"
    )
    texts = read(two).set_index("id")["text"].dropna()
    assert texts.to_dict() == {"Ses03M_impro05a_F000": "It's: over."}


LINE = "[6.2901 - 8.2357]\tSes01F_impro01_F900\tneu\t[2.5000, 2.5000, 2.5000]"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (LINE[:-20], "this is not [start - end] turn label [valence, activation, dominance]"),
        (LINE.replace("2.5000]", "NaN]"), "this is not [start - end] turn label [valence, activation, dominance]"),
        (LINE.replace("neu", "joy"), 'there is no label "joy" (it is one of ang, hap, neu,'),
        (LINE.replace("F900", "X900"), '"Ses01F_impro01_X900" is not the name of a turn of Ses01F_impro01'),
        (LINE.replace("F900", "F9000"), '"Ses01F_impro01_F9000" is not the name of a turn of Ses01F_impro01'),
        (LINE.replace("Ses01F", "Ses01M"), '"Ses01M_impro01_F900" is not the name of a turn of Ses01F_impro01'),
    ],
)
def test_a_line_that_begins_with_a_bracket_must_be_a_turn(two: Path, line: str, problem: str):
    lines = labels(two).read_text(encoding="utf-8").split("\n")
    lines.insert(1, line)
    labels(two).write_text("\n".join(lines), encoding="utf-8")
    (flaw,) = flaws(two)
    assert flaw.startswith(f"Session1/dialog/EmoEvaluation/Ses01F_impro01.txt, line 2: {problem}")


def test_a_turn_has_one_line(two: Path):
    text = labels(two).read_text(encoding="utf-8")
    labels(two).write_text(text + "\n" + text, encoding="utf-8")
    found = flaws(two)
    assert found[0].startswith("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt: the turn Ses01F_impro01_")
    assert all(flaw.endswith(" has two lines") for flaw in found)


def test_a_file_or_folder_that_is_missing_is_one_flaw(two: Path):
    number = len(list(recordings(two).glob("Ses*.wav")))
    labels(two).rename(two / "kept")
    assert flaws(two) == [
        f"Session1/dialog/EmoEvaluation/Ses01F_impro01.txt: the file is missing, and {number} recordings of the "
        "dialogue are there"
    ]
    (two / "kept").rename(labels(two))
    recordings(two).rename(two / "kept")
    assert flaws(two) == [
        f"Session1/sentences/wav/Ses01F_impro01: the folder is missing or empty, and {number} turns of the dialogue "
        "are labelled"
    ]
    recordings(two).parent.rename(two / "Session1" / "wav")
    (missing,) = (str(found) for found in IEMOCAP.utterances(two) if str(found).startswith("Session1"))
    assert missing == "Session1/sentences/wav: the folder is missing"


@pytest.mark.parametrize(
    "name", ["Ses01F_improv01", "Ses02F_impro01", "Ses01F_impro1", "Ses01F_impro01c", "Ses01_impro01"]
)
def test_a_dialogue_must_have_a_published_name(two: Path, name: str):
    labels(two).with_name(f"{name}.txt").write_text("")
    assert flaws(two) == [f"Session1/dialog/EmoEvaluation/{name}.txt: this is not the name of a dialogue of Session1"]
    labels(two).with_name(f"{name}.txt").unlink()
    recordings(two).with_name(name).mkdir()
    assert flaws(two) == [f"Session1/sentences/wav/{name}: this is not the name of a dialogue of Session1"]


def test_hidden_and_foreign_files_and_the_folder_above_are_no_obstacle(two: Path):
    expected = read(two)
    labels(two).with_name("notes.txt").write_text("[what we found]\n")
    (recordings(two).parent / "._Ses01F_impro01").write_bytes(b"\xff")
    (two / "__MACOSX" / "release").mkdir(parents=True)
    pd.testing.assert_frame_equal(read(two), expected)

    inner = two / "above" / "IEMOCAP_full_release"
    inner.mkdir(parents=True)
    for session in ("Session1", "Session3"):
        (two / session).rename(inner / session)
    (inner.parent / "licence.pdf").write_bytes(b"%PDF")
    expected["audio"] = "IEMOCAP_full_release/" + expected["audio"]
    pd.testing.assert_frame_equal(read(two / "above"), expected)


def test_one_session_two_releases_and_nothing_at_all_are_one_sentence(two: Path):
    with pytest.raises(InputError, match="Session1: this is one session of IEMOCAP; point at the folder that holds"):
        prepare(IEMOCAP, two / "Session1")
    for copy, session in (("first", "Session1"), ("second", "Session3")):
        (two / "both" / copy).mkdir(parents=True)
        (two / session).rename(two / "both" / copy / session)
    with pytest.raises(InputError, match="both: first and second in it hold sessions of IEMOCAP; point at one of them"):
        prepare(IEMOCAP, two / "both")
    (two / "empty").mkdir()
    with pytest.raises(InputError, match="empty: no utterance of IEMOCAP is in it; it must hold Session1 to Session5"):
        prepare(IEMOCAP, two / "empty")
