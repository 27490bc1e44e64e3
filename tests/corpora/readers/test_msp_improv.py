import functools
import json
import time
from pathlib import Path

import pandas as pd
import pytest

from trees import msp_improv as tree
from unheard.corpora import CORPORA
from unheard.corpora.published import Flaw, prepare
from unheard.errors import InputError

MSP_IMPROV = CORPORA["msp-improv"]
CLIP = "MSP-IMPROV-S01A-F02-R-FF01"
FOUR = {"angry": 792, "happy": 2644, "neutral": 3477, "sad": 885}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole release; a test that changes it puts it back."""
    folder = tmp_path_factory.mktemp("msp-improv")
    tree.build(folder)
    return folder


@pytest.fixture(scope="module")
def read(release: Path) -> pd.DataFrame:
    """What the reader yields of the whole release."""
    start = time.process_time()  # of this process: others may be busy
    table = pd.DataFrame(found(release))
    assert time.process_time() - start < 5
    return table


@functools.cache
def few() -> pd.DataFrame:
    """The clips of two scenes of session 2 and one of session 3."""
    table = tree.manifest()
    return table[table["id"].str.contains("S01A-F02|S01S-M02|S01A-F03")].reset_index(drop=True)


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """A release with the clips of :func:`few` only."""
    tree.build(tmp_path, few())
    return tmp_path


def sentence(folder: Path) -> str:
    """What is said of a folder that is not the whole release."""
    with pytest.raises(InputError) as problem:
        prepare(MSP_IMPROV, folder)
    assert len(str(problem.value).splitlines()) == 1
    return str(problem.value)


def found(folder: Path) -> list[dict[str, object]]:
    return [row for row in MSP_IMPROV.utterances(folder) if isinstance(row, dict)]


def flaws(folder: Path) -> list[str]:
    return [str(flaw) for flaw in MSP_IMPROV.utterances(folder) if isinstance(flaw, Flaw)]


def write(folder: Path, *lines: str, recorded: bool = True) -> Path:
    """A label file of one's own, with recordings of its clips."""
    (folder / "Evalution.txt").write_text("\n".join(lines) + "\n")
    for line in lines:
        if recorded and line.startswith("UTD-"):
            (folder / f"MSP-{line[4:].partition('.')[0]}.wav").write_bytes(tree.silence())
    return folder


def counts(table: pd.DataFrame, column: str) -> dict[str, int]:
    return {str(value): count for value, count in table[column].value_counts().items()}


def levels(values: pd.Series) -> tuple[int, int, int]:
    low, high = int((values <= 2.5).sum()), int((values > 3.5).sum())
    return low, int(values.notna().sum()) - low - high, high


def test_the_whole_release_is_read_as_it_was_written(release: Path):
    table = prepare(MSP_IMPROV, release).corpus.table
    assert (table.pop("duration") == 0.01).all()
    written = tree.manifest()[table.columns]
    pd.testing.assert_frame_equal(table, written, check_dtype=False)
    assert MSP_IMPROV.edition(table["emotion"]) == "published"


def test_the_published_counts_are_found(read: pd.DataFrame):
    table = read
    four = table[table["emotion"].isin(FOUR)]
    assert counts(four, "emotion") == FOUR
    assert (len(table), len(four)) == (8438, 7798)
    assert int(table["emotion"].isna().sum()) == 555

    sessions = counts(table, "session")
    assert set(sessions) == {f"msp-improv_{session}" for session in range(1, 7)}
    last = ["msp-improv_5", "msp-improv_6"]
    assert [sessions[session] for session in last] == [1505, 1622]
    assert int((~table["session"].isin(last)).sum()) == 5311
    assert [int((four["session"].isin(last) == part).sum()) for part in (False, True)] == [4918, 2880]

    assert counts(table, "scenario") == {"R": 620, "T": 652, "S": 4381, "P": 2785}
    assert counts(table, "style") == {"scripted": 620, "improvised": 5033, "natural": 2785}
    by_scenario = four.groupby(["scenario", "emotion"]).size().unstack()
    assert by_scenario.loc["R", list(FOUR)].tolist() == [169, 88, 241, 80]
    assert by_scenario.loc["P", list(FOUR)].tolist() == [38, 1372, 1164, 66]
    assert "msp-improv_4" not in set(table[table["scenario"] == "R"]["session"])

    assert set(table["speaker"]) == {f"msp-improv_{gender}0{number}" for gender in "FM" for number in range(1, 7)}
    assert table["sentence"].nunique() == 20
    assert set(table["intended"]) == set(FOUR)


def test_activation_is_turned_round_so_that_5_is_active(read: pd.DataFrame):
    table = read
    assert levels(table["activation"]) == (4507, 3035, 843)
    assert levels(table["activation_raw"]) == (905, 3134, 4346)
    assert levels(table["valence"]) == (2214, 3531, 2640)
    mean = table.groupby("emotion")["activation"].mean()
    assert mean["angry"] > mean["happy"] > mean["sad"] > mean["neutral"]
    pd.testing.assert_series_equal(table["activation"], (6 - table["activation_raw"]).round(6), check_names=False)


