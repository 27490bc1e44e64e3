"""The command as people use it: what it writes, what it says, and with what it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from filelock import FileLock

import unheard
from trees.command import Run, refused
from unheard.corpora import Corpus
from unheard.recipe import recipe_names
from unheard.studies.plan import Plan
from unheard.studies.study import read_predictions

FORMATS = os.environ.get("UNHEARD_FORMATS")


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# What there is


def test_help_names_every_verb(run: Run):
    text = run("--help").stdout
    for verb in ("audit", "corpus", "demo", "predict", "recipes", "report", "reproduce", "study", "train"):
        assert f"\n  {verb} " in text
        assert run(verb, "-h").exit_code == 0


def test_the_version_is_that_of_the_package(run: Run):
    assert run("--version").stdout == f"unheard, version {unheard.__version__}\n"


def test_a_mistyped_verb_gets_a_guess(run: Run):
    result = run("tran", "tdnn")
    assert result.exit_code == 2
    assert 'there is no verb "tran"; did you mean "train"?' in result.stderr


def test_recipes_are_listed_and_shown(run: Run):
    lines = run("recipes").stdout.splitlines()
    assert [line.split()[0] for line in lines] == recipe_names()
    shown = yaml.safe_load(run("recipes", "tdnn-dat").stdout)
    assert shown["terms"]["speaker"]["reverse"]["schedule"] == "dann"
    assert refused(run("recipes", "tdn")) == 'there is no recipe "tdn"; did you mean "tdnn"?'


# Manifests that are wrong

BAD = {
    "empty": ("", ": this is not a readable manifest"),
    "header only": ("audio,speaker,emotion\n", ": there is no utterance in it"),
    "not CSV": ("\x89PNG\r\n\x00", ': the column "audio" (path of the recording) is missing'),
    "missing column": ("sound,speaker\na.wav,s\n", ': the column "audio" (path of the recording) is missing'),
    "unknown emotion": ("audio,speaker,emotion\na.wav,s,sad\nb.wav,t,anger\n", ', line 3: there is no emotion "anger"'),
    "absent file": ("audio,speaker,emotion\na.wav,s,sad\nz.wav,t,angry\n", ', line 3: the audio file "z.wav" does not'),
    "duplicate row": ("audio,speaker,emotion\na.wav,s,sad\na.wav,s,sad\n", ', line 3: the id "a.wav" stands in line 2'),
    "wrong number": ("audio,speaker,emotion,start\na.wav,s,sad,soon\n", ', line 2: the start "soon" is not a number'),
}
#: These are corpora, but none that folds can be cut from.
UNFIT = {
    "no speaker": ("audio,emotion\na.wav,sad\nb.wav,angry\n", ': the column "speaker" is missing'),
    "empty speaker": ("audio,speaker,emotion\na.wav,,sad\nb.wav,,angry\n", ': the column "speaker" is empty'),
    "no emotion": ("audio,speaker\na.wav,s\nb.wav,t\n", ': the column "emotion" is missing'),
    "one speaker": (
        "audio,speaker,emotion\na.wav,s,sad\nb.wav,s,angry\n",
        "needs at least 3 speakers, and 1 speaker has",
    ),
    "one class": (
        "audio,speaker,emotion\na.wav,s,sad\nb.wav,t,sad\nc.wav,u,sad\n",
        ': every utterance is labelled "sad"',
    ),
    "two speakers": (
        "audio,speaker,emotion\na.wav,NA,sad\nb.wav,001,angry\n",
        "needs at least 3 speakers, and 2 speakers",
    ),
}
VERBS = {
    "audit": ("audit", "bad.csv"),
    "audit of a protocol": ("audit", "bad.csv", "--protocol", "speaker-folds:3"),
    "train": ("train", "tdnn", "--corpus", "bad.csv", "--out", "out"),
    "study": ("study", "tdnn", "egemaps-svm", "--corpus", "bad.csv", "--protocol", "speaker-folds:3", "--out", "out"),
}
CASES = [pytest.param(verb, *BAD[bad], id=f"{verb}, {bad}") for verb in VERBS for bad in BAD] + [
    pytest.param(verb, *UNFIT[unfit], id=f"{verb}, {unfit}") for verb in list(VERBS)[1:] for unfit in UNFIT
]


@pytest.mark.parametrize(("verb", "content", "said"), CASES)
def test_a_wrong_manifest_gets_one_sentence_and_leaves_nothing(
    run: Run, tmp_path: Path, verb: str, content: str, said: str
):
    (tmp_path / "bad.csv").write_bytes(content.encode())
    for name in "abc":
        (tmp_path / f"{name}.wav").write_bytes(name.encode())
    before = files(tmp_path)
    sentence = refused(run(*VERBS[verb]))
    assert sentence.startswith("bad.csv")
    assert said in sentence
    assert files(tmp_path) == before


def test_an_absent_manifest_gets_one_sentence(run: Run, tmp_path: Path):
    assert "no.csv: there is no such manifest" in refused(run("audit", "no.csv"))
    assert "there is no such manifest" in refused(run("train", "tdnn", "--corpus", tmp_path, "--out", "out"))
    assert not files(tmp_path)


# Audit


def test_audit_says_what_folds_prove(run: Run, tiny_corpus: Corpus):
    result = run("audit", tiny_corpus.folder, "--protocol", "speaker-folds:4")
    assert result.exit_code == 0
    assert "speaker-independent" in result.stdout.lower()
    parsed = json.loads(run("audit", tiny_corpus.folder, "--protocol", "speaker-folds:4", "--format", "json").stdout)
    assert isinstance(parsed, dict)
    assert (
        run("audit", tiny_corpus.folder, "--protocol", "speaker-folds:4", "--format", "html").stdout.lstrip()[0] == "<"
    )


def test_audit_ends_with_3_where_folds_are_not_what_they_claim(run: Run, tmp_path: Path, tiny_corpus: Corpus):
    """The same recording under two speakers' names: speakers are apart in the table, but not in the sound."""
    for audio in tiny_corpus.table["audio"]:
        shutil.copy(tiny_corpus.folder / audio, tmp_path)
    shutil.copy(tmp_path / "s0-sad-0.wav", tmp_path / "s1-sad-0.wav")
    tiny_corpus.write(tmp_path / "manifest.csv")
    assert run("audit", tmp_path, "--protocol", "speaker-folds:4").exit_code == 3


