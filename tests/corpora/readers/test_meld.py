import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from trees.recordings import record
from trees.videos import video
from unheard.corpora import CORPORA
from unheard.corpora.published import prepare
from unheard.errors import InputError

FOLDERS = {
    "train": "train/train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test",
}  # fmt: skip
LISTS = {"train": "train/train_sent_emo.csv", "dev": "dev_sent_emo.csv", "test": "test_sent_emo.csv"}
HEADER = (
    "Sr No.", "Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "Season", "Episode",
    "StartTime", "EndTime",
)  # fmt: skip
#: By part, in the order of EMOTIONS: the table of the paper.
EMOTIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
PUBLISHED = {
    "train": (1109, 271, 268, 1743, 4710, 683, 1205),
    "dev": (153, 22, 40, 163, 470, 111, 150),
    "test": (345, 68, 50, 402, 1256, 208, 281),
}
OURS = {"anger": "angry", "joy": "happy", "sadness": "sad"}
Line = tuple[int, int, str, str, str, int, int]  # dialogue, utterance, speaker, emotion, text, season, episode

LINES: dict[str, list[Line]] = {
    "train": [
        (0, 0, "Chandler", "neutral", "my company\x92s transition", 8, 21),
        (0, 1, "The Interviewer", "neutral", "You must\x92ve had your hands full.", 8, 21),
        (5, 3, "Waiter", "joy", "Enjoy!", 3, 1),
        (125, 3, "Rachel", "neutral", "So\x97oh.", 2, 1),
    ],
    "dev": [
        (0, 0, "Phoebe", "sadness", "Oh my God, he’s lost it.", 4, 7),
        (1, 5, "All", "joy", "Hey!", 4, 4),
        (1, 6, "Joey and Chandler", "joy", 'He said, "Hey!"', 4, 4),
        (2, 0, "Waiter", "anger", "No.", 9, 23),
        (2, 1, "Mrs. Green", "surprise", "", 9, 23),
        (110, 7, "Phoebe", "neutral", "Did they tell you anything?", 6, 11),
    ],
    "test": [(0, 0, "Dr. Leedbetter", "fear", "Hm.", 6, 9), (0, 1, "Ross", "disgust", "Hm?", 6, 9)],
}


def tree(folder: Path, lines: dict[str, list[Line]] = LINES, without: tuple[str, ...] = ()) -> Path:
    """A release of these lines: what is damaged or missing is so, and there are clips without labels."""
    mp4 = video("mp4", "aac")
    for split, rows in lines.items():
        path = folder / LISTS[split]
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            written = csv.writer(file)
            written.writerow(HEADER)
            for number, (dialogue, turn, speaker, emotion, text, season, episode) in enumerate(rows, 1):
                values: tuple[Any, ...] = (number, text, speaker, emotion, "neutral", dialogue, turn, season, episode)
                written.writerow((*values, "00:20:57,256", "00:21:00,049"))
        clips = {f"{FOLDERS[split]}/dia{row[0]}_utt{row[1]}.mp4" for row in rows}
        record(folder, clips - {f"{FOLDERS['dev']}/dia110_utt7.mp4", *without}, mp4)
    damaged = folder / FOLDERS["train"] / "dia125_utt3.mp4"
    if damaged.exists():
        damaged.write_bytes(b"no video")
    record(folder, [f"{FOLDERS['dev']}/dia66_utt9.mp4", f"{FOLDERS['test']}/final_videos_testdia0_utt0.mp4"], mp4)
    record(folder, [f"{FOLDERS['test']}/._dia0_utt0.mp4"], b"no video")
    return folder


def test_a_small_release(tmp_path: Path):
    prepared = prepare(CORPORA["meld"], tree(tmp_path / "MELD.Raw"), partial=True)
    assert prepared.flaws == ()
    table = prepared.corpus.table.set_index("id")
    assert table.index.tolist() == [
        "train_dia0_utt0", "train_dia0_utt1", "train_dia5_utt3", "dev_dia0_utt0", "dev_dia1_utt5", "dev_dia1_utt6",
        "dev_dia2_utt0", "dev_dia2_utt1", "test_dia0_utt0", "test_dia0_utt1",
    ]  # fmt: skip
    assert table["split"].value_counts().to_dict() == {"dev": 5, "train": 3, "test": 2}
    assert table["duration"].between(0.2, 0.4).all()  # 4,096 samples at 16 kHz, with what AAC adds

    row = table.loc["train_dia0_utt0"].to_dict()
    assert row["audio"] == "train/train_splits/dia0_utt0.mp4"
    assert (row["speaker"], row["gender"], row["emotion"]) == ("meld_Chandler", "male", "neutral")
    assert (row["session"], row["dialogue"], row["sentiment"]) == ("meld_s08e21", "train_dia0", "neutral")
    assert row["text"] == "my company’s transition"
    assert table.loc["dev_dia1_utt6", "text"] == 'He said, "Hey!"'