def test_the_speaker_is_who_speaks_and_not_the_actor_of_the_target_sentence(read: pd.DataFrame):
    table = read.set_index("id")
    turn = table.index.str[-4]
    assert (table["speaker"].str[-3] == turn).all()
    assert (table["gender"] == pd.Series(turn, table.index).map(tree.GENDERS)).all()
    partners = table[table["speaker"] != table["target_speaker"]]
    assert set(partners["scenario"]) == {"S", "P"}
    assert 0.3 < len(partners) / len(table) < 0.45
    assert (partners["speaker"].str[-1] == partners["target_speaker"].str[-1]).all()
    assert table["partner"].isna().equals(table["scenario"] == "R")
    assert (table["partner"] != table["gender"]).all()


def test_the_example_of_the_release(tmp_path: Path):
    lines = ("UTD-IMPROV-S01A-F02-R-FF01.avi; A; A:3.333333; V:2.333333; D:3.000000 ; N:3.666667;",)
    [row] = found(write(tmp_path, *lines))
    assert row == {
        "id": CLIP, "audio": f"{CLIP}.wav", "speaker": "msp-improv_F02", "gender": "female", "emotion": "angry",
        "valence": 2.333333, "activation": 2.666667, "activation_raw": 3.333333, "dominance": 3.0,
        "naturalness": 3.666667, "session": "msp-improv_2", "style": "scripted", "scenario": "R", "sentence": "01",
        "intended": "angry", "target_speaker": "msp-improv_F02", "partner": None, "raters": None,
    }  # fmt: skip


def test_missing_numbers_and_blanks(tmp_path: Path):
    write(
        tmp_path,
        "UTD-IMPROV-S01A-F01-P-MF02.avi;  N;A:NaN;V:3.000000 ; D:NaN ; N:NaN;",
        "",
        "UTD-IMPROV-S20H-M06-T-MF01.avi; X; A:2; V:3.1; D:3.000000;\r",
    )
    first, second = found(tmp_path)
    assert flaws(tmp_path) == []
    assert first["valence"] == 3.0
    assert not {"activation", "activation_raw", "dominance", "naturalness"} & first.keys()
    assert (first["speaker"], first["partner"], first["style"]) == ("msp-improv_M01", "female", "natural")
    assert "emotion" not in second
    assert (second["activation"], second["sentence"], second["intended"]) == (4.0, "20", "happy")


def test_raters_lose_nothing(tmp_path: Path):
    write(
        tmp_path,
        "UTD-IMPROV-S01A-F02-R-FF01.avi; A; A:3.333333; V:2.333333; D:3.000000 ; N:3.666667;",
        "W7_a-p2; Sad; Sad,Other-shy one; A:4.000000; V:2.000000; D:NaN ; N:3.500000;",
        "W8-p3; Other; ; A:NaN; V:2.000000; D:1.000000; N:3.000000;",
        "W8-p3; Other; ; A:NaN; V:2.000000; D:1.000000; N:3.000000;",
        "a remark",
        "",
    )
    [row] = found(tmp_path)
    other = {"rater": "W8-p3", "emotions": ["other"], "valence": 2, "dominance": 1, "naturalness": 3}
    assert json.loads(str(row["raters"])) == [
        {
            "rater": "W7_a-p2",
            "emotions": ["sad"],
            "secondary": ["sad", "other-shy one"],
            "activation": 2,
            "valence": 2,
            "naturalness": 3.5,
        },
        other,
        other,
        {"line": "a remark"},
    ]


@pytest.mark.parametrize("label_file", ["Evalution.txt", "Evaluation.txt", "Labels/Evalution.txt"])
@pytest.mark.parametrize("audio", ["", "Audio", "data/Audio"])
def test_the_label_file_has_two_names_and_the_audio_any_depth(tmp_path: Path, label_file: str, audio: str):
    table = few()
    tree.build(tmp_path, table, label_file=label_file, audio=audio)
    assert flaws(tmp_path) == []
    assert [row["id"] for row in found(tmp_path)] == table["id"].tolist()
    assert all((tmp_path / str(row["audio"])).is_file() for row in found(tmp_path))


def test_an_activation_that_was_turned_round_before_is_left_alone(tmp_path: Path):
    table = tree.manifest()
    table = table[table["emotion"].isin(["angry", "sad"])].groupby("emotion").head(40).sort_values("id")
    tree.build(tmp_path, table, is_reversed=False)
    read = pd.DataFrame(found(tmp_path)).set_index("id")
    expected = table.set_index("id")
    pd.testing.assert_series_equal(read["activation"], expected["activation"])
    pd.testing.assert_series_equal(read["activation_raw"], expected["activation"], check_names=False)
    pd.testing.assert_series_equal(read["raters"], expected["raters"], check_dtype=False)


def test_recordings_in_folders_of_ones_own(scenes: Path):
    for file in sorted(scenes.glob("session?/*/*/MSP*.wav")):
        file.rename(scenes / file.name.replace("MSP-", "UTD-"))
    assert flaws(scenes) == []
    assert [row["id"] for row in found(scenes)] == few()["id"].tolist()