# Train, study, report


def test_train_predict_and_train_again(run: Run, tmp_path: Path, tiny_corpus: Corpus, small_overrides):
    command = ("train", "tdnn", *small_overrides, "--corpus", tiny_corpus.folder, "--out", "out")
    result = run(*command)
    assert result.exit_code == 0, result.stderr
    assert "tdnn on 4 test utterances: UA " in result.stdout
    assert "use it: unheard predict AUDIO --model out" in result.stdout
    assert {
        "recipe.yaml",
        "metrics.jsonl",
        "predictions.csv",
        "dev_predictions.csv",
        "recognizer/config.json",
    } <= files(tmp_path / "out")
    predictions = pd.read_csv("out/predictions.csv", dtype={"speaker": "str"})
    assert list(predictions) == ["id", "speaker", "fold", "seed", "emotion", "predicted", "p_angry", "p_sad"]
    assert predictions["speaker"].isin(tiny_corpus.table["speaker"]).all()

    assert run("predict", tiny_corpus.folder, "--model", "out", "--format", "csv").stdout.count("\n") == 17
    assert run(*command).stdout == result.stdout  # done already
    other = refused(run(*command, "training.epochs=1"))
    assert other == "out: there is another run in this folder; choose another --out or use --force"
    assert run(*command, "training.epochs=1", "--force").exit_code == 0
    assert Path("out/metrics.jsonl").read_text().count("\n") == 1