def test_groups_are_no_speaker_and_roles_are_one_per_episode(tmp_path: Path):
    table = prepare(CORPORA["meld"], tree(tmp_path), partial=True).corpus.table.set_index("id")
    assert table.loc[["dev_dia1_utt5", "dev_dia1_utt6"], "speaker"].isna().all()
    assert table["speaker"].dropna().tolist() == [
        "meld_Chandler", "meld_The Interviewer_s08e21", "meld_Waiter_s03e01", "meld_Phoebe", "meld_Waiter_s09e23",
        "meld_Mrs. Green", "meld_Dr. Ledbetter", "meld_Ross",
    ]  # fmt: skip
    assert table["gender"].dropna().tolist() == ["male", "female", "male"]


def test_extracted_sound_comes_before_video_and_may_repair_what_is_damaged(tmp_path: Path):
    tree(tmp_path)
    record(tmp_path, ["audio/train/dia0_utt0.wav", "audio/train/dia125_utt3.wav", "audio/dev/dia110_utt7.flac"])
    table = prepare(CORPORA["meld"], tmp_path, partial=True).corpus.table.set_index("id")
    assert len(table) == 12
    assert table.loc["train_dia0_utt0", "audio"] == "audio/train/dia0_utt0.wav"
    assert table.loc["train_dia125_utt3", "text"] == "So—oh."


def test_a_missing_clip_and_a_missing_list_are_one_sentence(tmp_path: Path):
    tree(tmp_path, without=("dev_splits_complete/dia1_utt5.mp4",))
    found = (
        r"dev_sent_emo\.csv: dev_dia1_utt5 is labelled, but there is no recording of it \(9 utterances found; angry 1 "
    )
    with pytest.raises(InputError, match=found + r"instead of 1,607.*--partial"):
        prepare(CORPORA["meld"], tmp_path)
    (tmp_path / LISTS["test"]).unlink()
    prepared = prepare(CORPORA["meld"], tmp_path, partial=True)
    assert str(prepared.flaws[0]) == "test_sent_emo.csv: the list of labels is missing"
    assert len(prepared.corpus) == 7


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (",sadness,", ",melancholy,", r"dev_sent_emo\.csv, line 2: this row is not as published .*anger, disgust"),
        (",1,6,4,4,", ",1,six,4,4,", r"line 4: this row is not as published .*fetch the list again"),
        ("Dialogue_ID", "Dialogue", r"line 2: this row is not as published \('Dialogue_ID'\)"),
    ],
)
def test_a_list_that_is_not_as_published_is_one_sentence(tmp_path: Path, old: str, new: str, problem: str):
    path = tree(tmp_path) / LISTS["dev"]
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=problem):
        prepare(CORPORA["meld"], tmp_path, partial=True)


def test_a_list_in_another_encoding_is_one_sentence(tmp_path: Path):
    path = tree(tmp_path) / LISTS["dev"]
    path.write_text(path.read_text(encoding="utf-8"), encoding="cp1252")
    with pytest.raises(InputError, match=r"dev_sent_emo\.csv, line \d: this row is not as published \('utf-8' codec"):
        prepare(CORPORA["meld"], tmp_path, partial=True)


def test_the_editions_are_known_by_their_counts():
    counts: Counter[str] = Counter()
    for numbers in PUBLISHED.values():
        counts.update({OURS.get(emotion, emotion): n for emotion, n in zip(EMOTIONS, numbers, strict=True)})
    assert counts.total() == 13708
    meld = CORPORA["meld"]
    assert meld.edition(counts.elements()) == "published"
    assert meld.edition((counts - Counter(neutral=2)).elements()) == "released"
    assert meld.edition((counts - Counter(neutral=1)).elements()) == "released, with one of its two missing clips"
    assert meld.difference((counts - Counter(fear=1, neutral=2)).elements()) == "fear 357 instead of 358"