@pytest.mark.parametrize("names", [(), ("Evalution.txt", "Evaluation.txt"), ("Evalution.txt", "x/Evalution.txt")])
def test_no_or_two_label_files(scenes: Path, names: tuple[str, ...]):
    (scenes / "Evalution.txt").unlink()
    (scenes / "x").mkdir()
    for name in names:
        (scenes / name).write_text("")
    said = " and ".join(names) if names else "neither Evalution.txt nor Evaluation.txt of MSP-IMPROV is in it"
    assert said in sentence(scenes)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("UTD-IMPROV-S01A-F02-R-FF01.avi; A; A:3,3; V:2.3; D:3.0 ; N:3.6;", "this is not clip.avi; label; A:"),
        ("UTD-IMPROV-S01A-F02-R-FF01.avi; B; A:3.3; V:2.3; D:3.0 ; N:3.6;", 'there is no label "B"'),
        ("UTD-IMPROV-S01A-F07-R-FF01.avi; A; A:3.3; V:2.3; D:3.0 ; N:3.6;", '"UTD-IMPROV-S01A-F07-R-FF01" is not the'),
    ],
)
def test_a_line_that_says_nothing_is_named_by_its_number(tmp_path: Path, line: str, what: str):
    good = "UTD-IMPROV-S02N-M01-S-FM01.avi; N; A:3.0; V:3.0; D:3.0 ; N:4.0;"
    write(tmp_path, good, "", line, "W1-p1; Sad; ; A:1.000000; V:1.000000; D:1.000000 ; N:1.000000;", recorded=False)
    (tmp_path / "MSP-IMPROV-S02N-M01-S-FM01.wav").write_bytes(tree.silence())
    [flaw] = flaws(tmp_path)
    assert flaw.startswith(f"Evalution.txt, line 3: {what}")
    assert [row["raters"] for row in found(tmp_path)] == [None]


def test_a_second_line_and_a_second_recording_of_a_clip(tmp_path: Path):
    line = "UTD-IMPROV-S01A-F02-R-FF01.avi; A; A:3.3; V:2.3; D:3.0 ; N:3.6;"
    assert flaws(write(tmp_path, line, "", line)) == [f"Evalution.txt: the clip {CLIP} has two lines"]
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / f"{CLIP}.wav").write_bytes(tree.silence())
    with pytest.raises(InputError, match=rf'{CLIP} is there twice, as "{CLIP}.wav" and "copy/{CLIP}.wav"'):
        prepare(MSP_IMPROV, tmp_path)


def test_a_missing_line(release: Path):
    label_file = release / "Evalution.txt"
    text = label_file.read_text()
    begin = text.index(CLIP[4:]) - 4
    try:
        label_file.write_text(text[:begin] + text[text.index("\n\n", begin) + 2 :])
        said = sentence(release)
    finally:
        label_file.write_text(text)
    emotion = str(few().set_index("id").loc[CLIP, "emotion"])
    assert f"{release}, Evalution.txt: the recording session2/S01A/R/{CLIP}.wav has no label" in said
    assert "(8,437 utterances found; " in said
    assert f"{emotion} {FOUR[emotion] - 1:,} instead of {FOUR[emotion]:,}, utterances 8,437 instead of 8,438" in said


def test_a_missing_recording(scenes: Path):
    (scenes / f"session2/S01A/R/{CLIP}.wav").unlink()
    said = sentence(scenes)
    assert f"{scenes}, Evalution.txt: {CLIP} is labelled, but there is no recording of it" in said
    assert f"({len(few()) - 1:,} utterances found; " in said


@pytest.mark.parametrize("name", ["session_3", "session3b", "session7", "session4"])
def test_a_renamed_session(scenes: Path, name: str):
    (scenes / "session3").rename(scenes / name)
    clips = int((few()["session"] == "msp-improv_3").sum())
    said = f"{name}: {clips:,} recordings of session3 are in it; name it as published"
    assert flaws(scenes) == [said]
    assert f"{scenes}, {said} ({len(few()):,} utterances found; " in sentence(scenes)
    assert len(prepare(MSP_IMPROV, scenes, partial=True).corpus) == len(few())


def test_an_unreadable_recording(scenes: Path):
    (scenes / f"session2/S01A/R/{CLIP}.wav").write_bytes(b"RIFF and nothing")
    said = f"session2/S01A/R/{CLIP}.wav: this is no readable audio file ({len(few()):,} utterances found; "
    assert said in sentence(scenes)
    assert len(prepare(MSP_IMPROV, scenes, partial=True).corpus) == len(few()) - 1


def test_another_folder(tmp_path: Path):
    assert "point at the folder with the label file and the recordings" in sentence(tmp_path)
    (tmp_path / "Evalution.txt").write_text("")
    assert "no utterance of MSP-IMPROV is in it; it must hold Evalution.txt and" in sentence(tmp_path)