def test_study_and_report(run: Run, tmp_path: Path, make_tiny_corpus, small_overrides):
    """With speakers called NA and 001, who stay who they are."""
    make_tiny_corpus(tmp_path, speakers=3, each=1)
    manifest = (tmp_path / "manifest.csv").read_text().replace(",000,", ",NA,").replace(",002,", ",nan,")
    (tmp_path / "manifest.csv").write_text(manifest)
    options = (
        "--corpus",
        "manifest.csv",
        "--protocol",
        "speaker-folds:3",
        "--folds",
        "1,2",
        "--out",
        "out",
        "--workers",
        1,
    )
    result = run("study", "tdnn", *small_overrides, "training.epochs=1", *options)
    assert result.exit_code == 0, result.stderr
    assert "report: out" in result.stdout
    results = pd.read_csv("out/results.csv")
    assert results[["recipe", "protocol", "fold", "seed", "n"]].to_numpy().tolist() == [
        ["tdnn", "speaker-folds:3", 1, 0, 2], ["tdnn", "speaker-folds:3", 2, 0, 2],
    ]  # fmt: skip
    page = Path("out/report.html")
    assert "speaker-independent" in page.read_text().lower()

    results_before = Path("out/results.csv").read_bytes()
    page.unlink()
    assert run("report", "out").exit_code == 0
    assert page.is_file()
    assert "fold 1, seed 0" in page.read_text()
    assert run("report", "out", "--draw", 2, 0).exit_code == 0
    assert "fold 2, seed 0" in page.read_text()
    assert "nothing is shown of fold 3 with seed 0" in refused(run("report", "out", "--draw", 3, 0))
    assert Path("out/results.csv").read_bytes() == results_before

    plan = Plan.read(Path("out"))
    assert set(plan.corpus.table["speaker"]) == {"NA", "001", "nan"}
    tested = [plan.corpus.table["speaker"].iloc[fold.test[0]] for fold in plan.cut()[:2]]
    assert list(dict.fromkeys(read_predictions(plan, Path("out"))["speaker"])) == tested


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "tdn"), 'there is no recipe "tdn"; did you mean "tdnn"?'),
        (("train", "tdnn", "training.epoch=2"), 'there is no key "training.epoch"; did you mean "epochs"?'),
        (("train", "tdnn", "epochs"), '"epochs" is not an override; write it as key=value'),
        (("train", "tdnn", "terms.emotion.tap=x", "--protocol", "speaker-fold"), 'there is no protocol "speaker-fold"'),
        (("train", "tdnn", "--protocol", "speaker-folds:2"), 'the number of folds "2" is not a whole number from 3 up'),
        (("train", "tdnn", "--protocol", "speaker-folds:9"), "needs at least 9 speakers, and 4 speakers have"),
        (("train", "tdnn", "--fold", "2"), "there is no fold 2"),
        (("study", "tdnn", "tdnn", "--protocol", "speaker-folds:3"), 'two recipes are called "tdnn"'),
        (("study", "tdnn", "--folds", "1,x"), '--folds "1,x" is not a list of fold numbers'),
        (("study", "tdnn", "--protocol", "speaker-folds:3", "--folds", "4"), "there is no fold 4"),
        (("study", "tdnn", "--protocol", "speaker-folds:3", "--baseline", "svm"), 'the baseline "svm" is not among'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_argument_gets_one_sentence_and_leaves_nothing(
    run: Run, tmp_path: Path, tiny_corpus: Corpus, arguments, said: str
):
    assert said in refused(run(*arguments, "--corpus", tiny_corpus.folder, "--out", "out"))
    assert not files(tmp_path)


def test_a_folder_that_is_no_study_gets_one_sentence(run: Run, tmp_path: Path):
    assert "there is no study here" in refused(run("report", tmp_path))


def test_force_removes_nothing_that_another_process_works_on(run: Run, tmp_path: Path, tiny_corpus: Corpus):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.csv").write_text("mine")
    with FileLock(tmp_path / "out" / ".lock"):
        said = refused(run("study", "tdnn", "--corpus", tiny_corpus.folder, "--out", "out", "--force",
                           "--protocol", "speaker-folds:3"))  # fmt: skip
    assert "another process is at work on this study" in said
    assert (tmp_path / "out" / "results.csv").read_text() == "mine"


# Corpora


def test_prepare_refuses_what_it_does_not_know_and_what_is_there(run: Run, tmp_path: Path):
    assert refused(run("corpus", "prepare", "emodbb", tmp_path)) == 'there is no corpus "emodbb"; did you mean "emodb"?'
    assert str(tmp_path) in refused(run("corpus", "prepare", "emodb", tmp_path))
    (tmp_path / "manifest.csv").write_text("mine")
    assert "use --force to replace it" in refused(run("corpus", "prepare", "emodb", tmp_path))
    assert "replace it with --force" in refused(run("corpus", "synthesize", "--out", tmp_path))
    assert (tmp_path / "manifest.csv").read_text() == "mine"


def test_synthesize_replaces_what_is_there_only_by_force(run: Run, tmp_path: Path):
    (tmp_path / "manifest.csv").write_text("old")
    result = run("corpus", "synthesize", "--out", tmp_path, "--speakers", 2, "--utterances", 1, "--force")
    assert result.exit_code == 0
    assert len(Corpus.read(tmp_path)) == 2


# Predict


@pytest.fixture
def recordings(tmp_path: Path, tiny_corpus: Corpus) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for row in (0, 4):
        shutil.copy(tiny_corpus.audio_path(row), folder)
    return folder


def test_predict_without_a_model_takes_the_shipped_one(run: Run, recordings: Path):
    result = run("predict", recordings, "--format", "json")
    assert result.exit_code == 0, result.output
    for record in json.loads(result.stdout):
        assert list(record["probabilities"]) == ["angry", "happy", "neutral", "sad"]
        assert record["verdict"] == (record["emotion"] or "not sure")


def test_predict_without_a_recognizer_where_it_is_looked_for_says_so(run: Run, recordings: Path):
    assert "there is no recognizer here" in refused(run("predict", recordings, "--model", recordings))


def test_predict_takes_the_model_from_the_environment(
    run: Run, recordings: Path, small_run: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("UNHEARD_MODEL", str(small_run))
    result = run("predict", recordings, "--format", "json")
    assert result.exit_code == 0
    assert [record["emotion"] in ("angry", "sad") for record in json.loads(result.stdout)] == [True, True]


def test_predict_names_the_broken_and_gives_the_others(run: Run, recordings: Path, small_run: Path):
    whole = run("predict", recordings, "--model", small_run)
    (recordings / "broken.wav").write_bytes(b"RIFF")
    result = run("predict", recordings, "--model", small_run)
    assert result.exit_code == 2
    assert result.stdout == whole.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"unheard: {recordings / 'broken.wav'}: ")


def test_predict_reads_a_pipe(run: Run, tiny_corpus: Corpus, small_run: Path):
    path = tiny_corpus.audio_path(0)
    piped = run("predict", "-", "--model", small_run, "--format", "jsonl", input=path.read_bytes())
    direct = run("predict", path, "--model", small_run, "--format", "jsonl")
    assert piped.exit_code == 0
    assert json.loads(piped.stdout) == json.loads(direct.stdout) | {"audio": "-"}
    assert "standard input" in refused(run("predict", "-", "--model", small_run, input=b""))


@pytest.mark.skipif(FORMATS is None, reason="UNHEARD_FORMATS is not set")
def test_predict_goes_through_a_folder_of_awkward_and_broken_recordings(run: Run, small_run: Path):
    assert FORMATS is not None
    table = pd.read_csv(Path(FORMATS) / "manifest.csv")
    broken = set(table["path"][table["content"] == "deliberately broken"])
    result = run("predict", FORMATS, "--model", small_run, "--format", "csv")
    assert result.exit_code == 2
    predicted = {Path(row["audio"]).name for row in csv.DictReader(io.StringIO(result.stdout))}
    assert predicted == set(table["path"]) - broken
    lines = result.stderr.splitlines()
    assert {Path(line.removeprefix("unheard: ").split(": ")[0]).name for line in lines} == broken
    assert len(lines) == len(broken)


# As a process


def test_a_process_reads_a_pipe_and_ends_with_2_where_the_input_is_wrong(
    tiny_corpus: Corpus, small_run: Path, tmp_path: Path
):
    command = [
        sys.executable,
        "-m",
        "unheard",
        "predict",
        "-",
        str(tmp_path / "no.wav"),
        "--model",
        str(small_run),
        "--format",
        "jsonl",
    ]
    done = subprocess.run(
        command, input=tiny_corpus.audio_path(0).read_bytes(), capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["audio"] == "-"
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"unheard: {tmp_path / 'no.wav'}: ")


def test_a_process_ends_with_2_and_one_sentence(tmp_path: Path):
    command = [sys.executable, "-m", "unheard", "audit", str(tmp_path / "no.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"unheard: {tmp_path / 'no.csv'}: there is no such manifest; ")


def test_predict_writes_timelines(run: Run, tmp_path: Path, tiny_corpus: Corpus, small_run: Path):
    path = tiny_corpus.audio_path(0)
    (line,) = run("predict", path, "--model", small_run, "--timeline", "--format", "jsonl").stdout.splitlines()
    assert json.loads(line)["segments"][-1]["end"] == json.loads(line)["duration"]
    options = ("--model", small_run, "--format", "textgrid", "--out", "grids", "--plot", "a.png")
    assert run("predict", path, *options).stdout == ""
    assert (tmp_path / "grids" / f"{path.stem}.TextGrid").is_file()
    assert (tmp_path / "a.png").is_file()


def test_predict_goes_on_with_json_lines(run: Run, tmp_path: Path, recordings: Path, small_run: Path):
    (recordings / "broken.wav").write_bytes(b"no sound")
    for _ in range(2):
        result = run("predict", recordings, "--model", small_run, "--format", "jsonl", "--out", "out.jsonl")
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1
        assert "broken.wav: " in result.stderr
        whole = (tmp_path / "out.jsonl").read_text()
    assert whole.count("\n") == len(set(whole.splitlines())) > 0


def test_predict_listens_or_reads(run: Run, recordings: Path, small_run: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert "--mic needs the library sounddevice" in refused(run("predict", "--mic", "--model", small_run))
    for arguments in ((), (recordings, "--mic"), ("--mic", "--out", "a")):
        result = run("predict", *arguments, "--model", small_run)
        assert result.exit_code == 2
        assert "--mic" in result.stderr
